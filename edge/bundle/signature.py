"""Who made a bundle, and whom a box trusts: Ed25519 (RFC 8032) over its manifest, which holds the hash of every other file.

A key file is one line, `undertone-public-key ID BASE64` or `undertone-private-key ID BASE64`; lines with `#` are remarks.
The id is the first 16 hex digits of the public key's sha256, so it cannot name another key than its own.
"""

import base64
import binascii
import hashlib
import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.config import Config
from edge.errors import ModelError

_TOP = Path(__file__).parent.parent.parent
_PUBLIC, _PRIVATE = "undertone-public-key", "undertone-private-key"
# Goes before what is signed, so that a signature over anything else can never pass for one over a bundle.
_DOMAIN = b"undertone bundle manifest v1\n"
_KEY_BYTES = 32


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file beside a manifest: the id of the key, and the signature in base64."""

    key: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose bundles a box takes. `keys` are raw public keys by id; `allow_unsigned` takes bundles that no such key signed."""

    keys: Mapping[str, bytes] = field(default_factory=dict)
    allow_unsigned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """A key that signs. Its repr shows the id only."""

    id: str
    secret: bytes = field(repr=False)

    def public(self) -> bytes:
        """The raw public key."""
        return Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw()

    def sign(self, manifest: bytes) -> bytes:
        """The signature file's content for a manifest's bytes."""
        made = Ed25519PrivateKey.from_private_bytes(self.secret).sign(_DOMAIN + manifest)
        return msgspec.json.encode(Signature(key=self.id, signature=base64.b64encode(made).decode())) + b"\n"


def shipped_models() -> Path:
    """The folder of shipped bundles and keys: beside `edge` in a clone, under the environment's `share` in an installed wheel."""
    candidates = (
        _TOP / "models",
        Path(sysconfig.get_path("data")) / "share" / "undertone" / "models",
        Path(sys.prefix) / "share" / "undertone" / "models",
    )
    return next((folder for folder in candidates if (folder / "keys").is_dir()), candidates[0])


def trust_of(config: Config) -> Trust:
    """Whom a box with this configuration trusts: the shipped keys and `models.trusted_keys`.

    Raises ModelError for a key file that is missing or damaged.
    """
    configured = dict(read_public(Path(path)) for path in config.models.trusted_keys)
    return Trust(keys={**shipped_trust().keys, **configured}, allow_unsigned=config.models.allow_unsigned)


@cache
def shipped_trust() -> Trust:
    """Trust in the shipped keys alone."""
    return Trust(keys=dict(read_public(path) for path in sorted((shipped_models() / "keys").glob("*.pub"))))


def generate() -> tuple[PrivateKey, bytes]:
    """A new private key, and its raw public key."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return PrivateKey(id=key_id(public), secret=private.private_bytes_raw()), public


def key_id(public: bytes) -> str:
    """The id of a raw public key."""
    return hashlib.sha256(public).hexdigest()[:16]


def write_keys(private_path: Path, public_path: Path, key: PrivateKey, public: bytes) -> None:
    """Write both key files, the private one readable by its owner alone. Raises ModelError if either is there already."""
    for path, word, raw, mode in ((private_path, _PRIVATE, key.secret, 0o600), (public_path, _PUBLIC, public, 0o644)):
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError as error:
            raise ModelError("there already", path=path, remedy="a key is never overwritten, give another name") from error
        except OSError as error:
            raise ModelError(f"cannot be written: {error.strerror}", path=path, remedy="give a folder of yours") from error
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{word} {key.id} {base64.b64encode(raw).decode()}\n")


def read_private(path: Path) -> PrivateKey:
    """The private key in `path`. Raises ModelError naming the file and the remedy."""
    claimed, raw = _read(path, _PRIVATE)
    key = PrivateKey(id=claimed, secret=raw)
    if key_id(key.public()) != claimed:
        raise ModelError(f"its id '{claimed}' is not this key's", path=path, remedy="make a new one with `undertone-convert keygen`")
    return key


def read_public(path: Path) -> tuple[str, bytes]:
    """The id and the raw public key in `path`. Raises ModelError naming the file and the remedy."""
    key, raw = _read(path, _PUBLIC)
    if key_id(raw) != key:
        raise ModelError(f"its id '{key}' is not this key's: it was changed", path=path, remedy="copy the .pub file again")
    return key, raw


def verify(manifest: bytes, signed: Path, trust: Trust) -> str | None:
    """The id of the trusted key that signed `manifest`; None where nobody trusted did and `trust` allows that.

    Raises ModelError: no signature, a foreign key, or (always) a signature that does not fit the manifest.
    """
    hint = "have it signed (`undertone-convert sign`), or set 'models.allow_unsigned: true'"
    try:
        found = msgspec.json.decode(signed.read_bytes(), type=Signature)
        raw = base64.b64decode(found.signature, validate=True)
    except FileNotFoundError as error:
        if trust.allow_unsigned:
            return None
        raise ModelError("nobody signed this model", path=signed.parent, remedy=hint) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"not a signature file: {error}", path=signed, remedy="bring the bundle again") from error
    public = trust.keys.get(found.key)
    if public is None:
        if trust.allow_unsigned:
            return None
        raise ModelError(
            f"signed with key '{found.key}', which is not trusted here", path=signed.parent, remedy="add its .pub to 'models.trusted_keys'"
        )
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw, _DOMAIN + manifest)
    except InvalidSignature as error:
        raise ModelError(
            f"the signature of key '{found.key}' does not fit the manifest: it was changed", path=signed.parent, remedy="bring it again"
        ) from error
    return found.key


def _read(path: Path, word: str) -> tuple[str, bytes]:
    """Id and raw key of a key file that begins with `word`."""
    try:
        lines = [line.split() for line in path.read_text(encoding="ascii").splitlines() if line.strip() and not line.startswith("#")]
        raw = base64.b64decode(lines[0][2], validate=True)
    except FileNotFoundError as error:
        raise ModelError("no such key file", path=path, remedy="`undertone-convert keygen` makes one") from error
    except (OSError, UnicodeDecodeError, IndexError, binascii.Error) as error:
        raise ModelError("not a key file", path=path, remedy=f"it is one line, '{word} ID BASE64'") from error
    if lines[0][0] != word or len(raw) != _KEY_BYTES:
        raise ModelError(f"holds '{lines[0][0]}' where '{word}' is needed", path=path, remedy="give the other key file")
    return lines[0][1], raw
