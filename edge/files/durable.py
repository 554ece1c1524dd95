"""Files that survive a power cut, and that belong to whom they should."""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def is_folder(path: Path) -> bool:
    """Whether a folder is there, as far as this user may see (a state directory of the service is another user's)."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether a file is there, as far as this user may see; no name that no file can have (too long) is one."""
    try:
        return path.is_file()
    except OSError:
        return False


def unreadable(path: Path) -> str | None:
    """Why the file at `path` cannot be read, in the system's words; None where it can. A pipe is not opened: that would wait."""
    try:
        if path.is_dir():
            return "a folder"
        if path.is_file():
            path.open("rb").close()
        elif not path.exists():
            return "no such file"
    except OSError as error:
        return error.strerror or str(error)
    return None


def how_to_write(error: OSError) -> str:
    """The remedy where a file of ours could not be written: not always is it room that is missing."""
    match error.errno:
        case errno.EROFS:
            return "the disk is read-only: mount it for writing, or set 'state_dir' to one that is (`findmnt -T FOLDER` shows which)"
        case errno.EACCES | errno.EPERM:
            return "run this as the folder's owner, or give the folder to this user"
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return "make room on that disk"
        case errno.ENOTDIR | errno.EEXIST | errno.EISDIR:
            return "something else has that name: move it away, or set 'state_dir'"
    return "see to that disk, or set 'state_dir' to another one"


def how_to_write_in(folder: Path) -> str:
    """The same where a library failed to write in `folder` and keeps the system's reason to itself: it is tried."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        return how_to_write(error)
    return "free space there, and give the folder to the user that runs undertone"


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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until no other process or thread holds the file at `path`, and hold it. Raises OSError."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def replace_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Give the file at `path` this content, in one step that survives a power cut; whom `mode` (None: the umask) bars never sees it."""
    part = path.with_suffix(".part")
    if mode is None:
        part.write_bytes(content)
    else:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        part.chmod(mode)
    sync(part)
    part.replace(path)
    sync(path.parent)
