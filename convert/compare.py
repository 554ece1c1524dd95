"""Two bundles side by side, figure by figure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edge.bundle.archive import unpack_aside
from edge.bundle.manifest import Bundle, Manifest, load
from edge.bundle.signature import Trust, shipped_trust

# More numbers than this are no figure that a person compares.
_FEW = 8


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """The bundle at `path` (.tar or folder), whoever signed it; its files are there inside the `with`. Raises ModelError, StoreError."""
    anybody = Trust(keys=shipped_trust().keys, allow_unsigned=True)
    if path.is_dir():
        yield load(path, trust=anybody)
        return
    with unpack_aside(path) as folder:
        yield load(folder, trust=anybody)


def flat(value: object, key: str = "") -> dict[str, object]:
    """Nested tables as dotted keys, in order: {"a": {"b": 1}} -> {"a.b": 1}."""
    if isinstance(value, dict) and value:
        return {path: leaf for name, inner in value.items() for path, leaf in flat(inner, f"{key}.{name}" if key else str(name)).items()}
    return {key: value}


def changes(old: Manifest, new: Manifest) -> list[tuple[str, str, str, str]]:
    """What differs: key, old, new, and for numbers the difference. Hashes are cut to what an eye compares."""
    before, after = flat(msgspec.to_builtins(old)), flat(msgspec.to_builtins(new))
    rows = []
    for key in dict.fromkeys([*before, *after]):
        a, b = before.get(key), after.get(key)
        if a != b:
            rows.append((key, _short(key, a), _short(key, b), _difference(a, b)))
    return rows


def _short(key: str, value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list) and len(value) > _FEW:
        return f"{len(value)} values"
    return str(value)[:12] if key.startswith("files.") else str(value)


def _difference(a: object, b: object) -> str:
    numbers = (int, float)
    if isinstance(a, numbers) and isinstance(b, numbers) and not isinstance(a, bool) and not isinstance(b, bool):
        return f"{b - a:+.4g}"
    return ""
