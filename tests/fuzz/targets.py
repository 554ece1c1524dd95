"""What takes input from outside, each with good inputs to damage and with what is done with a damaged one.

A target's `try_one(data)` may raise edge.errors (one line each) and what its type documents (commands: Refused), nothing else.
"""

import io
import json
import random
import shutil
import struct
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from edge.bundle import archive, golden, manifest
from edge.bundle.incoming import Incoming
from edge.bundle.shipped import shipped_models
from edge.bundle.signature import Trust, generate
from edge.bus.arrivals import decode
from edge.bus.commands import ModelInstall, Refused, parse
from edge.bus.outbox import Outbox
from edge.bus.store import read_counts
from edge.call.rules import SHIPPED as RULES
from edge.call.rules import load_rules
from edge.capture import wavfile
from edge.capture.wire import Flag, Packet, Parser, RawDecoder, pack
from edge.config import load_config
from edge.errors import UndertoneError
from edge.signal.resample import frames
from edge.values import Block, Word
from edge.words import causes, lexicon
from edge.words.keywords import KeywordSpotter
from tests.fuzz.mutate import damaged, document, nested
from tests.telling import alert, open_outbox, started, text

Make = Callable[[random.Random], bytes]
Try = Callable[[bytes], object]


@dataclass(frozen=True, kw_only=True)
class Target:
    """`share`: of 1,000 inputs, how many are this one's (by how much an input costs, and how far from trust it comes)."""

    share: int
    make: Make
    try_one: Try


def targets(folder: Path) -> dict[str, Target]:
    """All of them, with `folder` for their files."""
    return {
        "config": Target(share=150, make=_yaml(_CONFIGS), try_one=partial(_config, folder)),
        "rules": Target(share=90, make=_yaml((yaml.safe_load(RULES.read_text()), *_RULES)), try_one=partial(_file, folder, load_rules)),
        "lexicon": Target(share=60, make=_yaml(_LEXICONS), try_one=partial(_file, folder, _small(folder, lexicon, lexicon.Lexicon.load))),
        "causes": Target(share=60, make=_yaml(_CAUSES), try_one=partial(_file, folder, _small(folder, causes, causes.Causes.load))),
        "wav": Target(share=30, make=partial(damaged, _recordings(folder)), try_one=partial(_wav, folder)),
        "pipe": Target(share=220, make=_stream, try_one=_pipe),
        "commands": Target(share=240, make=_said, try_one=_command),
        "bundle": Target(share=80, make=_bundle_parts(), try_one=partial(_bundle, folder)),
        "archive": Target(share=50, make=_archives(folder), try_one=partial(_archive, folder)),
        "outbox": Target(share=20, make=partial(damaged, _outboxes(folder)), try_one=partial(_outbox, folder)),
    }


def _yaml(seeds: tuple[Any, ...]) -> Make:
    as_text = tuple(yaml.safe_dump(seed).encode() for seed in seeds)

    def make(chance: random.Random) -> bytes:
        kind = chance.random()
        if kind < 0.001:
            return nested(chance)
        return document(seeds, chance) if kind < 0.55 else damaged(as_text, chance)

    return make


def _file(folder: Path, load: Callable[[Path], object], data: bytes) -> None:
    path = folder / "fuzzed.yaml"
    path.write_bytes(data)
    load(path)


# --- configuration ---------------------------------------------------------------------------------------------------

