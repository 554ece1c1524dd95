"""Installed models: the old one or the new one, whole, at every moment."""

import errno
import os
import random
import subprocess
import sys
import time

import pytest

from edge.bundle.archive import pack
from edge.bundle.manifest import load
from edge.bundle.store import Serving, Store, find_bundle, open_store
from edge.config import Config, ModelsConfig
from edge.errors import ModelError, StoreError
from tests.paths import ROOT
from tests.unit.bundle.made import KEY, PUBLIC, TRUST, make


def taken(folder):
    """A proof that is content with everything."""


def store(tmp_path):
    return Store(root=tmp_path / "state", kind="fusion", trust=TRUST)


def versions(tmp_path, *numbers):
    return [make(tmp_path / number, version=number) for number in numbers]


def test_an_installed_bundle_serves_and_the_old_one_is_kept(tmp_path):
    box = store(tmp_path)
    one, two = versions(tmp_path, "1.0.0", "1.1.0")
    box.install(one, taken)
    served = box.install(two, taken)
    assert served.label == "site-1.1.0"
    assert [name[:10] for name in box.versions()] == ["site-1.0.0", "site-1.1.0"]
    assert load(box.path_of(box.serving().previous), trust=TRUST).label == "site-1.0.0"


def test_an_archive_installs_like_its_folder(tmp_path):
    (one,) = versions(tmp_path, "1.0.0")
    pack(load(one, trust=TRUST), tmp_path / "one.tar")
    assert store(tmp_path).install(tmp_path / "one.tar", taken).label == "site-1.0.0"


def test_the_very_one_that_serves_is_neither_proven_again_nor_moved(tmp_path):
    box = store(tmp_path)
    one, two = versions(tmp_path, "1.0.0", "1.1.0")
    box.install(one, taken)
    box.install(two, taken)
    before, proven = box.serving(), []
    for _ in range(2):
        assert box.install(two, proven.append).label == "site-1.1.0"
    assert proven == []
    assert box.serving() == before


def test_other_content_under_the_version_that_serves_is_refused_unless_it_is_meant(tmp_path):
    box = store(tmp_path)
    (one,) = versions(tmp_path, "1.0.0")
    box.install(one, taken)
    other = make(tmp_path / "other", version="1.0.0", files={"net.tflite": b"another net"})
    before = box.serving()
    with pytest.raises(ModelError, match="serves already, with other content; give the new one a version of its own"):
        box.install(other, taken)
    assert box.serving() == before
    assert box.install(other, taken, allow_older=True).label == "site-1.0.0"
    assert box.serving().previous == before.current


# A state directory that nobody can write to, each for a reason of its own: never is room the remedy.
@pytest.mark.parametrize(("code", "remedy"), [
    (errno.EROFS, "the disk is read-only: mount it"), (errno.EACCES, "owner"), (errno.EPERM, "owner"), (errno.ENOSPC, "make room"),
    (errno.ENOTDIR, "something else has that name"), (errno.EIO, "see to that disk"),
])  # fmt: skip
def test_a_state_directory_that_cannot_be_written_has_its_own_remedy(tmp_path, monkeypatch, code, remedy):
    def fail(*_given, **_named):
        raise OSError(code, os.strerror(code))

    (one,) = versions(tmp_path, "1.0.0")
    monkeypatch.setattr("pathlib.Path.mkdir", fail)
    with pytest.raises(StoreError) as refused:
        store(tmp_path).install(one, taken)
    assert remedy in refused.value.problem.remedy
    assert ("room" in str(refused.value)) == (code == errno.ENOSPC)


def test_rollback_goes_back_and_a_second_one_forth(tmp_path):
    box = store(tmp_path)
    for source in versions(tmp_path, "1.0.0", "1.1.0"):
        box.install(source, taken)
    assert box.rollback().label == "site-1.0.0"
    assert box.rollback().label == "site-1.1.0"


def test_with_nothing_installed_there_is_nothing_to_roll_back_to(tmp_path):
    with pytest.raises(StoreError, match="nothing to roll back"):
        store(tmp_path).rollback()


def test_what_fails_its_proof_is_refused_and_leaves_nothing(tmp_path):
    box = store(tmp_path)
    one, two = versions(tmp_path, "1.0.0", "1.1.0")
    box.install(one, taken)

    def refuse(folder):
        raise ModelError("too slow for this box")

    with pytest.raises(ModelError, match="too slow"):
        box.install(two, refuse)
    assert [name[:10] for name in box.versions()] == ["site-1.0.0"]
    assert list((box.folder / "versions").glob(".*")) == []


def test_an_older_version_is_refused_unless_meant(tmp_path):
    box = store(tmp_path)
    one, two = versions(tmp_path, "1.0.0", "1.1.0")
    box.install(two, taken)
    with pytest.raises(ModelError, match="older"):
        box.install(one, taken)
    assert box.install(one, taken, allow_older=True).label == "site-1.0.0"


