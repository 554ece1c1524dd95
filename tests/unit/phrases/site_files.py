"""A site's own file of entries or causes, and how one that is wrong is refused."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edge.errors import ConfigError


def site(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(load: Callable[[Path], object], path: Path, names: Sequence[str]) -> None:
    """`load` refuses `path` in one line that has its name and all of `names`."""
    with pytest.raises(ConfigError) as caught:
        load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    for name in names:
        assert name in message
