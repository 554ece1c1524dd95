"""Late, early, in bursts, or not at all: where the sound of a call ends up on its clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.listen.messages import Sound
from edge.listen.stream import Stream
from edge.listen.timeline import Timeline
from edge.values import Role

RATE, PACKET = 8000, 160
BOTH = (Role.CUSTOMER, Role.AGENT)


class Call:
    """A call whose packets arrive when a test says; `told` is what came out: a value a sample and channel, None where lost."""

    def __init__(self, *roles: Role, streams: int = 1) -> None:
        self.timeline = Timeline(roles, RATE, 0.0)
        self.streams = [Stream(self.timeline) for _ in range(streams)]
        self.told: list[tuple[int, ...] | None] = []
        self.width = len(roles)

    def hear(
        self, moment: float, value: int, *, stream: int = 0, channels: tuple[int, ...] = (0,), packets: int = 1, **more: object
    ) -> None:
        pcm = np.full((packets * PACKET, len(channels)), value, np.int16)
        self.streams[stream].heard(Sound(pcm=pcm, rate=RATE, channels=channels, **more), moment)

    def look(self, moment: float) -> None:
        for stream in self.streams:
            stream.settle(moment)
        ends = [end for stream in self.streams if (end := stream.together) is not None]
        for block in self.timeline.due(moment, min(ends, default=None)):
            self._take(block)

    def over(self) -> None:
        for block in self.timeline.rest():
            self._take(block)

    def _take(self, block) -> None:
        self.told += [None] * block.lost
        self.told += zip(*block.pcm.T.tolist(), strict=True)

    def packets(self) -> list[object]:
        """The told, a value for each 20 ms; "?" where a packet is of several."""
        cut = [self.told[at : at + PACKET] for at in range(0, len(self.told), PACKET)]
        return [one[0] if len(set(one)) == 1 else "?" for one in cut]


@pytest.mark.takes(1)
@given(st.lists(st.floats(0, 0.15), min_size=50, max_size=50))
def test_jitter_moves_nothing_and_loses_nothing(delays):
    call, arrivals = Call(Role.CUSTOMER), []
    for number, delay in enumerate(delays):
        arrivals.append(max((number + 1) * 0.02 + delay, arrivals[-1] if arrivals else 0.0))
    for number, arrival in enumerate(arrivals):
        call.hear(arrival, number + 1)
        call.look(arrival)
    call.over()
    # The call may begin as much later as its first packet was delayed.
    while call.told and call.told[0] is None:
        call.told.pop(0)
    assert call.packets() == [(number + 1,) for number in range(50)]


def test_sound_is_told_as_soon_as_it_comes():
    call = Call(Role.CUSTOMER)
    call.hear(0.02, 7)
    call.look(0.02)
    assert call.packets() == [(7,)]


def test_a_network_that_held_sound_back_for_less_than_a_second_loses_nothing():
    call = Call(Role.CUSTOMER)
    for number in range(50):
        arrival = (number + 1) * 0.02 if not 10 <= number < 40 else 0.82
        call.hear(arrival, number + 1)
        call.look(arrival)
    assert call.packets() == [(number + 1,) for number in range(50)]


def test_of_what_comes_three_seconds_late_in_a_burst_only_the_last_has_its_place():
    call = Call(Role.CUSTOMER)
    for tick in range(1, 251):
        moment = tick * 0.02
        if tick <= 10 or tick > 160:
            call.hear(moment, tick)
        if tick == 160:
            for number in range(11, 161):
                call.hear(moment, number)
        call.look(moment)
    told = call.packets()
    # Everything that is told stands in its own place: 20 ms number n at (n - 1) * 20 ms.
    assert all(one in ((number + 1,), None) for number, one in enumerate(told))
    assert told[:10] == [(number + 1,) for number in range(10)]
    assert told[10:108] == [None] * 98
    assert told[112:250] == [(number + 1,) for number in range(112, 250)]


def test_a_pause_without_packets_is_a_hole_of_its_own_length():
    """Silence suppression: nothing is sent, and what comes then comes at the speed of speech."""
    call = Call(Role.CUSTOMER)
    for tick in range(1, 201):
        if not 50 < tick <= 125:
            call.hear(tick * 0.02, tick)
        call.look(tick * 0.02)
    told = call.packets()
    assert told[:50] == [(number + 1,) for number in range(50)]
    assert told[50:125] == [None] * 75
    assert told[-60:] == [(number + 1,) for number in range(140, 200)]
    assert len(told) == 200


def test_nothing_at_all_lets_the_clock_go_on_a_second_behind():
    call = Call(Role.CUSTOMER)
    call.hear(0.02, 1)
    for tick in range(1, 500):
        call.look(tick * 0.02)
    assert len(call.told) == pytest.approx(RATE * (499 * 0.02 - 1), abs=PACKET)
    assert call.told[PACKET:] == [None] * (len(call.told) - PACKET)


def test_one_side_waits_for_the_other_for_a_fifth_of_a_second_and_no_longer():
    call = Call(*BOTH, streams=2)
    call.hear(0.02, 1)
    call.hear(0.02, 2, stream=1, channels=(1,))
    call.look(0.02)
    assert call.packets() == [(1, 2)]
    for tick in range(2, 60):
        call.hear(tick * 0.02, 1)
        call.look(tick * 0.02)
        assert len(call.told) >= (tick * 0.02 - 0.2) * RATE - PACKET
    assert call.packets()[1:] == [(1, 0)] * (len(call.packets()) - 1)


def test_a_side_that_comes_back_stands_beside_what_the_other_says_then():
    call = Call(*BOTH, streams=2)
    for tick in range(1, 201):
        call.hear(tick * 0.02, tick)
        if not 50 < tick <= 100:
            call.hear(tick * 0.02, tick, stream=1, channels=(1,))
        call.look(tick * 0.02)
    told = call.packets()
    assert [one[0] for one in told] == list(range(1, len(told) + 1))
    assert told[60:95] == [(number + 1, 0) for number in range(60, 95)]
    assert told[120:180] == [(number + 1, number + 1) for number in range(120, 180)]


def timed(call: Call, moment: float, number: int, *, track: int = 0, lost: bool = False) -> None:
    call.hear(moment, number + 1, channels=(track,), at=number * PACKET, lost=lost)


def test_packets_out_of_order_stand_in_order_and_twice_is_once():
    call = Call(Role.CUSTOMER, Role.AGENT)
    for number in (0, 1, 3, 2, 2, 4):
        timed(call, 0.02, number, lost=number == 3)
    for number in range(5):
        timed(call, 0.02, number, track=1)
    call.look(0.02)
    assert call.packets() == [(number + 1, number + 1) for number in range(5)]


@pytest.mark.parametrize(("track", "told"), [(0, None), (1, (3, 0))])
def test_what_the_count_says_is_missing_is_lost_of_the_customer_and_silence_of_the_agent(track, told):
    call = Call(*BOTH)
    for number in range(6):
        for side in (0, 1):
            if (number, side) != (2, track):
                timed(call, 0.02 * (number + 1), number, track=side, lost=(number, side) == (3, track))
        call.look(0.02 * (number + 1))
    call.over()
    assert call.packets() == [(1, 1), (2, 2), told, (4, 4), (5, 5), (6, 6)]


@pytest.mark.parametrize("jump", [10**9, 7 * 86_400 * RATE, -(10**9)])
def test_times_that_are_none_lose_at_most_their_own_packets_and_no_memory(jump):
    call = Call(Role.CUSTOMER)
    for number in range(300):
        at = number * PACKET + (jump if number % 50 == 49 else 0)
        call.hear((number + 1) * 0.02, number + 1, at=at)
        call.look((number + 1) * 0.02)
    call.over()
    assert 300 - 3 <= len(call.packets()) <= 300 + 25
    assert len({one for one in call.told if one is not None}) > 250


def test_who_is_faster_than_speech_is_told_to_wait():
    call = Call(Role.CUSTOMER)
    assert not call.streams[0].early(0.0)
    call.hear(0.02, 1, packets=100)
    assert call.streams[0].early(0.5)
    assert not call.streams[0].early(1.1)


@pytest.mark.takes(1)
@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 5), st.integers(0, 1), st.integers(0, 400)), max_size=15))
def test_whatever_comes_the_clock_never_goes_back_and_holds_bounded_sound(steps):
    call, moment = Call(*BOTH, streams=2), 0.0
    for kind, pause, stream, packets in steps:
        moment += pause / 10
        if kind:
            call.hear(moment, kind, stream=stream, channels=(stream,), packets=packets % 100 + 1)
        before = len(call.told)
        call.look(moment)
        assert len(call.told) >= before
        assert call.timeline.told == len(call.told)
    call.over()
    assert len(call.told) <= (moment + 8) * RATE + 60 * 200 * PACKET