def test_a_pinned_model_stays_until_unpinned(tmp_path):
    box = store(tmp_path)
    one, two = versions(tmp_path, "1.0.0", "1.1.0")
    box.install(one, taken)
    box.pin(pinned=True)
    with pytest.raises(ModelError, match="pinned"):
        box.install(two, taken)
    box.pin(pinned=False)
    assert box.install(two, taken).label == "site-1.1.0"


def test_a_model_pinned_to_a_version_takes_that_one_alone_be_it_older(tmp_path):
    box = store(tmp_path)
    one, two, three = versions(tmp_path, "1.0.0", "1.1.0", "1.2.0")
    box.install(two, taken)
    box.pin(pinned=True, wanted="1.0.0")
    with pytest.raises(ModelError, match=r"pinned to 1\.0\.0"):
        box.install(three, taken)
    assert box.install(one, taken).label == "site-1.0.0"
    assert box.serving().pinned


def test_only_what_serves_and_what_served_before_stay_on_the_disk(tmp_path):
    box = store(tmp_path)
    for source in versions(tmp_path, "1.0.0", "1.1.0", "1.2.0"):
        box.install(source, taken)
    assert [name[:10] for name in box.versions()] == ["site-1.1.0", "site-1.2.0"]


def config(tmp_path, public):
    public.write_text(f"undertone-public-key {KEY.id} {_base64(PUBLIC)}\n")
    return Config(state_dir=str(tmp_path / "state"), models=ModelsConfig(trusted_keys=(str(public),)))


def _base64(raw):
    import base64

    return base64.b64encode(raw).decode()


def test_a_damaged_installed_model_gives_way_to_the_one_before_it(tmp_path, caplog):
    settings = config(tmp_path, tmp_path / "site.pub")
    box = open_store("fusion", settings)
    for source in versions(tmp_path, "1.0.0", "1.1.0"):
        box.install(source, taken)
    current = find_bundle("fusion", settings)
    (current / "net.tflite").write_bytes(b"not a neT")
    assert find_bundle("fusion", settings).name.startswith("site-1.0.0")
    assert "fell_back" in caplog.text
    assert find_bundle("fusion", settings) != current


def test_reinstalling_mends_a_damaged_model(tmp_path):
    box = store(tmp_path)
    (one,) = versions(tmp_path, "1.0.0")
    placed = box.install(one, taken).folder
    (placed / "net.tflite").write_bytes(b"not a neT")
    box.install(one, taken)
    assert load(placed, trust=TRUST).label == "site-1.0.0"


def test_an_unreadable_pointer_says_what_to_do(tmp_path):
    box = store(tmp_path)
    (one,) = versions(tmp_path, "1.0.0")
    box.install(one, taken)
    (box.folder / "serving.json").write_text("{")
    with pytest.raises(StoreError, match="remove it"):
        box.serving()


def test_a_state_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "state").write_text("a file, not a folder")
    (one,) = versions(tmp_path, "1.0.0")
    with pytest.raises(StoreError, match="cannot be written"):
        store(tmp_path).install(one, taken)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_installs_belongs_to_the_service_whose_state_directory_it_is(tmp_path):
    box = store(tmp_path)
    box.root.mkdir()
    os.chown(box.root, 61184, 61184)
    for source in versions(tmp_path, "1.0.0", "1.1.0"):
        box.install(source, taken)
    box.rollback()
    assert {path.stat().st_uid for path in box.root.rglob("*")} == {61184}


# Installs two versions in turn for ever; killed from outside.
_INSTALLER = """
import sys
import time
from pathlib import Path
from edge.bundle.signature import Trust
from edge.bundle.store import Store
box = Store(root=Path(sys.argv[1]), kind="fusion", trust=Trust(keys={sys.argv[2]: bytes.fromhex(sys.argv[3])}))
print("ready", flush=True)
while True:
    for source in sys.argv[4:]:
        box.install(Path(source), lambda folder: None, allow_older=True)
"""


def test_killed_at_any_instant_of_an_install_the_box_has_one_whole_model(tmp_path):
    box = store(tmp_path)
    one, two = versions(tmp_path, "1.0.0", "1.1.0")
    began = time.perf_counter()
    box.install(one, taken)
    # An install takes longer on a busy machine: kills fall anywhere in the first three.
    latest = 3 * (time.perf_counter() - began)
    chance = random.Random(7)
    served = set()
    for _ in range(12):
        command = [sys.executable, "-c", _INSTALLER, str(box.root), KEY.id, PUBLIC.hex(), str(one), str(two)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as installer:
            assert installer.stdout.readline() == "ready\n"
            with pytest.raises(subprocess.TimeoutExpired):
                installer.wait(timeout=chance.uniform(0.0, latest))
            installer.kill()
        serving = box.serving()
        assert serving != Serving()
        served.add(load(box.path_of(serving.current), kind="fusion", trust=TRUST).label)
    assert served <= {"site-1.0.0", "site-1.1.0"}
    assert box.install(two, taken, allow_older=True).label == "site-1.1.0"
    assert list((box.folder / "versions").glob(".*")) == []
