"""Where a folder in memory is sought, and that nobody else's is taken."""

import os
from pathlib import Path

import pytest

from edge.files import memory

MOUNTS = """\
/dev/root / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
tmpfs /with\\040space tmpfs rw 0 0
/dev/sda /run/disk ext4 rw 0 0
"""


@pytest.fixture
def mounts(tmp_path, monkeypatch):
    """The system's list of mounts, with `text` put behind it."""
    file = tmp_path / "mounts"

    def are(text: str) -> None:
        file.write_text(text)

    monkeypatch.setattr(memory, "_MOUNTS", file)
    are(MOUNTS)
    return are


@pytest.mark.parametrize(
    ("place", "so"),
    [("/run/undertone", True), ("/run/disk/undertone", False), ("/with space/x", True), ("/var/lib/undertone", False), ("/running", False)],
)
def test_the_mount_below_a_place_says_whether_it_is_in_memory(mounts, place, so):
    assert memory.in_memory(Path(place)) is so


def test_what_is_mounted_over_counts(mounts):
    mounts(MOUNTS + "/dev/sdb /run ext4 rw 0 0\n")
    assert not memory.in_memory(Path("/run/undertone"))


def test_a_system_that_does_not_say_has_no_memory_for_us(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_MOUNTS", tmp_path / "none")
    assert memory.memory_folder(tmp_path) is None


def test_systemds_folder_comes_first_then_the_sessions_and_two_boxes_have_two(tmp_path, mounts, monkeypatch):
    mounts(f"/dev/root / ext4 rw 0 0\ntmpfs {tmp_path} tmpfs rw 0 0\n")
    unit, session = tmp_path / "unit", tmp_path / "session"
    session.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{unit}:{tmp_path}/second")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    assert memory.memory_folder(tmp_path / "a") == unit
    monkeypatch.delenv("RUNTIME_DIRECTORY")
    first, again, second = (memory.memory_folder(tmp_path / name) for name in ("a", "a", "b"))
    assert first == again != second
    assert {first.parent, second.parent} == {session}
    assert first.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_or_a_file_in_its_place_is_not_taken(tmp_path, mounts, monkeypatch):
    mounts(f"/dev/root / ext4 rw 0 0\ntmpfs {tmp_path} tmpfs rw 0 0\n")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "unit"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    (tmp_path / "unit").write_text("in the way")
    assert memory.memory_folder(tmp_path) is None
    (tmp_path / "unit").unlink()
    (tmp_path / "unit").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert memory.memory_folder(tmp_path) is None
