"""What lines are used to, as a file: small, without personal data, and refused unless it is whole and of this voice model.

    {"format": 1, "lines": {"line-1": {...}}, "sha256": of the lines' canonical JSON}

`undertone baseline learn` writes one with its line under ANY_LINE, which stands for every line that is not named.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from edge.errors import Key, StoreError
from edge.files.durable import replace_whole
from edge.voice.baseline import LineBaseline

# In a box's state directory.
FILE = "baseline.json"
ANY_LINE = "*"
# Ours have some hundred bytes a line.
_LARGEST = 1_000_000
_REMEDY = "remove it, or learn it again (undertone baseline learn)"


class _Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal[1] = 1
    lines: dict[str, LineBaseline]
    sha256: str


def read(path: Path, *, model: str) -> dict[str, LineBaseline]:
    """What each line is used to, by name; `model` is the voice model (name and version) that judges.

    Raises StoreError naming the file, what is wrong with it and the remedy; FileNotFoundError where there is none.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise StoreError(f"larger than any baseline ({_LARGEST:,} bytes)", path=path, remedy=_REMEDY)
        content = msgspec.json.decode(path.read_bytes(), type=_Content)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"cannot be read: {error.strerror}", path=path, remedy="check who owns it") from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"not a whole baseline file: {error}", path=path, remedy=_REMEDY) from error
    if content.sha256 != _checksum(content.lines):
        raise StoreError("changed by hand or damaged: its checksum does not fit", path=path, remedy=_REMEDY)
    for name, line in content.lines.items():
        if line.model != model:
            what = f"learnt with {line.model}, and {model} judges"
            raise StoreError(what, path=path, where=Key(f"lines.{name}.model"), remedy=_REMEDY)
    return content.lines


def write(path: Path, lines: Mapping[str, LineBaseline]) -> None:
    """Write the file in one step that survives a power cut. Raises OSError."""
    content = _Content(lines=dict(lines), sha256=_checksum(lines))
    replace_whole(path, msgspec.json.format(msgspec.json.encode(content, order="deterministic"), indent=2) + b"\n")


def _checksum(lines: Mapping[str, LineBaseline]) -> str:
    return hashlib.sha256(msgspec.json.encode(dict(lines), order="deterministic")).hexdigest()
