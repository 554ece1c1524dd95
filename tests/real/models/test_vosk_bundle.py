"""The real speech recogniser as firmware: packed as its makers publish it, proven, serving from the next start on, rolled back."""

import json
import os
from pathlib import Path

import msgspec
import pytest

from convert.__main__ import main as convert
from convert.pack import finish, write_manifest
from edge.__main__ import main as undertone
from edge.asr.vosk_model import default_place
from edge.bundle.manifest import MANIFEST, SIGNATURE, parse
from edge.capture.wavfile import read_clip
from edge.config import load_config
from edge.models.loading import load_engines
from edge.signal.resample import resample
from tests.nets import keys
from tests.paths import TESTS

_MODEL = default_place()
_CALL = TESTS / "demo" / "call.wav"
pytestmark = pytest.mark.skipif(not _MODEL.is_dir(), reason="no speech recogniser here: run `undertone fetch-model`")


def next_version(folder: Path, out: Path, version: str, key: Path) -> Path:
    """The bundle in `folder` under another version: its 70 MB are not copied."""
    for file in (file for file in folder.rglob("*") if file.is_file() and file.name not in (MANIFEST, SIGNATURE)):
        place = out / file.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, place)
    write_manifest(out, msgspec.structs.replace(parse((folder / MANIFEST).read_bytes(), folder / MANIFEST), version=version))
    finish(out, key)
    return out


def damage(file: Path) -> None:
    """Change one bit of this file alone, whatever else links to it."""
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.unlink()
    file.write_bytes(raw)


@pytest.mark.takes(23)
def test_a_recogniser_is_packed_proven_installed_serves_and_is_rolled_back(tmp_path, capsys):
    private, public, key = keys(tmp_path)
    file = tmp_path / "box.yaml"
    file.write_text(json.dumps({"mode": "words", "state_dir": str(tmp_path / "state"), "models": {"trusted_keys": [str(public)]}}))
    packed = tmp_path / "new.tar"

    def box(*command: str | Path) -> str:
        assert undertone(["model", *map(str, command), "--config", str(file)]) == 0
        return capsys.readouterr().out

    def serving() -> tuple[str, str | None]:
        info = load_engines(load_config(file)).infos["recogniser"]
        return info.version, info.signed_by

    assert convert(["pack", str(_MODEL), "--vosk", "9.0.0", "--key", str(private), "--out", str(packed)]) == 0
    assert "gives its known answers here" in box("verify", packed)
    assert "serves from the next start on" in box("install", packed)
    assert serving() == ("9.0.0", key.id)
    packed.unlink()

    first = next((tmp_path / "state" / "bundles" / "vosk" / "versions").iterdir())
    box("install", next_version(first, tmp_path / "next", "9.1.0", private))
    assert serving() == ("9.1.0", key.id)
    assert "9.0.0: serves again" in box("rollback", "vosk").replace("vosk-model-small-en-us-", "")
    assert serving() == ("9.0.0", key.id)

    recogniser = load_engines(load_config(file)).recogniser.channel()
    customer = resample(*read_clip(_CALL))
    for at in range(0, len(customer), 3200):
        recogniser.accept(at, customer[at : at + 3200])
    assert len(recogniser.finish()) > 10

    damage(tmp_path / "next" / "graph" / "HCLr.fst")
    assert undertone(["model", "install", str(tmp_path / "next"), "--config", str(file)]) == 1
    refusal = capsys.readouterr().err
    assert len(refusal.splitlines()) == 1
    assert "graph/HCLr.fst: damaged" in refusal
    assert serving() == ("9.0.0", key.id)

    # A stick cannot do this, a dying card can: the one before it serves.
    damage(first / "graph" / "HCLr.fst")
    assert serving() == ("9.1.0", key.id)