_CONFIGS = (
    {
        "site": "leeds", "device": "desk-014", "mode": "both", "privacy": "quotes", "state_dir": "state", "outbox_max_mb": 5,
        "lines": [
            {"name": "line-1", "desk": "4711", "source": {"device": "auto", "rate": 16000}, "channels": ["customer", "agent"]},
            {"name": "line-2", "source": {"command": ["arecord", "-q"], "stall_s": 2.5}, "channels": ["mixed"], "idle_s": 6, "tones": "uk"},
            {"name": "line-3", "source": {"file": "a.wav", "realtime": False}, "agent_words": True},
        ],
        "mqtt": {
            "url": "mqtts://broker.example:8883", "ca": "ca.pem", "cert": "c.pem", "key": "k.pem", "username": "u", "password_file": "p",
            "prefix": "undertone/v1", "protocol": "3.1.1", "keepalive_s": 30,
        },
        "rules": "rules.yaml", "lexicon": "lexicon.yaml", "causes": "causes.yaml", "fusion": {"voice_weight": 0.4, "words_weight": 1.0},
        "keywords": [{"name": "cancel", "phrases": ["close my account", "i want to leave"]}],
        "models": {"voice": None, "allow_unsigned": False, "trusted_keys": ["site.pub"], "probation_calls": 3, "probation_hours": 1.5},
    },
    {"lines": [{"name": "a", "source": {"device": "auto"}}]},
)  # fmt: skip
_SENTENCE = tuple(
    Word(text=word, start=n * 16_000, end=n * 16_000 + 8_000, confidence=0.9)
    for n, word in enumerate("please close uh my account i want to leave not working".split())
)


def _config(folder: Path, data: bytes) -> None:
    path = folder / "fuzzed.yaml"
    path.write_bytes(data)
    KeywordSpotter(load_config(path).keywords).spot(_SENTENCE)


_RULES = (
    {
        "rules": [
            {
                "id": "a", "says": "Angry.", "severity": "low", "route": "cause", "withdraw": {"score": {"of": "mean", "at_least": 0.2}},
                "when": {"all": [{"words": {"p_negative_at_least": 0.7}}, {"not": {"fused": {"polarity_at_least": 0.1, "sustained": 2}}}]},
                "rises": [{"to": "high", "when": {"any": [{"keyword": "cancel"}]}}], "expires_min": 60, "cooldown_min": 2,
            }
        ],
        "budget": {"alerts_per_hour": 6, "raise_by": 0.25}, "default_route": "recovery",
    },
)  # fmt: skip

# --- words: a site's files, over a small shipped one (compiling the whole one for each input would take days) ---------------

_LEXICONS = (
    {
        "version": "site-1", "classes": {"unit": ["hours", "days"]}, "remove": [], "irony_openings": ["great"],
        "groups": [
            {"category": "waiting", "rated_by": "x", "why": "y", "entries": {"waiting _ <unit>": -1.5, "on hold": -1, "cancel*": -0.3}},
            {"category": "praise", "rated_by": "x", "why": "y", "entries": {"very|really good": 2.5, "nobody ~ called": -2, "the best?": 1}},
        ],
    },
)  # fmt: skip
_CAUSES = (
    {
        "version": "site-1", "classes": {"unit": ["hours", "days"]}, "routes": {"billing": "money"},
        "causes": [{"code": "billing", "route": "billing", "definition": "d", "prior": 0.2, "cues": {"charged twice": 2.0, "<number> fees": 1}}],
        "cues": {"billing": {"refund|money": 1.5}},
    },
)  # fmt: skip


def _small(folder: Path, module: Any, load: Callable[[Path], object]) -> Callable[[Path], object]:
    """`load` over the first seed instead of the shipped file; the shipped one is loaded once, as it is."""
    load(module.SHIPPED)
    small = folder / f"shipped-{module.__name__}.yaml"
    small.write_text(yaml.safe_dump((_LEXICONS if module is lexicon else _CAUSES)[0]))

    def over_the_small_one(path: Path) -> None:
        shipped, module.SHIPPED = module.SHIPPED, small
        try:
            load(path)
        finally:
            module.SHIPPED = shipped

    return over_the_small_one


# --- sound -----------------------------------------------------------------------------------------------------------


def _recordings(folder: Path) -> tuple[bytes, ...]:
    import soundfile

    sound = np.rint(9000 * np.sin(np.arange(800) / 5)).astype(np.int16)
    stereo = np.stack([sound, -sound], axis=1)
    made = []
    for number, (form, subtype, rate, pcm) in enumerate(
        [("WAV", "PCM_16", 8000, stereo), ("WAV", "PCM_24", 44_100, stereo), ("WAV", "FLOAT", 16_000, sound), ("WAVEX", "ULAW", 8000, sound),
         ("FLAC", "PCM_16", 16_000, stereo), ("OGG", "OPUS", 48_000, stereo), ("AIFF", "PCM_16", 8000, sound), ("W64", "PCM_16", 8000, sound)]
    ):  # fmt: skip
        path = folder / f"seed-{number}.wav"
        soundfile.write(path, pcm, rate, format=form, subtype=subtype)
        made.append(path.read_bytes())
    return tuple(made)


