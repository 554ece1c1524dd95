"""Inputs that lie on a disk: model bundles, what the model store keeps of itself, archives, the outbox."""

import io
import json
import random
import shutil
import tarfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge.bundle import archive as archives_of_bundles
from edge.bundle import golden, manifest
from edge.bundle.signature import Trust, shipped_models
from edge.bundle.store import Store
from edge.errors import UndertoneError
from edge.models import probation
from edge.models.transfers import Transfers
from edge.outbox.counts import read_counts
from edge.outbox.outbox import Outbox
from edge.wire.commands import ModelInstall
from tests.fuzz.mutate import damaged, document, nested
from tests.telling import alert, drained, open_outbox, started, text

Make = Callable[[random.Random], bytes]


def bundle_parts() -> Make:
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


def bundle(folder: Path, data: bytes) -> None:
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


_STATES: tuple[Any, ...] = (
    {"current": "voice-1.0.0-abc", "previous": None, "pinned": False},
    {
        "candidate": "voice-1.0.0-abc", "previous": None, "version": "1.0.0", "previous_version": None, "since": 1.0, "running": True,
        "calls": 3, "bins": [0] * 10, "verdict": None, "reason": None,
    },
    [{"sha256": "0" * 64, "name": "voice-1.0.0-abc", "version": "1.0.0", "reason": None}],
)  # fmt: skip


def model_states(chance: random.Random) -> bytes:
    return document(_STATES, chance) if chance.random() < 0.5 else damaged(tuple(json.dumps(one).encode() for one in _STATES), chance)


def models(folder: Path, data: bytes) -> None:
    """What the model store keeps of itself, as a bad disk may leave it."""
    store = Store(root=folder / "models", kind="voice", trust=Trust())
    store.folder.mkdir(parents=True, exist_ok=True)
    for name in ("serving.json", probation.path_of(store).name, "outcomes.json"):
        (store.folder / name).write_bytes(data)
    probation.path_of(store).write_bytes(data)
    probation.read(store)
    Transfers(store.folder).outcome("0" * 64)
    store.serving()


def archives(folder: Path) -> Make:
    """Tars: whole, damaged, and with members that no tar of ours has."""
    home = folder / "packed"
    home.mkdir()
    made = manifest.Manifest(kind="fusion", name="fusion", version="1.0.0", created="2026-11-23", licence="CC0", files={})
    (home / manifest.MANIFEST).write_bytes(manifest.encode(made))
    archives_of_bundles.pack(manifest.load(home, trust=Trust(allow_unsigned=True)), folder / "good.tar")
    good = (folder / "good.tar").read_bytes()

    def make(chance: random.Random) -> bytes:
        return damaged((good,), chance) if chance.random() < 0.4 else _tar(chance)

    return make


def _tar(chance: random.Random) -> bytes:
    out = io.BytesIO()
    form = chance.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for _ in range(chance.choice((1, 2, 3, 70))):
            info = tarfile.TarInfo(
                chance.choice(("a", "manifest.json", "../a", "/tmp/a", "a/../../b", "a/b", "x" * 90, "é", ".", "", "a\\b"))
            )
            info.type = chance.choice(
                (*(tarfile.REGTYPE,) * 4, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)
            )
            info.linkname, info.mode = chance.choice(("", "/etc/passwd", "../a")), chance.choice((0, 0o777, 0o4755))
            info.size = chance.choice((0, 1, 600))
            if form == tarfile.PAX_FORMAT and chance.random() < 0.5:
                info.pax_headers = {
                    chance.choice(("path", "size", "linkpath", "GNU.sparse.size")): chance.choice(("../x", "99999999999", "-1", "é"))
                }
            tar.addfile(info, io.BytesIO(bytes(info.size)))
    made = out.getvalue()
    return made if chance.random() < 0.7 else damaged((made,), chance)


def archive(folder: Path, data: bytes) -> None:
    path, home, outside = folder / "fuzzed.tar", folder / "inside" / "unpacked", folder / "inside"
    path.write_bytes(data)
    home.mkdir(parents=True)
    try:
        incoming = Transfers(folder / "incoming")
        chunk = ModelInstall(model="fusion", sha256=f"{zlib.crc32(data):064x}", size=len(data), offset=0, data=data)
        with suppress(UndertoneError):
            incoming.take(chunk)
        archives_of_bundles.unpack(path, home)
        manifest.load(home, trust=Trust(allow_unsigned=True))
    finally:
        assert [item.name for item in outside.iterdir()] == ["unpacked"], "something was written beside the bundle"
        assert not any(item.is_symlink() for item in home.rglob("*")), "a link was made"
        shutil.rmtree(outside)


# --- the outbox ------------------------------------------------------------------------------------------------------


def outboxes(folder: Path) -> tuple[bytes, ...]:
    made = []
    for number in range(3):
        outbox = open_outbox(folder / f"seed-{number}")
        outbox.put([started(), alert(), *(text(n) for n in range(3 * 10**number))])
        outbox.close()
        made.append((folder / f"seed-{number}" / "outbox.sqlite").read_bytes())
    return tuple(made)


def outbox(folder: Path, data: bytes) -> None:
    home = folder / "box"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    path = home / "outbox.sqlite"
    path.write_bytes(data)
    with suppress(UndertoneError):
        read_counts(path)
    outbox: Outbox = open_outbox(home)
    try:
        outbox.recover()
        outbox.put([text(1000)])
        ids = [event["id"] for event in drained(outbox)]
        # Damage may be found only when rows are read, after the put: then the file goes, and says so.
        announced = any(id_.startswith("gap:*") for id_ in ids)
        assert announced or "c1:text:line-1:1000" in ids, "what was put after the damage neither came out nor was announced"
    finally:
        outbox.close()
