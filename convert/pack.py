"""Make a bundle of a folder: hash its files into the manifest, sign it, and prove that a box would take it."""

import argparse
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge.bundle.manifest import MANIFEST, SIGNATURE, Bundle, Manifest, Version, encode, load, parse
from edge.bundle.signature import PrivateKey, Trust, read_private
from edge.errors import ModelError


def version(written: str) -> str:
    """For argparse: a version as manifests take it, so that none is refused after the work."""
    try:
        return msgspec.convert(written, Version)
    except msgspec.ValidationError as error:
        raise argparse.ArgumentTypeError(f"'{written}' is no version; give X.Y.Z") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Leave `manifest` in `folder`, as a draft: its hashes are filled in by `finish`."""
    (folder / MANIFEST).write_bytes(encode(manifest))
    (folder / SIGNATURE).unlink(missing_ok=True)


def finish(folder: Path, key: Path | None) -> Bundle:
    """Hash every file of `folder` into its manifest, sign it with the private key file `key` (None: unsigned), and load it.

    Raises ModelError where a box would refuse the result for anything but the key's being foreign to it.
    """
    draft = parse((folder / MANIFEST).read_bytes(), folder / MANIFEST) if (folder / MANIFEST).is_file() else None
    if draft is None:
        raise ModelError("missing", path=folder / MANIFEST, remedy="a bundle begins with a manifest, see docs/models.md")
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, SIGNATURE)
    }
    write_manifest(folder, msgspec.structs.replace(draft, files=files))
    return sign(folder, read_private(key)) if key else load(folder, trust=Trust(allow_unsigned=True))


def sign(folder: Path, key: PrivateKey) -> Bundle:
    """Sign the manifest in `folder` as it stands, and load the bundle as a box does that trusts this key alone."""
    raw = (folder / MANIFEST).read_bytes()
    (folder / SIGNATURE).write_bytes(key.sign(raw))
    return load(folder, trust=Trust(keys={key.id: key.public()}))


def now() -> str:
    """The time for a manifest's `created`: RFC 3339, UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