def _wav(folder: Path, data: bytes) -> None:
    path = folder / "fuzzed.wav"
    path.write_bytes(data)
    # A header may promise hours: a minute of it shows whether it is read as it comes.
    for _ in islice(frames(wavfile.blocks(path, chunk_ms=len(data) % 40 + 1)), 3000):
        pass


def _stream(chance: random.Random) -> bytes:
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


def _pipe(data: bytes) -> None:
    for decoder in (RawDecoder(len(data) % 2 + 1, 8000), Parser()):
        packets = [packet for at in range(0, len(data), 97) for packet in decoder.feed(data[at : at + 97])]
        of_one_shape = [packet for packet in packets if packet.pcm.shape[1] == packets[0].pcm.shape[1]]
        # Some seconds of what was lost stand for the week that a packet may claim.
        list(islice(frames(Block(pcm=packet.pcm, rate=packet.rate, lost=packet.lost) for packet in of_one_shape), 200))


# --- the bus ---------------------------------------------------------------------------------------------------------

_TOPICS = ("call/line-1/start", "call/line-1/end", "call/line-1/context", "alert/ack", "alert/contacted", "alert/close", "model/install")
_SAID: tuple[Any, ...] = (
    {}, {"customer_ref": "c-1", "queue": "billing", "notice_given": True}, {"alert": "a:alert:b", "by": "Jo", "outcome": "called back"},
    {"model": "voice", "sha256": "0" * 64, "size": 10, "offset": 0, "data": "AAAA", "expires_at": "2026-11-24T00:00:00Z"},
    {
        "specversion": "1.0", "id": "i", "source": "/undertone/a/b", "type": "undertone.call.text.v1", "time": "2026-11-23T12:00:00.000Z",
        "datacontenttype": "application/json", "dataschema": "urn:x", "sequence": 1, "historical": False,
        "data": {"call": "c", "line": "l", "n": 1, "role": "customer", "start_ms": 0, "end_ms": 1, "text": "t"},
    },
)  # fmt: skip
_SAID_AS_BYTES = tuple(json.dumps(one).encode() for one in _SAID)


def _said(chance: random.Random) -> bytes:
    topic = chance.choice(_TOPICS).encode()
    if chance.random() < 0.1:
        topic = damaged((topic,), chance).replace(b"\n", b"")
    kind = chance.random()
    body = nested(chance) if kind < 0.001 else document(_SAID, chance) if kind < 0.6 else damaged(_SAID_AS_BYTES, chance)
    return topic + b"\n" + body


def _command(data: bytes) -> None:
    topic, _, body = data.partition(b"\n")
    decode(body)
    try:
        parse(topic.decode(errors="replace"), body)
    except Refused as reason:
        assert "\n" not in str(reason), "a reason of two lines in the log"


# --- bundles ---------------------------------------------------------------------------------------------------------


def _bundle_parts() -> Make:
    """Manifest, signature and golden vectors of the shipped voice, one of them damaged; the first byte says which."""
    folder = shipped_models() / "voice"
    parts = [(folder / name).read_bytes() for name in (manifest.MANIFEST, manifest.SIGNATURE, "golden.json")]
    plain = [json.loads(part) for part in parts]

    def make(chance: random.Random) -> bytes:
        which = chance.choice((0, 0, 0, 1, 1, 2))
        kind = chance.random()
        body = nested(chance) if kind < 0.002 else document((plain[which],), chance) if kind < 0.6 else damaged((parts[which],), chance)
        return bytes([which]) + body

    return make


