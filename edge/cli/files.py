"""Files that a command line names, looked at while it is read: before minutes of work, and with one exit code in every command.

A file that is not there, may not be read or could not be written is wrong use (2); one that is there and holds the wrong thing is
work that failed (1). Each function can be a `type` of argparse. What `--config` names is its loader's affair, and a batch's recordings
are looked at one by one (edge.capture.recording), so that the others go on.
"""

import os
from pathlib import Path

from edge.errors import InputError, UsageError
from edge.files.durable import is_folder, unreadable

_REMEDY = "check the path, and that this user may read it"


def input_file(text: str) -> Path:
    """A file (or a pipe) to read. Raises InputError."""
    if fault := unreadable(Path(text)):
        raise InputError(fault, path=Path(text), remedy=_REMEDY)
    return Path(text)


def input_bundle(text: str) -> Path:
    """A model bundle: its .tar, or its folder. Raises InputError."""
    return Path(text) if is_folder(Path(text)) else input_file(text)


def output_file(text: str | Path) -> Path:
    """A file that can be written when the work is done. Raises UsageError."""
    path = Path(text)
    try:
        if path.is_dir():
            raise UsageError("is a folder", path=path, remedy="give a file in it")
        if path.exists():
            _check_writable(path)
        elif not path.parent.is_dir():
            what = "is a file, no folder" if path.parent.exists() else "no such folder"
            raise UsageError(what, path=path.parent, remedy=f"give another place than {path}, or make it")
        else:
            _check_writable(path.parent)
    except OSError as error:
        raise _refused(path, error.strerror) from error
    return path


def output_folder(text: str | Path) -> Path:
    """A folder that can be filled: it, or the nearest above it that is there, can be written in. Raises UsageError."""
    path = Path(text).absolute()
    try:
        there = next(place for place in (path, *path.parents) if place.exists())
        if not there.is_dir():
            raise UsageError("is a file", path=there, remedy="give a folder")
        _check_writable(there)
    except OSError as error:
        raise _refused(path, error.strerror) from error
    return Path(text)


def file_in_new_folder(path: Path) -> Path:
    """A file whose folder is made with it. Raises UsageError."""
    output_folder(path.parent)
    return output_file(path) if path.parent.is_dir() else path


def _check_writable(path: Path) -> None:
    # As opening it would: by the user that this runs as now, and by whether the disk takes anything.
    if not os.access(path, os.W_OK, effective_ids=True):
        raise _refused(path, None)


def _refused(path: Path, why: str | None) -> UsageError:
    return UsageError(why or "cannot be written", path=path, remedy="give a place of your own, or run this as its owner")
