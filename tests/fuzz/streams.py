"""Inputs that come as streams and messages: recordings, the framed pipe of the capture child, commands."""

import json
import random
import struct
import zlib
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from edge.capture import wavfile
from edge.capture.framing import Flag
from edge.capture.packets import Packet, Parser, RawDecoder, pack
from edge.capture.recording import Piped
from edge.signal.resample import frames
from edge.values import Block
from edge.wire.arrivals import decode
from edge.wire.commands import Refused, parse
from tests.fuzz.mutate import damaged, document, nested


def recordings(folder: Path) -> tuple[bytes, ...]:
    import soundfile

    sound = np.rint(9000 * np.sin(np.arange(800) / 5)).astype(np.int16)
    stereo = np.stack([sound, -sound], axis=1)
    made = []
    for number, (form, subtype, rate, pcm) in enumerate(
        [("WAV", "PCM_16", 8000, stereo), ("WAV", "PCM_24", 44_100, stereo), ("WAV", "FLOAT", 16_000, sound),
         ("WAVEX", "ULAW", 8000, sound), ("FLAC", "PCM_16", 16_000, stereo), ("OGG", "OPUS", 48_000, stereo),
         ("AIFF", "PCM_16", 8000, sound), ("W64", "PCM_16", 8000, sound)]
    ):  # fmt: skip
        path = folder / f"seed-{number}.wav"
        soundfile.write(path, pcm, rate, format=form, subtype=subtype)
        made.append(path.read_bytes())
    wav, _, _, _, flac, ogg, aiff, _ = made
    # Streams behind one another, and sizes that nobody filled in (sox, ffmpeg, a recorder that was killed).
    sizes = [wav[:40] + struct.pack("<I", size) + wav[44:] for size in (0, 7, 0x7FFF_F000, 0xFFFF_FFFF)]
    # Rates of no recorder and channels that nobody has: a second of sound becomes hours, or nobody's.
    rates = [wav[:24] + struct.pack("<I", rate) + wav[28:] for rate in (0, 1, 0xFFFF_FFFF)]
    channels = [wav[:22] + struct.pack("<H", count) + wav[24:] for count in (0, 4, 0xFFFF)]
    return (*made, ogg + ogg, flac + flac + flac, wav + wav, aiff + wav, *sizes, *rates, *channels)


def wav(folder: Path, data: bytes) -> None:
    path = folder / "fuzzed.wav"
    path.write_bytes(data)
    # A header may promise hours: a minute of it shows whether it is read as it comes.
    for source in (path, Piped(name="pipe", data=data)):
        for _ in islice(frames(wavfile.blocks(source, chunk_ms=len(data) % 40 + 1)), 3000):
            pass


def stream(chance: random.Random) -> bytes:
    """Packets as no child of ours would send them but with the right checksum, or damaged ones."""
    made = b"".join(_packet(chance) for _ in range(chance.randrange(1, 4)))
    return made if chance.random() < 0.5 else damaged((made,), chance)


def _packet(chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        pcm = np.frombuffer(chance.randbytes(320), "<i2").reshape(-1, chance.choice((1, 2)))
        flags = Flag(chance.choice((0, 1, 2, 3)))
        return pack(Packet(pcm=pcm, rate=chance.choice((8000, 16_000, 44_100)), lost=0, ended_ns=chance.getrandbits(60), flags=flags))
    channels, samples = chance.choice((0, 1, 2, 3, 64, 65, 65_535)), chance.choice((0, 1, 160, 2**32 - 1))
    rate, lost = chance.choice((0, 999, 1000, 8000, 768_000, 2**32 - 1)), chance.choice((0, 1, 80, 2**20, 2**63))
    sound = chance.randbytes(min(channels * samples * 2, 2000))
    head = (b"UTN1", chance.choice((0, 1, 2, 3, 4, 65_535)), channels, rate, samples, lost, chance.getrandbits(64))
    layout = struct.Struct("<4sHHIIQQI")
    return layout.pack(*head, zlib.crc32(sound, zlib.crc32(layout.pack(*head, 0)))) + sound


def pipe(data: bytes) -> None:
    for decoder in (RawDecoder(len(data) % 2 + 1, 8000), Parser()):
        packets = [packet for at in range(0, len(data), 97) for packet in decoder.feed(data[at : at + 97])]
        of_one_shape = [packet for packet in packets if packet.pcm.shape[1] == packets[0].pcm.shape[1]]
        # Some seconds of what was lost stand for the week that a packet may claim.
        list(islice(frames(Block(pcm=packet.pcm, rate=packet.rate, lost=packet.lost) for packet in of_one_shape), 200))


# --- commands ---------------------------------------------------------------------------------------------------------

_TOPICS = ("call/line-1/start", "call/line-1/end", "call/line-1/context", "alert/ack", "alert/contacted", "alert/close", "model/install")
_SAID: tuple[Any, ...] = (
    {}, {"customer_ref": "c-1", "queue": "billing", "notice_given": True}, {"alert": "a:alert", "by": "Jo", "outcome": "resolved"},
    {"model": "voice", "sha256": "0" * 64, "size": 10, "offset": 0, "data": "AAAA", "expires_at": "2026-11-24T00:00:00Z"},
    {
        "specversion": "1.0", "id": "i", "source": "/undertone/a/b", "type": "undertone.call.text.v1", "time": "2026-11-23T12:00:00.000Z",
        "datacontenttype": "application/json", "dataschema": "urn:x", "sequence": 1, "historical": False,
        "data": {"call": "c", "line": "l", "n": 1, "role": "customer", "start_ms": 0, "end_ms": 1, "text": "t"},
    },
)  # fmt: skip
_SAID_AS_BYTES = tuple(json.dumps(one).encode() for one in _SAID)


def said(chance: random.Random) -> bytes:
    topic = chance.choice(_TOPICS).encode()
    if chance.random() < 0.1:
        topic = damaged((topic,), chance).replace(b"\n", b"")
    kind = chance.random()
    body = nested(chance) if kind < 0.001 else document(_SAID, chance) if kind < 0.6 else damaged(_SAID_AS_BYTES, chance)
    return topic + b"\n" + body


def command(data: bytes) -> None:
    topic, _, body = data.partition(b"\n")
    decode(body)
    try:
        parse(topic.decode(errors="replace"), body)
    except Refused as reason:
        if not str(reason).isprintable():
            raise ValueError("a reason that garbles the log") from reason
