"""A bundle is refused unless all of it is right, each time with one line that says what to do."""

import io
import json
import tarfile
import zipfile

import msgspec
import numpy as np
import pytest

from convert.pack import finish, now, sign, write_manifest
from edge.bundle import golden
from edge.bundle.archive import pack, unpack
from edge.bundle.manifest import MANIFEST, SIGNATURE, Manifest, encode, load
from edge.bundle.signature import Trust, generate, read_private, read_public, shipped_models, shipped_trust, write_keys
from edge.errors import ModelError

KEY, PUBLIC = generate()
TRUST = Trust(keys={KEY.id: PUBLIC})
FILES = {"net.tflite": b"not a net", "docs/card.md": b"what it learnt from"}


def make(folder, *, key=KEY, files=FILES, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    fields = {"kind": "fusion", "name": "site", "version": "1.0.0", "created": now(), "licence": "CC0-1.0"} | changes
    write_manifest(folder, Manifest(**fields))
    finish(folder, None)
    if key:
        sign(folder, key)
    return folder


def refused(folder, match, *, trust=TRUST, kind=None):
    with pytest.raises(ModelError, match=match) as raised:
        load(folder, kind=kind, trust=trust)
    said = str(raised.value)
    assert "\n" not in said
    assert len(said) < 400
    return said


def test_a_whole_signed_bundle_is_taken(tmp_path):
    bundle = load(make(tmp_path / "b"), kind="fusion", trust=TRUST)
    assert bundle.signed_by == KEY.id
    assert bundle.label == "site-1.0.0"
    assert bundle.path("net.tflite").read_bytes() == b"not a net"
    assert bundle.only(".md").name == "card.md"


def test_packing_the_same_folder_twice_gives_the_same_manifest(tmp_path):
    created = now()
    one, two = make(tmp_path / "1", created=created), make(tmp_path / "2", created=created)
    assert (one / MANIFEST).read_bytes() == (two / MANIFEST).read_bytes()


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_one_flipped_bit_in_any_file_is_refused(tmp_path, name):
    folder = make(tmp_path / "b")
    raw = bytearray((folder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / name).write_bytes(raw)
    assert name in refused(folder, "damaged|changed|does not fit") or name == MANIFEST


def test_a_changed_signature_is_refused(tmp_path):
    folder = make(tmp_path / "b")
    signature = json.loads((folder / SIGNATURE).read_text())
    letters = signature["signature"]
    signature["signature"] = ("B" if letters[0] == "A" else "A") + letters[1:]
    (folder / SIGNATURE).write_text(json.dumps(signature))
    refused(folder, "does not fit")
    refused(folder, "does not fit", trust=Trust(keys=TRUST.keys, allow_unsigned=True))


def test_a_missing_file_is_named(tmp_path):
    folder = make(tmp_path / "b")
    (folder / "net.tflite").unlink()
    assert "net.tflite" in refused(folder, "missing")


def test_a_file_that_the_manifest_does_not_name_is_refused(tmp_path):
    folder = make(tmp_path / "b")
    (folder / "extra.bin").write_bytes(b"x")
    assert "extra.bin" in refused(folder, "not in the manifest")


def test_a_link_in_place_of_a_file_is_refused(tmp_path):
    folder = make(tmp_path / "b")
    (tmp_path / "same").write_bytes(FILES["net.tflite"])
    (folder / "net.tflite").unlink()
    (folder / "net.tflite").symlink_to(tmp_path / "same")
    refused(folder, "missing")


def test_a_bundle_of_another_kind_is_refused(tmp_path):
    assert "voice" in refused(make(tmp_path / "b"), "kind", kind="voice")


def test_a_bundle_for_a_newer_undertone_is_refused(tmp_path):
    folder = make(tmp_path / "b")
    raw = msgspec.structs.replace(load(folder, trust=TRUST).manifest, minimum_version="99.0.0")
    (folder / MANIFEST).write_bytes(encode(raw))
    (folder / SIGNATURE).write_bytes(KEY.sign(encode(raw)))
    refused(folder, "minimum_version.*99.0.0")


def test_an_unsigned_bundle_is_taken_only_where_the_box_allows_it(tmp_path):
    folder = make(tmp_path / "b", key=None)
    refused(folder, "nobody signed")
    assert load(folder, trust=Trust(allow_unsigned=True)).signed_by is None


def test_a_foreign_key_is_refused_and_named(tmp_path):
    stranger, _ = generate()
    folder = make(tmp_path / "b", key=stranger)
    assert stranger.id in refused(folder, "not trusted")
    assert load(folder, trust=Trust(keys=TRUST.keys, allow_unsigned=True)).signed_by is None


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"colour": "red"}, "colour"),
        ({"kind": "smell"}, "kind"),
        ({"files": {"../net.tflite": "0" * 64}}, "plain path"),
        ({"files": {"/etc/passwd": "0" * 64}}, "plain path"),
        ({"files": {"net.tflite": "short"}}, "files"),
        ({"golden": "golden.json"}, "golden"),
        ({"version": "new"}, "version"),
    ],
)
def test_a_manifest_with_a_wrong_key_is_refused_though_signed(tmp_path, change, match):
    folder = make(tmp_path / "b")
    raw = json.dumps(json.loads((folder / MANIFEST).read_text()) | change).encode()
    (folder / MANIFEST).write_bytes(raw)
    (folder / SIGNATURE).write_bytes(KEY.sign(raw))
    refused(folder, match)


