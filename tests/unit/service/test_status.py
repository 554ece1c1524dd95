"""The status file: in memory where there is some, seldom on a disk, and never believed of a process that is gone."""

import os
from pathlib import Path

import msgspec
import pytest

from edge.clock import now
from edge.outbox import store
from edge.outbox.lock import in_use
from edge.service import status
from edge.wire.codes import BoxState
from edge.wire.device import State
from tests.telling import open_outbox
from tests.unit.wire.test_schema import EVERYTHING

HEALTH = next(event.data for event in EVERYTHING if event.data.kind == "device.health")


def says(how: BoxState = BoxState.ONLINE, **given) -> status.Status:
    state = State(state=how, boot=1, since=now(), reasons=[], lines={"line-1": "up"})
    return status.Status(state=state, problems=[], health=HEALTH, connected=True, bus_problem=None, **given)


@pytest.fixture
def state_dir(tmp_path):
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def memory(tmp_path, monkeypatch):
    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(status, "memory_folder", lambda _owner: tmp_path / "memory")
    return tmp_path / "memory"


@pytest.fixture
def no_memory(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(status, "memory_folder", lambda _owner: None)
    monkeypatch.setattr(status.time, "monotonic", lambda: clock[0])
    return clock


def test_it_lies_in_memory_is_found_through_the_state_directory_and_stays_there_when_the_service_stops(state_dir, memory):
    file = status.StatusFile(state_dir)
    file.write(says())
    path = state_dir / status.FILE
    assert path.readlink() == memory / status.FILE
    assert status.read(state_dir).status.state.state is BoxState.ONLINE
    before = path.lstat().st_mtime_ns
    file.write(says(BoxState.DEGRADED))
    assert path.lstat().st_mtime_ns == before, "the disk was written again"
    assert status.read(state_dir).status.state.state is BoxState.DEGRADED
    file.close(says(BoxState.STOPPED))
    assert not path.is_symlink()
    assert status.read(state_dir).status.state.state is BoxState.STOPPED
    assert not memory.exists()


def test_after_a_restart_the_link_points_to_where_the_file_is_now(state_dir, memory):
    (state_dir / status.FILE).symlink_to("/run/long-gone/status.json")
    with pytest.raises(FileNotFoundError):
        status.read(state_dir)
    status.StatusFile(state_dir).write(says())
    assert status.read(state_dir).status.connected
    assert (state_dir / status.FILE).resolve() == memory / status.FILE


def test_a_disk_is_written_once_a_minute_or_when_the_state_changes(state_dir, no_memory, monkeypatch):
    file = status.StatusFile(state_dir)
    steady, times = says(), []
    monkeypatch.setattr(status, "_put", lambda path, content, put=status._put: (times.append(no_memory[0]), put(path, content)))
    for _ in range(600):
        file.write(steady)
        no_memory[0] += 1
    assert times == [1000.0 + 60 * n for n in range(10)]
    file.write(says(BoxState.DEGRADED))
    assert status.read(state_dir).status.state.state is BoxState.DEGRADED
    assert status.read(state_dir).status.every_s == 60.0


def test_a_disk_that_takes_nothing_is_logged_and_tried_again(state_dir, memory, caplog):
    file = status.StatusFile(state_dir)
    memory.rmdir()
    file.write(says())
    assert "status.unwritten" in caplog.text
    memory.mkdir()
    file.write(says())
    assert status.read(state_dir).status.connected


def test_only_a_process_that_lives_and_goes_on_is_running(state_dir, memory):
    outbox = open_outbox(state_dir)
    file = status.StatusFile(state_dir)
    file.write(says())
    assert status.read(state_dir).running
    assert status.read_running(state_dir) is not None
    os.utime(memory / status.FILE, (1, 1))
    stuck = status.read(state_dir)
    assert (stuck.alive, stuck.running) == (True, False)
    file.write(says(BoxState.STOPPED))
    assert not status.read(state_dir).running
    file.write(says())
    outbox.close()
    gone = status.read(state_dir)
    assert (gone.alive, gone.running, gone.age_s < 5) == (False, False, True)
    assert status.read_running(state_dir) is None


def test_one_that_asks_keeps_no_service_from_starting(state_dir):
    for _ in range(3):
        outbox = open_outbox(state_dir)
        assert in_use(state_dir / store.FILE)
        outbox.close()
        assert not in_use(state_dir / store.FILE)
    assert not in_use(Path("/nonexistent/outbox.sqlite"))


def test_it_can_be_erased_wherever_it_lies(state_dir, memory):
    file = status.StatusFile(state_dir)
    file.write(says())
    assert status.remove(state_dir) == [memory / status.FILE, state_dir / status.FILE]
    assert status.remove(state_dir) == []
    (state_dir / status.FILE).write_bytes(msgspec.json.encode(says()))
    assert status.remove(state_dir) == [state_dir / status.FILE]
