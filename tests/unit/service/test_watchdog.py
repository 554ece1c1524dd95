"""systemd hears that we are ready, that there is progress, and that we stop; and nothing else."""

import os
import socket

import pytest

from edge.service.watchdog import Notifier


@pytest.fixture
def manager(tmp_path):
    """systemd's end of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.settimeout(0)
        yield end


def told(end: socket.socket) -> list[str]:
    messages = []
    while True:
        try:
            messages.append(end.recv(4096).decode())
        except BlockingIOError:
            return messages


def environment(end: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": end.getsockname(), **more}


def test_ready_and_stopping_are_told_once_each_in_order(manager):
    notifier = Notifier(environment(manager))
    notifier.ready()
    notifier.stopping()
    assert told(manager) == ["READY=1", "STOPPING=1"]


def test_many_beats_become_one_for_each_half_of_the_allowed_time(manager):
    notifier = Notifier(environment(manager, WATCHDOG_USEC="60000000", WATCHDOG_PID=str(os.getpid())))
    for _ in range(100):
        notifier.beat()
    assert told(manager) == ["WATCHDOG=1"]


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}])
def test_no_beat_where_no_watchdog_waits_for_this_process(manager, more):
    Notifier(environment(manager, **more)).beat()
    assert told(manager) == []


def test_an_abstract_socket_is_reached():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        name = f"undertone-test-{os.getpid()}"
        end.bind(f"\0{name}")
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert end.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens():
    notifier = Notifier({})
    notifier.ready()
    notifier.beat()
    notifier.stopping()


def test_a_manager_that_went_away_stops_nobody(tmp_path, caplog):
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    assert "watchdog.unsent message=READY" in caplog.text
