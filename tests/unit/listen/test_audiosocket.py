"""AudioSocket, byte by byte."""

import struct
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.listen.audiosocket import AudioSocketSession
from edge.listen.messages import End, Hello, ProtocolError, Refusal, Sound
from edge.values import ClosedBy

ID = "6b4162b2-17ca-4893-84f8-5bde2f6a33fe"
HELLO = struct.pack(">BH", 0x01, 16) + uuid.UUID(ID).bytes


def frame(kind: int, payload: bytes = b"") -> bytes:
    return struct.pack(">BH", kind, len(payload)) + payload


def heard(*pieces: bytes) -> tuple[list[Hello | End], np.ndarray]:
    """What is no sound, and the sound as a whole."""
    session = AudioSocketSession()
    messages = [message for piece in pieces for message in session.receive(piece)]
    sounds = [message.pcm[:, 0] for message in messages if isinstance(message, Sound)]
    return [one for one in messages if not isinstance(one, Sound)], np.concatenate([np.zeros(0, np.int16), *sounds])


@given(st.lists(st.integers(1, 400), max_size=30), st.lists(st.binary(max_size=700), max_size=5))
def test_the_same_sound_however_it_is_cut_and_framed(cuts, sounds):
    stream = HELLO + b"".join(frame(0x10, sound) + frame(0x03, b"5") + frame(0x7E, sound) for sound in sounds) + frame(0x00)
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(stream[at : at + cut])
        at += cut
    others, pcm = heard(*pieces, stream[at:])
    whole = b"".join(sounds)
    assert pcm.astype("<i2").tobytes() == whole[: len(whole) // 2 * 2]
    assert [type(one) for one in others] == [Hello, End]
    assert others[0].media == ID
    assert others[1].by is ClosedBy.HANG_UP


@pytest.mark.parametrize(
    "first", [frame(0x10, b"\0" * 320), frame(0x00), frame(0x01, b"\0" * 15), frame(0x01, b"\0" * 65_535), b"GET / HTTP"]
)
def test_whoever_does_not_begin_with_a_uuid_is_no_call(first):
    with pytest.raises(ProtocolError) as refused:
        heard(first)
    assert refused.value.refusal is Refusal.NOT_UNDERSTOOD


def test_a_length_that_cannot_be_a_uuids_is_refused_before_it_is_waited_for():
    with pytest.raises(ProtocolError):
        heard(struct.pack(">BH", 0x01, 65_535))


@pytest.mark.parametrize("kind", [0x11, 0x13, 0x18])
def test_a_rate_that_no_phone_has_is_refused(kind):
    with pytest.raises(ProtocolError) as refused:
        heard(HELLO + frame(kind, b"\0" * 480))
    assert refused.value.refusal is Refusal.RATE


def test_the_rate_cannot_change_within_a_call():
    with pytest.raises(ProtocolError) as refused:
        heard(HELLO + frame(0x10, b"\0" * 320) + frame(0x12, b"\0" * 640))
    assert refused.value.refusal is Refusal.RATE


def test_an_error_of_asterisks_ends_the_call_as_one():
    others, _ = heard(HELLO + frame(0xFF, b"\x04"))
    assert others[-1] == End(by=ClosedBy.PROTOCOL_ERROR)


def test_silence_goes_back_for_as_long_as_time_passes():
    session = AudioSocketSession()
    for _ in range(10):
        session.pass_time(330)
    sent = session.outgoing()
    assert sent == frame(0x10, b"\0" * 320) * 20
    assert session.outgoing() == b""


def test_a_refusal_is_a_hang_up():
    session = AudioSocketSession()
    session.refuse(Refusal.FULL)
    assert session.outgoing() == frame(0x00)
