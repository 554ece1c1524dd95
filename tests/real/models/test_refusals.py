"""What a box refuses: one line each, the same on the box and on the bus, and the old model serves on.

`python -m pytest tests/real/models/test_refusals.py -rP | grep "^refused"` shows them all; docs/refusals.txt is that.
"""

import base64
import hashlib
import json
import os
import re
import tarfile
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import msgspec
import paho.mqtt.client as mqtt
import pytest

from convert.fleet.rollout import CHUNK_BYTES
from convert.pack import finish
from edge.__main__ import main as undertone
from edge.bundle import archive
from edge.bundle.store import open_store
from tests.boxes import SimulatedBox, config
from tests.broker import Broker
from tests.chaos.disk import fill, small_disk
from tests.nets import SHIPPED, keys, raw_tar, signed, slow, tar, voice
from tests.real.service.test_live import Subscriber

pytestmark = pytest.mark.skipif(not SHIPPED.is_dir(), reason="no voice model is shipped in this clone")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with a_site(tmp_path_factory.mktemp("site")) as found:
        yield found


@contextmanager
def a_site(folder: Path):
    """A broker, a box that has had 9.0.0 for long, and its technician's desk."""
    private, public, key = keys(folder)
    with Broker(folder) as broker:
        settings = config(folder, public, url=broker.url)
        with SimulatedBox(settings, first=voice(folder / "first", "9.0.0", private), broker=True) as box:
            file = folder / "box.yaml"
            said = {"site": "leeds", "device": settings.device, "state_dir": settings.state_dir, "mode": "voice"}
            file.write_text(json.dumps(said | {"models": {"trusted_keys": [str(public)]}}))
            central = Subscriber(broker.port)
            sender = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
            sender.connect("127.0.0.1", broker.port)
            sender.loop_start()
            yield SimpleNamespace(box=box, central=central, sender=sender, file=file, private=private, key=key)
            sender.disconnect()
            sender.loop_stop()
            central.close()


class Desk:
    """Where bundles for one case are made."""

    def __init__(self, folder: Path, site, request) -> None:
        self.folder, self.private, self.key = folder, site.private, site.key
        self._request = request

    def bundle(self, version: str = "9.0.1") -> Path:
        return voice(self.folder / f"voice-{version}", version, self.private)

    def net(self, name: str) -> bytes:
        return (self._request.getfixturevalue("keras_nets") / f"{name}.tflite").read_bytes()


def flipped(name):
    def make(desk):
        folder = desk.bundle()
        raw = bytearray((folder / name).read_bytes())
        raw[len(raw) // 2] ^= 1
        (folder / name).write_bytes(raw)
        return raw_tar(folder)

    return make


def reworded(desk):
    """One letter of the manifest is another, and it is JSON as before."""
    folder = desk.bundle()
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"non-commercial", b"non-c0mmercial", 1))
    return raw_tar(folder)


def foreign(desk):
    (desk.folder / "stranger").mkdir()
    return tar(voice(desk.folder / "foreign", "9.0.1", keys(desk.folder / "stranger")[0]))


def unsigned(desk):
    return tar(voice(desk.folder / "unsigned", "9.0.1", None))


def floating(desk):
    folder = desk.bundle()
    (folder / "model.tflite").write_bytes(desk.net("float"))
    finish(folder, desk.private)
    return tar(folder)


def ponderous(desk):
    return tar(slow(desk.bundle(), desk.private, desk.net("ponderous")))


def archived(*members):
    """An archive that somebody has put together by hand: (name in it, how it is put there)."""

    def make(desk):
        manifest = desk.bundle() / "manifest.json"
        path = desk.folder / "trick.tar"
        with tarfile.open(path, "w") as packed:
            for name, kind in members:
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "/etc/passwd"
                if kind == tarfile.REGTYPE:
                    info.size = manifest.stat().st_size
                with manifest.open("rb") as file:
                    packed.addfile(info, file if kind == tarfile.REGTYPE else None)
        return path

    return make


def cut(desk):
    packed = tar(desk.bundle())
    packed.write_bytes(packed.read_bytes()[:70_000])
    return packed


def vast(desk):
    """Larger than any bundle; nothing of it is on the disk but its length."""
    path = desk.folder / "vast.tar"
    with path.open("wb") as file:
        file.truncate(archive.MAX_BYTES + 1)
    return path


def good(desk):
    return tar(desk.bundle())


def scratched(desk):
    """One bit of the archive itself has changed, in the header of its second file."""
    packed = tar(desk.bundle())
    raw = bytearray(packed.read_bytes())
    raw[raw.index(b"manifest.sig")] ^= 1
    packed.write_bytes(raw)
    return packed


