"""A bundle as one file, for a stick, a mail or the bus: a plain, uncompressed tar. Unpacking trusts nothing in it."""

import io
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from edge.bundle.manifest import MANIFEST, SIGNATURE, Bundle, is_plain, parse
from edge.errors import ModelError, StoreError
from edge.files.durable import how_to_write, sync

# The Vosk model is the largest thing that is ever packed: 71 MB.
MAX_BYTES = 256_000_000
_MAX_FILES = 64
# By what files begin with (file(1) knows the same): packed ones, and what people give in place of a bundle.
_PACKERS = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ", "zstd": b"\x28\xb5\x2f\xfd", "zip": b"PK\x03\x04", "7z": b"7z\xbc\xaf"}
_OTHERS = {
    "a WAV recording": b"RIFF", "a FLAC recording": b"fLaC", "an Ogg recording": b"OggS", "an MP3 recording": b"ID3",
    "an AIFF recording": b"FORM", "a Keras net": b"\x89HDF", "JSON": b"{",
}  # fmt: skip
# A TFLite net's stands behind four bytes that differ, a tar's in the midst of its first header (POSIX.1-1988).
_NET, _TAR = slice(4, 8), slice(257, 262)


def pack(bundle: Bundle, path: Path) -> None:
    """Write the bundle as a tar to `path`: the same bytes each time. Raises ModelError if it cannot be written."""
    names = [MANIFEST, *([SIGNATURE] if (bundle.folder / SIGNATURE).is_file() else []), *sorted(bundle.manifest.files)]
    part = path.with_name(path.name + ".part")
    try:
        with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
            for name in names:
                raw = (bundle.folder / name).read_bytes()
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(raw), 0o644
                tar.addfile(info, io.BytesIO(raw))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ModelError(f"cannot be written: {error.strerror}", path=path, remedy="give a folder of yours") from error


def unpack(path: Path, folder: Path) -> None:
    """Unpack the bundle's tar at `path` into the new, empty `folder`, every file on the disk when this returns.

    Raises ModelError: not a tar, truncated, too large, too many files, a link, a device, a path out of the folder; StoreError: no room.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelError(
                f"{size / 1e6:.0f} MB, more than the {MAX_BYTES / 1e6:.0f} MB of any bundle", path=path, remedy="it is not one of ours"
            )
        if (free := shutil.disk_usage(folder).free) < size * 2:
            needed = f"{size * 2 / 1e6:.1f} MB needed and {free / 1e6:.1f} MB free"
            raise StoreError(f"no room: {needed}", path=folder.parent, remedy="make room on that disk")
        with tarfile.open(path, "r:") as tar:
            _unpack_members(path, tar, folder, size)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _no_bundle(path, error) from error
    except FileNotFoundError as error:
        raise ModelError("no such file", path=path, remedy="give a bundle's .tar or folder") from error
    except OSError as error:
        raise StoreError(f"cannot be unpacked: {error.strerror}", path=path, remedy=how_to_write(error)) from error


def copy_in(source: Path, folder: Path) -> None:
    """The bundle at `source` (.tar or folder) in the new, empty `folder`, every file on the disk when this returns. Raises as `unpack`."""
    if not source.is_dir():
        unpack(source, folder)
        return
    raw = (source / MANIFEST).read_bytes() if (source / MANIFEST).is_file() else b""
    if not raw:
        raise ModelError("missing", path=source / MANIFEST, remedy="give a bundle's .tar or folder")
    names = [MANIFEST, SIGNATURE, *parse(raw, source / MANIFEST).files]
    for name in names:
        if (source / name).is_file() and not (source / name).is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, folder / name)
    _sync_all(folder)


def _sync_all(folder: Path) -> None:
    for item in (*folder.rglob("*"), folder):
        sync(item)


def _unpack_members(path: Path, tar: tarfile.TarFile, folder: Path, size: int) -> None:
    """Each member checked before a byte of it is written; what is unpacked cannot be larger than the file it comes from."""
    seen: set[str] = set()
    total = 0
    for member in tar:
        if not member.isreg() or member.issparse():
            raise ModelError(
                f"'{member.name[:80]}' is a link, device or folder, not a plain file", path=path, remedy="it is not one of our bundles"
            )
        if not is_plain(member.name):
            raise ModelError(f"'{member.name[:80]}' points out of the bundle", path=path, remedy="it is not one of our bundles")
        if member.name in seen:
            raise ModelError(f"'{member.name}' is in it twice", path=path, remedy="it is not one of our bundles")
        seen.add(member.name)
        total += member.size
        if len(seen) > _MAX_FILES:
            raise ModelError(f"more than the {_MAX_FILES} files that a bundle holds", path=path, remedy="it is not one of our bundles")
        if total > size:
            raise ModelError(f"cut short in '{member.name}'", path=path, remedy="bring it again")
        packed = tar.extractfile(member)
        raw = packed.read() if packed else b""
        if len(raw) != member.size:
            raise ModelError(f"cut short in '{member.name}'", path=path, remedy="bring it again")
        target = folder / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(raw)
    _refuse_rest(path, tar.offset)
    if MANIFEST not in seen:
        raise ModelError(f"no {MANIFEST} in it", path=path, remedy="give a bundle made by `undertone-convert pack`")
    _sync_all(folder)


def _no_bundle(path: Path, error: Exception) -> ModelError:
    """Why the file at `path`, which could not be read to its end as a tar, is no bundle, and what to do."""
    with path.open("rb") as file:
        first = file.read(tarfile.BLOCKSIZE)
    if (packer := _known(first, _PACKERS)) is not None:
        how = f"packed with {packer}, and a bundle is a plain .tar"
        return ModelError(how, path=path, remedy="unpack it to the .tar that is in it, or give the bundle's folder")
    give = "give a bundle's .tar or folder, as `undertone-convert pack` makes it"
    if first[_TAR] == b"ustar":
        return ModelError(f"not a whole bundle: {error}", path=path, remedy="bring it again")
    other = _known(first, _OTHERS) or ("a TFLite net" if first[_NET] == b"TFL3" else None if first else "an empty file")
    why = "not a bundle, or damaged from its first bytes on" if other is None else f"{other}, not a bundle"
    return ModelError(why, path=path, remedy=give)


def _known(first: bytes, magics: Mapping[str, bytes]) -> str | None:
    return next((name for name, magic in magics.items() if first.startswith(magic)), None)


def _refuse_rest(path: Path, end: int) -> None:
    """A damaged header in the midst of an archive ends it for tarfile, without a word."""
    with path.open("rb") as file:
        file.seek(end)
        if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise ModelError(f"not a whole bundle: damaged at byte {end:,}", path=path, remedy="bring it again")


@contextmanager
def unpack_aside(path: Path) -> Iterator[Path]:
    """The bundle's tar at `path` unpacked in a folder of its own that goes away afterwards. Raises as `unpack` does.

    A ModelError of whoever looks at it names `path`: where it was unpacked says nothing to whoever brought it.
    """
    with tempfile.TemporaryDirectory(prefix="undertone-bundle-") as folder:
        unpack(path, Path(folder))
        try:
            yield Path(folder)
        except ModelError as error:
            raise error.moved(Path(folder), path) from error
