"""Which cases stay together and which come first, so that all workers end at about the same time (`--dist loadgroup`).

A file's cases stay together: they share fixtures, and what one measures is not measured beside its own kind. A case that takes long
and shares none stands alone: `@pytest.mark.takes(40)`, in seconds on a quiet machine; a file whose cases share much is marked as one.
The longest come first, the quick ones end it. `make quick` leaves out what is so marked: a second and more.
"""

import os
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import settings

import edge  # noqa: F401 (before numpy: it says how many threads that has)
from tests import keras_nets as keras
from tests.paths import TESTS

# A busy machine is no defect: pytest-timeout ends what hangs. The same examples each time, so that what passed passes again;
# `make fuzz` seeks new ones.
settings.register_profile("undertone", deadline=None, derandomize=True)
settings.load_profile("undertone")
_LONGEST_NAME = 80
# Of a case that does not say: what one takes on average in tests/unit, tests/real and tests/slow.
_SECONDS = {"unit": 0.02, "real": 0.7, "slow": 1.5}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each file's cases as a group and order groups by what they take; a run in one process keeps its order."""
    if not getattr(config.option, "loadgroup", False):
        return
    groups, takes = {}, defaultdict[str, float](float)
    for item in items:
        mark = item.get_closest_marker("takes")
        alone = mark in item.own_markers
        place = item.path.relative_to(TESTS)
        groups[item] = item.nodeid if alone else str(place)
        takes[groups[item]] = mark.args[0] if mark else takes[groups[item]] + _SECONDS.get(place.parts[0], 1.0)
        if not alone:
            item.add_marker(pytest.mark.xdist_group(_name(place)))
    items.sort(key=lambda item: (-takes[groups[item]], groups[item]))


def pytest_make_parametrize_id(val: object) -> str | None:
    """A short name for a case of a long text: it goes into the environment of every process that the case starts, which has an end."""
    return f"{val[:40]!a}... of {len(val)}" if isinstance(val, str | bytes) and len(val) > _LONGEST_NAME else None


@pytest.fixture(scope="session")
def keras_nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the nets of tests.keras_nets; all workers share it."""
    base = tmp_path_factory.getbasetemp()
    return keras.made_in((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "keras-nets")


def _name(place: Path) -> str:
    return "/".join(place.with_suffix("").parts).replace("test_", "")
