"""A call over the network as a source: how it ends."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from edge.listen import call as connected_call
from edge.listen.call import ConnectedCall
from edge.listen.messages import End, Hello, Sound
from edge.listen.tally import Tally
from edge.values import ClosedBy, Role


def test_a_call_that_hangs_up_in_its_first_read_has_hung_up_and_is_let_go_of_once():
    closed = SimpleNamespace(
        session=SimpleNamespace(unsaid=ClosedBy.CONNECTION_LOST), peer="192.0.2.1", read=lambda: None, say_goodbye=lambda _: None
    )
    gone = []
    call = ConnectedCall(roles=(Role.CUSTOMER,), idle_s=30.0, stall_s=3.0, tally=Tally("pbx"), linger=gone.append)
    sound = Sound(pcm=np.ones((1600, 1), np.int16), rate=8000, channels=(0,))
    call.join(closed, [Hello(), sound, End(by=ClosedBy.HANG_UP)])
    assert sum(len(block.pcm) for block in call.blocks()) == 1600
    assert (call.closed_by, gone) == (ClosedBy.HANG_UP, [closed])


class Side:
    """A connection that brings nothing by itself; `said_goodbye` once it was let go of."""

    peer = "192.0.2.1"

    def __init__(self, *reads):
        self.session = SimpleNamespace(unsaid=ClosedBy.HANG_UP)
        self.said_goodbye = False
        self._reads = list(reads)

    def read(self):
        if not self._reads:
            return b""
        found = self._reads.pop(0)
        if isinstance(found, OSError):
            raise found
        return found

    def say_goodbye(self, _):
        self.said_goodbye = True

    def pass_time(self, _):
        pass

    def send(self):
        pass


def connected():
    return ConnectedCall(roles=(Role.CUSTOMER, Role.AGENT), idle_s=30.0, stall_s=3.0, tally=Tally("pbx"), linger=lambda _: None)


@pytest.mark.parametrize("end", [None, ConnectionResetError(), TimeoutError()], ids=["closed", "reset", "timed out"])
def test_a_direction_that_arrives_as_the_call_ends_is_let_go_of_or_refused_and_never_forgotten(end, monkeypatch):
    # 300 calls, each over after a look or two: the race is the same however long the call rests between them.
    monkeypatch.setattr(connected_call, "_TICK_S", 0.001)
    taken = 0
    for number in range(300):
        call, first, other = connected(), Side(end), Side(None)
        assert call.join(first, [Hello()])
        thread = threading.Thread(target=lambda call=call: list(call.blocks()))
        # Before, while and after the call finds out that its first direction is gone.
        if number % 3 == 0:
            joined = call.join(other, [Hello()])
            thread.start()
        else:
            thread.start()
            while number % 3 == 2 and not call.over:
                pass
            joined = call.join(other, [Hello()])
        thread.join(10)
        assert call.over
        assert first.said_goodbye
        assert other.said_goodbye == joined
        assert not call.holds(other)
        taken += joined
    assert 100 <= taken <= 200


def test_a_direction_that_arrives_while_the_last_one_hangs_up_is_let_go_of_and_held_no_more():
    call, last, other = connected(), Side(), Side()

    def hang_up():
        assert call.join(other, [Hello()])

    last.read = hang_up
    call.join(last, [Hello()])
    assert list(call.blocks()) == []
    assert (other.said_goodbye, call.holds(other)) == (True, False)


def test_a_direction_that_broke_is_held_no_more_while_the_call_goes_on():
    call, broken, other, again = connected(), Side(TimeoutError()), Side(*[b""] * 5, None), Side()
    for side in (broken, other):
        call.join(side, [Hello()])
    seen = []
    whole = call.blocks()
    thread = threading.Thread(target=lambda: list(whole))
    thread.start()
    while call.holds(broken):
        pass
    seen = [call.holds(other), call.join(again, [Hello()]), call.over]
    thread.join(10)
    assert seen == [True, True, False]
    assert (call.closed_by, again.said_goodbye) == (ClosedBy.HANG_UP, True)


@pytest.mark.parametrize("who", ["itself", "the other side", "the box"])
def test_what_a_network_held_back_until_the_end_is_heard(who):
    """It comes in one piece, 0.4 s late, as the call ends: whether it catches up or goes on there is not known yet."""
    call, other = connected(), Side()
    late = Sound(pcm=np.full((800, 1), 7, np.int16), rate=8000, channels=(0,))

    def receive(_data):
        if who == "the other side":
            other._reads.append(None)
        elif who == "the box":
            call.close()
        return [late, *([End(by=ClosedBy.HANG_UP)] if who == "itself" else [])]

    customer = Side(*[b""] * 13, b"late")
    customer.receive = receive
    begin = Sound(pcm=np.ones((800, 1), np.int16), rate=8000, channels=(0,))
    call.join(customer, [Hello(), begin])
    call.join(other, [Hello()])
    heard = np.concatenate([block.pcm[:, 0] for block in call.blocks()])
    assert (int((heard == 1).sum()), int((heard == 7).sum())) == (800, 800)
