"""The framed pipe from the capture child: what goes in comes out, and nothing that comes out of a broken child hurts."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.capture.framing import Flag
from edge.capture.packets import Packet, Parser, RawDecoder, WireError, pack

HEADER_BYTES = struct.calcsize("<4sHHIIQQI")

packets = st.builds(
    lambda samples, channels, rate, lost, ended_ns, flags, seed: Packet(
        pcm=np.random.default_rng(seed).integers(-32768, 32768, (samples, channels), dtype=np.int16),
        rate=rate, lost=lost, ended_ns=ended_ns, flags=Flag(flags),
    ),
    st.integers(0, 2000), st.integers(1, 8), st.integers(8000, 192_000),
    st.integers(0, 10**9), st.integers(0, 2**63), st.integers(0, 3), st.integers(0, 99),
)  # fmt: skip


def facts(packet):
    return packet.pcm.tolist(), packet.pcm.shape, packet.rate, packet.lost, packet.ended_ns, packet.flags


@pytest.mark.takes(1)
@settings(deadline=None)
@given(sent=st.lists(packets, max_size=4), cuts=st.lists(st.integers(1, 5000), min_size=1, max_size=30))
def test_packets_come_through_whole_however_the_pipe_cuts_them(sent, cuts):
    stream, parser, got = b"".join(pack(packet) for packet in sent), Parser(), []
    at = number = 0
    while at < len(stream):
        step = cuts[number % len(cuts)]
        got += parser.feed(stream[at : at + step])
        at, number = at + step, number + 1
    assert [facts(packet) for packet in got] == [facts(packet) for packet in sent]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=8))
def test_arbitrary_bytes_raise_or_wait_and_never_come_out_as_sound(pieces):
    parser = Parser()
    with contextlib.suppress(WireError):
        assert [packet for piece in pieces for packet in parser.feed(piece)] == []


@pytest.mark.takes(1)
@settings(max_examples=500, deadline=None)
@given(packet=packets, where=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_one_flipped_bit_never_comes_out_as_sound(packet, where, bit):
    wire = bytearray(pack(packet))
    wire[where % len(wire)] ^= 1 << bit
    with contextlib.suppress(WireError):
        # A longer length waits for more: nothing comes out, and the source's stall finds it.
        assert list(Parser().feed(bytes(wire))) == []


@pytest.mark.parametrize("size", [2**31, 2**32 - 1, 400_001])
def test_an_impossible_length_is_refused_before_anything_is_kept(size):
    head = struct.pack("<4sHHIIQQI", b"UTN1", 0, 1, 8000, size, 0, 0, 0)
    with pytest.raises(WireError):
        list(Parser().feed(head))


def test_text_on_the_pipe_is_refused_at_its_first_byte():
    with pytest.raises(WireError, match="not sound"):
        list(Parser().feed(b"A"))


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 37), max_size=30), channels=st.integers(1, 2))
def test_raw_sound_keeps_its_samples_and_channels_together_however_it_is_cut(cuts, channels):
    pcm = np.arange(600, dtype=np.int16).reshape(-1, channels)
    stream, decoder, got = pcm.tobytes(), RawDecoder(channels, 8000), []
    at = 0
    for cut in [*cuts, len(stream)]:
        got += decoder.feed(stream[at : at + cut])
        at += cut
    assert np.array_equal(np.concatenate([packet.pcm for packet in got]), pcm)
    assert {packet.rate for packet in got} == {8000}