# Name -> how it is made, what the line says, and what is wrong with the transfer alone.
CASES = {
    "a flipped bit in the net": (flipped("model.tflite"), "damaged", {}),
    "a flipped bit in the golden vectors": (flipped("golden.json"), "damaged", {}),
    "a changed letter in the manifest": (reworded, "not fit", {}),
    "a flipped bit in the manifest": (flipped("manifest.json"), "not fit|not a manifest", {}),
    "a flipped bit in the signature": (flipped("manifest.sig"), "not fit|not a signature|not trusted", {}),
    "a foreign key": (foreign, "not trusted", {}),
    "no signature": (unsigned, "nobody signed", {}),
    "an older version, replayed": (lambda desk: tar(desk.bundle("0.9.9")), "older", {}),
    "a pinned model": (good, "pinned", {}),
    "a quick training": (lambda desk: tar(signed(desk.bundle(), desk.key, provenance={"quick": True})), "quick training", {}),
    "wrong labels": (lambda desk: tar(signed(desk.bundle(), desk.key, labels=("angry", "calm"))), "labels", {}),
    "another feature spec": (lambda desk: tar(signed(desk.bundle(), desk.key, features={"bands": 64})), "features", {}),
    "a newer Undertone needed": (lambda desk: raw_tar(signed(desk.bundle(), desk.key, minimum_version="99.0.0")), "needs Undertone", {}),
    "a float net": (floating, "float32, not int8", {}),
    "a slow net": (ponderous, "too slow", {}),
    "oversized": (vast, "more than the 256 MB", {}),
    "a path out of the bundle": (archived(("../../etc/manifest.json", tarfile.REGTYPE)), "points out", {}),
    "a link in the archive": (archived(("manifest.json", tarfile.REGTYPE), ("net", tarfile.SYMTYPE)), "link", {}),
    "a device in the archive": (archived(("manifest.json", tarfile.REGTYPE), ("net", tarfile.CHRTYPE)), "device", {}),
    "a file twice in the archive": (archived(("manifest.json", tarfile.REGTYPE), ("manifest.json", tarfile.REGTYPE)), "twice", {}),
    "an archive cut short": (cut, "cut short|not a whole", {}),
    "damaged on the way": (scratched, "damaged on the way|not a whole bundle", {"sha256": "0" * 64}),
    "expired": (good, "expired", {"expires_at": "2020-01-01T00:00:00Z"}),
}
# Till when it may come is a property of a transfer; a file on a stick has none. The box's own log says it.
ON_THE_WAY = ("expired",)


@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_line_on_the_box_and_on_the_bus_and_the_old_model_serves_on(case, site, tmp_path, capsys, caplog, request):
    caplog.set_level("INFO", "undertone.models")
    make, why, changes = CASES[case]
    packed = make(Desk(tmp_path, site, request))
    if case == "a pinned model":
        open_store("voice", site.box.config).pin(pinned=True)
    lines = {}
    if case not in ON_THE_WAY:
        assert undertone(["model", "install", str(packed), "--config", str(site.file)]) == 1
        lines["box"] = capsys.readouterr().err
        assert undertone(["model", "verify", str(packed), "--config", str(site.file)]) == 1
        verified = capsys.readouterr().err.replace("refused: ", "", 1)
        # How slow a slow one is differs from one look to the next.
        assert re.sub(r"\d+ ms", "", verified) == re.sub(r"\d+ ms", "", lines["box"])
    lines["bus"] = told_on_the_bus(site, packed, changes)
    lines["box, in its log"] = logged(caplog)
    if case == "a pinned model":
        open_store("voice", site.box.config).pin(pinned=False)
    shown(case, why, lines, tmp_path, site)
    assert site.box.call(range(1)) == "voice-9.0.0"
    assert list((Path(site.box.config.state_dir) / "incoming").glob("*.part")) == []


@pytest.mark.parametrize("left", [100_000, 500_000])
def test_a_really_full_disk_refuses_on_the_box_and_on_the_bus_and_the_old_model_serves_on(left, tmp_path, capsys, caplog, request):
    caplog.set_level("INFO", "undertone.models")
    with small_disk(tmp_path / "box-01", "size=24m") as disk, a_site(tmp_path) as site:
        packed = good(Desk(tmp_path, site, request))
        ballast = disk / "ballast"
        fill(ballast)
        os.truncate(ballast, ballast.stat().st_size - left)
        assert undertone(["model", "install", str(packed), "--config", str(site.file)]) == 1
        lines = {"box": capsys.readouterr().err, "bus": told_on_the_bus(site, packed, {}), "box, in its log": logged(caplog)}
        shown(f"a full disk, {left // 1000} kB left", "room", lines, tmp_path, site)
        assert site.box.call(range(1)) == "voice-9.0.0"
        ballast.unlink()
        assert undertone(["model", "install", str(packed), "--config", str(site.file)]) == 0
        assert site.box.until("probation").version == "9.0.1"


def shown(case, why, lines, folder, site) -> None:
    """Each place has one line, with the reason in it."""
    for where, line in lines.items():
        assert len(line.strip().splitlines()) == 1
        with pytest.raises(AssertionError, match=why):
            raise AssertionError(line)
        if where != "box, in its log" or "box" not in lines:
            print(f"refused on the {where}: {case}: {shortened(line, folder, site)}")


def logged(caplog) -> str:
    """What the box's log says of the refusal."""
    return "\n".join(record.getMessage() for record in caplog.records if record.getMessage().startswith("model.refused"))


def told_on_the_bus(site, packed, changes) -> str:
    """Send the file as a technician's `push` does; the reason in the box's event."""
    size = packed.stat().st_size
    with packed.open("rb") as file:
        raw = file.read(4_000_000)
    said = {"model": "voice", "sha256": hashlib.sha256(raw).hexdigest(), "size": size} | changes
    for at in range(0, len(raw), CHUNK_BYTES):
        body = msgspec.json.encode(said | {"offset": at, "data": base64.b64encode(raw[at : at + CHUNK_BYTES]).decode()})
        site.sender.publish("undertone-cmd/v1/leeds/box-01/model/install", body, 1).wait_for_publish(30)
    event = site.central.until("undertone.device.model.v1", 120, action="refused", transfer=said["sha256"])
    return event["data"]["reason"]


def shortened(line: str, folder: Path, site) -> str:
    """`line` with names for the folders of this run, and for its configuration."""
    line = line.replace(str(site.file), "CONFIG")
    for path, name in ((folder, "DESK"), (site.box.config.state_dir, "STATE")):
        line = line.replace(f"{path}/", f"{name}/")
    return line.strip().removeprefix("undertone: ")
