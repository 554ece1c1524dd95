"""A bundle as one file, for a stick, a mail or the bus: a plain, uncompressed tar. Unpacking trusts nothing in it."""

import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.bundle.manifest import MANIFEST, SIGNATURE, Bundle, is_plain
from edge.errors import ModelError, StoreError

# The Vosk model is the largest thing that is ever packed: 71 MB.
MAX_BYTES = 256_000_000
_MAX_FILES = 64


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
        raise ModelError(f"{path}: cannot be written: {error.strerror}; give a folder of yours") from error


def unpack(path: Path, folder: Path) -> None:
    """Unpack the bundle's tar at `path` into the new, empty `folder`, every file on the disk when this returns.

    Raises ModelError: not a tar, truncated, too large, too many files, a link, a device, a path out of the folder; StoreError: no room.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelError(f"{path}: {size / 1e6:.0f} MB, more than the {MAX_BYTES / 1e6:.0f} MB of any bundle; it is not one of ours")
        if (free := shutil.disk_usage(folder).free) < size * 2:
            needed = f"{size * 2 / 1e6:.1f} MB needed and {free / 1e6:.1f} MB free"
            raise StoreError(f"no room: {needed} in {folder.parent}; make room on that disk")
        with tarfile.open(path, "r:") as tar:
            _unpack_members(path, tar, folder, size)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ModelError(f"{path}: not a whole bundle: {error}; bring it again") from error
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file; give a bundle's .tar or folder") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be unpacked into {folder.parent}: {error.strerror}; make room, or check who owns it") from error


def _unpack_members(path: Path, tar: tarfile.TarFile, folder: Path, size: int) -> None:
    """Each member checked before a byte of it is written; what is unpacked cannot be larger than the file it comes from."""
    seen: set[str] = set()
    total = 0
    for member in tar:
        if not member.isreg() or member.issparse():
            raise ModelError(f"{path}: '{member.name[:80]}' is a link, device or folder, not a plain file; it is not one of our bundles")
        if not is_plain(member.name):
            raise ModelError(f"{path}: '{member.name[:80]}' points out of the bundle; it is not one of our bundles")
        if member.name in seen:
            raise ModelError(f"{path}: '{member.name}' is in it twice; it is not one of our bundles")
        seen.add(member.name)
        total += member.size
        if len(seen) > _MAX_FILES:
            raise ModelError(f"{path}: more than the {_MAX_FILES} files that a bundle holds; it is not one of our bundles")
        if total > size:
            raise ModelError(f"{path}: cut short in '{member.name}'; bring it again")
        packed = tar.extractfile(member)
        raw = packed.read() if packed else b""
        if len(raw) != member.size:
            raise ModelError(f"{path}: cut short in '{member.name}'; bring it again")
        target = folder / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(raw)
    _refuse_rest(path, tar.offset)
    if MANIFEST not in seen:
        raise ModelError(f"{path}: no {MANIFEST} in it; give a bundle made by `undertone-convert pack`")
    for item in (*folder.rglob("*"), folder):
        sync(item)


def _refuse_rest(path: Path, end: int) -> None:
    """A damaged header in the midst of an archive ends it for tarfile, without a word."""
    with path.open("rb") as file:
        file.seek(end)
        if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise ModelError(f"{path}: not a whole bundle: damaged at byte {end:,}; bring it again")


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
            raise ModelError(str(error).replace(folder, str(path))) from error


def is_folder(path: Path) -> bool:
    """Whether a folder is there, as far as this user may see (a state directory of the service is another user's)."""
    try:
        return path.is_dir()
    except OSError:
        return False


def sync(path: Path) -> None:
    """What was written to the file or folder at `path` is on the disk when this returns."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def give_to_owner(tree: Path, of: Path) -> None:
    """What root has put in `tree` belongs to whoever `of` belongs to: the service is another user, and goes on with it."""
    if os.geteuid():
        return
    owner = of.stat()
    for path in (tree, *tree.rglob("*")):
        with suppress(FileNotFoundError):  # a running service replaces its records meanwhile
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def replace_whole(path: Path, content: bytes) -> None:
    """Give the file at `path` this content, in one step that survives a power cut."""
    part = path.with_suffix(".part")
    part.write_bytes(content)
    sync(part)
    part.replace(path)
    sync(path.parent)