def test_no_folder_and_no_manifest_say_what_is_needed(tmp_path):
    refused(tmp_path / "nowhere", "no such folder")
    refused(tmp_path, "manifest.json")


def test_the_shipped_key_is_trusted_and_each_shipped_bundle_loads():
    assert shipped_trust().keys
    for folder in (path for path in shipped_models().iterdir() if (path / MANIFEST).is_file()):
        assert load(folder).signed_by in shipped_trust().keys


# --- keys ------------------------------------------------------------------------------------------------------------


def test_keys_are_written_once_readable_by_their_owner_and_read_back(tmp_path):
    private, public = tmp_path / "k.key", tmp_path / "k.pub"
    write_keys(private, public, KEY, PUBLIC)
    assert private.stat().st_mode & 0o777 == 0o600
    assert read_private(private).id == KEY.id
    assert read_public(public) == (KEY.id, PUBLIC)
    assert KEY.secret.hex() not in repr(KEY)
    with pytest.raises(ModelError, match="never overwritten"):
        write_keys(private, public, KEY, PUBLIC)


def test_a_public_key_where_a_private_one_is_needed_is_named(tmp_path):
    write_keys(tmp_path / "k.key", tmp_path / "k.pub", KEY, PUBLIC)
    with pytest.raises(ModelError, match="other key file"):
        read_private(tmp_path / "k.pub")
    with pytest.raises(ModelError, match="no such key"):
        read_private(tmp_path / "none")


# --- archives --------------------------------------------------------------------------------------------------------


def archive(path, members):
    with tarfile.open(path, "w") as tar:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd"
            tar.addfile(info, io.BytesIO(content))
    return path


