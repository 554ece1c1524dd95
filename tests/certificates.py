"""A certificate authority for a test's few minutes: what a broker and its boxes need for TLS."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its key as PEM files."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates into `folder`; `ca` is its own."""

    def __init__(self, folder: Path, name: str = "undertone test authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca = folder / f"{name.replace(' ', '-')}.pem"
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = self._builder(name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._write(self.ca, builder.add_extension(usage, critical=True))

    def issue(self, name: str, *, days: int = 1, since: int = -10, passphrase: str | None = None, host: str = "localhost") -> Pair:
        """A pair for common name `name`, valid for 127.0.0.1 to 127.0.0.3 and localhost from `since` to `days` from now (negative: past).

        `host`: for that name alone. `passphrase` encrypts the key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        pair = Pair(cert=self._folder / f"{name}.crt", key=self._folder / f"{name}.key")
        loopback = [x509.IPAddress(ipaddress.ip_address(f"127.0.0.{n}")) for n in (1, 2, 3)]
        address = loopback if host == "localhost" else []
        names = x509.SubjectAlternativeName([x509.DNSName(host), *address])
        lock = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
        self._write(pair.cert, self._builder(name, key, days, since).add_extension(names, critical=False))
        pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, lock))
        return pair

    def _builder(self, name: str, key: ec.EllipticCurvePrivateKey, days: int = 1, since: int = -10) -> x509.CertificateBuilder:
        today = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today + dt.timedelta(days=since))
            .not_valid_after(today + dt.timedelta(days=days))
        )

    def _write(self, path: Path, builder: x509.CertificateBuilder) -> None:
        path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