def _bundle(folder: Path, data: bytes) -> None:
    which, body = data[0], data[1:]
    home = folder / "bundle"
    if not home.exists():
        shutil.copytree(shipped_models() / "voice", home)
    path = home / (manifest.MANIFEST, manifest.SIGNATURE, "golden.json")[which]
    good = path.read_bytes()
    path.write_bytes(body)
    try:
        if which == 2:
            golden.read(path)
        else:
            # Signed by nobody, so that all that follows the signature is reached.
            manifest.load(home, trust=None if which else Trust(allow_unsigned=True))
    finally:
        path.write_bytes(good)


def _archives(folder: Path) -> Make:
    """Tars: whole, damaged, and with members that no tar of ours has."""
    home = folder / "packed"
    home.mkdir()
    made = manifest.Manifest(kind="fusion", name="fusion", version="1.0.0", created="2026-11-23", licence="CC0", files={})
    (home / manifest.MANIFEST).write_bytes(manifest.encode(made))
    archive.pack(manifest.load(home, trust=Trust(allow_unsigned=True)), folder / "good.tar")
    good = (folder / "good.tar").read_bytes()

    def make(chance: random.Random) -> bytes:
        return damaged((good,), chance) if chance.random() < 0.4 else _tar(chance)

    return make


def _tar(chance: random.Random) -> bytes:
    out = io.BytesIO()
    form = chance.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for _ in range(chance.choice((1, 2, 3, 70))):
            info = tarfile.TarInfo(chance.choice(("a", "manifest.json", "../a", "/tmp/a", "a/../../b", "a/b", "x" * 90, "é", ".", "", "a\\b")))
            info.type = chance.choice((*(tarfile.REGTYPE,) * 4, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE))
            info.linkname, info.mode = chance.choice(("", "/etc/passwd", "../a")), chance.choice((0, 0o777, 0o4755))
            info.size = chance.choice((0, 1, 600))
            if form == tarfile.PAX_FORMAT and chance.random() < 0.5:
                info.pax_headers = {chance.choice(("path", "size", "linkpath", "GNU.sparse.size")): chance.choice(("../x", "99999999999", "-1", "é"))}
            tar.addfile(info, io.BytesIO(bytes(info.size)))
    made = out.getvalue()
    return made if chance.random() < 0.7 else damaged((made,), chance)


def _archive(folder: Path, data: bytes) -> None:
    path, home, outside = folder / "fuzzed.tar", folder / "inside" / "unpacked", folder / "inside"
    path.write_bytes(data)
    home.mkdir(parents=True)
    try:
        incoming = Incoming(folder=folder / "incoming")
        chunk = ModelInstall(model="fusion", sha256=f"{zlib.crc32(data):064x}", size=len(data), offset=0, data=data)
        try:
            incoming.take(chunk)
        except UndertoneError:
            pass
        archive.unpack(path, home)
        manifest.load(home, trust=Trust(allow_unsigned=True))
    finally:
        assert [item.name for item in outside.iterdir()] == ["unpacked"], "something was written beside the bundle"
        assert not any(item.is_symlink() for item in home.rglob("*")), "a link was made"
        shutil.rmtree(outside)


# --- the outbox ------------------------------------------------------------------------------------------------------


def _outboxes(folder: Path) -> tuple[bytes, ...]:
    made = []
    for number in range(3):
        outbox = open_outbox(folder / f"seed-{number}")
        outbox.put([started(), alert(), *(text(n) for n in range(3 * 10**number))])
        outbox.close()
        made.append((folder / f"seed-{number}" / "outbox.sqlite").read_bytes())
    return tuple(made)


def _outbox(folder: Path, data: bytes) -> None:
    home = folder / "box"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    path = home / "outbox.sqlite"
    path.write_bytes(data)
    try:
        read_counts(path)
    except UndertoneError:
        pass
    outbox: Outbox = open_outbox(home)
    try:
        outbox.recover()
        outbox.put([text(1000)])
        ids = []
        while rows := outbox.pending(50):
            ids += [row.id for row in rows]
            for row in rows:
                outbox.sent(row)
                outbox.acknowledged(row)
        assert "c1:text:line-1:1000" in ids, "what was put after the damage did not come out"
        assert outbox.counts().rows == 0
    finally:
        outbox.close()