def test_a_bundle_survives_its_archive_byte_for_byte(tmp_path):
    bundle = load(make(tmp_path / "b"), trust=TRUST)
    pack(bundle, tmp_path / "one.tar")
    pack(bundle, tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    (tmp_path / "out").mkdir()
    unpack(tmp_path / "one.tar", tmp_path / "out")
    assert load(tmp_path / "out", trust=TRUST).sha256 == bundle.sha256


@pytest.mark.parametrize(
    ("member", "match"),
    [
        (("../evil", b"x", tarfile.REGTYPE), "points out"),
        (("/tmp/evil", b"x", tarfile.REGTYPE), "points out"),
        (("a/../../evil", b"x", tarfile.REGTYPE), "points out"),
        (("link", b"", tarfile.SYMTYPE), "link"),
        (("hard", b"", tarfile.LNKTYPE), "link"),
        (("device", b"", tarfile.CHRTYPE), "link, device"),
        (("pipe", b"", tarfile.FIFOTYPE), "link, device"),
        (("folder", b"", tarfile.DIRTYPE), "folder"),
        (("manifest.json", b"{}", tarfile.REGTYPE), "twice"),
    ],
)
def test_archive_tricks_are_refused_and_write_nothing_outside(tmp_path, member, match):
    path = archive(tmp_path / "bad.tar", [("manifest.json", b"{}", tarfile.REGTYPE), member])
    out = tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    with pytest.raises(ModelError, match=match):
        unpack(path, out)
    assert {p.name for p in (tmp_path / "deep").rglob("*")} <= {"out", "manifest.json"}


def test_a_truncated_archive_a_text_and_a_compressed_one_are_refused(tmp_path):
    bundle = load(make(tmp_path / "b", files={"net.tflite": bytes(50_000)}), trust=TRUST)
    pack(bundle, tmp_path / "whole.tar")
    raw = (tmp_path / "whole.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(raw[:20_000])
    (tmp_path / "text.tar").write_text("this is no archive")
    with tarfile.open(tmp_path / "packed.tar", "w:gz") as tar:
        tar.add(tmp_path / "b" / MANIFEST, MANIFEST)
    for name, why in (("cut", "not a whole bundle|cut short"), ("text", "not a whole bundle"), ("packed", "packed with gzip")):
        out = tmp_path / name
        out.mkdir()
        with pytest.raises(ModelError, match=why):
            unpack(tmp_path / f"{name}.tar", out)


@pytest.mark.parametrize(("packer", "how"), [("gzip", "w:gz"), ("bzip2", "w:bz2"), ("xz", "w:xz"), ("zip", None)])
def test_a_packed_bundle_is_told_how_to_become_a_bundle(tmp_path, packer, how):
    """Whatever it is called: a mail program or a person renames files."""
    make(tmp_path / "b")
    for name in ("bundle.tar.gz", "bundle.tar"):
        path = tmp_path / name
        if how is None:
            with zipfile.ZipFile(path, "w") as archive:
                archive.write(tmp_path / "b" / MANIFEST, MANIFEST)
        else:
            with tarfile.open(path, how) as tar:
                tar.add(tmp_path / "b" / MANIFEST, MANIFEST)
        (out := tmp_path / f"out-{name}").mkdir()
        with pytest.raises(ModelError, match=f"packed with {packer}.*unpack it to the .tar") as refused:
            unpack(path, out)
        assert refused.value.problem.path == path
        assert list(out.iterdir()) == []


def test_too_many_files_are_refused(tmp_path):
    path = archive(tmp_path / "many.tar", [(f"f{n}", b"", tarfile.REGTYPE) for n in range(65)])
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match="more than the 64 files"):
        unpack(path, tmp_path / "out")


# --- golden vectors --------------------------------------------------------------------------------------------------


def loudness(case):
    return {"mean": [float(np.abs(case.audio.pcm().astype(np.int64)).mean())]}


def test_golden_sound_is_the_same_bits_on_every_machine():
    sums = [int(case.audio.pcm().astype(np.int64).sum()) for case in golden.speech_cases()]
    firsts = [case.audio.pcm()[4000:4004].tolist() for case in golden.speech_cases()]
    assert sums == SOUND_SUMS
    assert firsts[0] == SOUND_FIRST


def test_golden_vectors_pass_where_they_were_recorded_and_fail_when_the_model_changes(tmp_path):
    path = tmp_path / "golden.json"
    golden.write(path, golden.record(golden.speech_cases(), loudness, {"mean": 0.01}))
    assert golden.check(path, loudness, budget_ms=1000).median_ms >= 0
    with pytest.raises(ModelError, match=r"low-steady.*off by"):
        golden.check(path, lambda case: {"mean": [loudness(case)["mean"][0] + 0.02]}, budget_ms=1000)
    with pytest.raises(ModelError, match="off by inf"):
        golden.check(path, lambda _: {"mean": [float("nan")]}, budget_ms=1000)
    with pytest.raises(ModelError, match="no 1 numbers"):
        golden.check(path, lambda _: {}, budget_ms=1000)


def test_a_model_too_slow_for_this_box_is_refused_with_its_time(tmp_path):
    path = tmp_path / "golden.json"
    golden.write(path, golden.record(golden.speech_cases(), loudness, {"mean": 0.01}))
    with pytest.raises(ModelError, match="too slow"):
        golden.check(path, loudness, budget_ms=0.0)


def test_a_golden_file_without_cases_proves_nothing_and_is_refused(tmp_path):
    path = tmp_path / "golden.json"
    golden.write(path, golden.Golden(tolerance={}, cases=()))
    with pytest.raises(ModelError, match="empty"):
        golden.check(path, loudness, budget_ms=1000)


SOUND_SUMS = [-74688, -16173, -348892, -16245]
SOUND_FIRST = [-68, -137, 131, -150]
