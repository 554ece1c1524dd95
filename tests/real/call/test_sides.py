"""Channels that are swapped are told, by tones and by who says what agents say."""

import numpy as np
import pytest

from edge.call.channel_swap import ChannelSwapDetector
from edge.call.line import Line
from edge.config import Config, LineConfig, SourceConfig
from edge.errors import Problem
from edge.models.loading import load_engines
from edge.segment.synthetic import dialogue
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, ClosedBy, Frame, Mode, Role
from edge.wire.events import UtteranceHeard

TWO = (Role.CUSTOMER, Role.AGENT)


def after(*calls: list[tuple], roles=TWO) -> Problem | None:
    sides = ChannelSwapDetector(roles)
    for clues in calls:
        for kind, *clue in clues:
            sides.tone(*clue) if kind == "tone" else sides.said(*clue)
        sides.call_over()
    return sides.swapped


RINGING_AT_AGENT, RINGING_AT_CUSTOMER = ("tone", 1, "ringback"), ("tone", 0, "ringback")
AGENTS_WORDS = "thank you for calling acme how can i help you"
CUSTOMER_AS_AGENT, AGENT_AS_AGENT = ("said", Role.CUSTOMER, AGENTS_WORDS), ("said", Role.AGENT, AGENTS_WORDS)


@pytest.mark.parametrize("clue", [RINGING_AT_AGENT, CUSTOMER_AS_AGENT, ("tone", 1, "busy")])
def test_two_calls_in_a_row_that_say_so_are_told(clue):
    assert after([clue]) is None
    assert after([clue], [clue]).remedy == "turn `channels` round"
    assert after([clue], [], [clue]) == after([clue], [clue])


@pytest.mark.parametrize(
    "calls",
    [
        [[RINGING_AT_CUSTOMER]] * 3,
        [[AGENT_AS_AGENT]] * 3,
        [[RINGING_AT_AGENT], [RINGING_AT_CUSTOMER], [RINGING_AT_AGENT]],
        # Both sides hear it, or the clues contradict each other: nothing is known.
        [[RINGING_AT_AGENT, RINGING_AT_CUSTOMER]] * 3,
        [[RINGING_AT_AGENT, AGENT_AS_AGENT]] * 3,
        [[("tone", 1, "dtmf"), ("tone", 1, "music")]] * 3,
        [[("said", Role.CUSTOMER, "i am calling because my bill is wrong")]] * 3,
    ],
)
def test_a_right_line_and_a_doubtful_one_are_not_blamed(calls):
    assert after(*calls) is None


def test_what_was_told_is_taken_back_when_a_call_says_otherwise():
    assert after([RINGING_AT_AGENT], [RINGING_AT_AGENT], [RINGING_AT_CUSTOMER]) is None


def test_a_line_with_one_side_cannot_be_swapped():
    assert after([CUSTOMER_AS_AGENT], [CUSTOMER_AS_AGENT], roles=(Role.MIXED,)) is None


@pytest.mark.parametrize(("agents_channel", "swapped"), [(1, False), (0, True)])
def test_a_line_that_hears_the_network_on_the_agents_channel_says_so(agents_channel, swapped):
    """Real frames through the real way of a call: speech on both sides, then the network plays busy (told once within 12 s)."""
    from edge.segment.synthetic import dialogue

    config = Config(mode=Mode.VOICE)
    roles = TWO if agents_channel == 1 else TWO[::-1]
    engines = load_engines(config)
    ears = Line(line=LineConfig(name="l", source=SourceConfig(device="none"), channels=roles), serving=lambda: (engines, config))
    time_s = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    busy = 3000 * (np.sin(2 * np.pi * 480 * time_s) + np.sin(2 * np.pi * 620 * time_s)) * (time_s % 1 < 0.5)
    # The network is on the channel where the customer really is: 0. `roles` say where the box takes the customer to be.
    call = np.concatenate([dialogue(14, 2), np.stack([busy, np.random.default_rng(1).normal(0, 12, len(busy))])], axis=1).astype(np.int16)
    for number in range(2):
        for start in range(0, call.shape[1] - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            pcm = np.ascontiguousarray(call[:, start : start + FRAME_SAMPLES])
            list(ears.process_frame(Frame(start=number * call.shape[1] + start, pcm=pcm)))
        list(ears.end(ClosedBy.COMMAND))
    assert bool(ears.swapped) == swapped


def test_one_sound_on_both_channels_is_heard_as_mixed_and_told():
    """After three seconds of it; before that it is nobody's customer either."""
    line = LineConfig(name="line-1", source=SourceConfig(file="x"), channels=TWO)
    config = Config(mode=Mode.VOICE)
    engines = load_engines(config)
    call_line = Line(line=line, serving=lambda: (engines, config))
    sound = dialogue(16, 1)[0]
    events = []
    for start in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        piece = sound[start : start + FRAME_SAMPLES]
        events += call_line.process_frame(Frame(start=start, pcm=np.stack([piece, piece])))
    assert call_line.same_sound
    heard = [event.data for event in (*events, *call_line.end(ClosedBy.STOP)) if isinstance(event.data, UtteranceHeard)]
    assert [one.role for one in heard if one.voice is not None] == []
    mixed = [one for one in heard if one.role == "mixed"]
    assert mixed
    assert {one.voice_reason for one in mixed} == {"mixed_channel"}
