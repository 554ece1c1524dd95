"""A bundle is refused unless all of it is right, each time with one line that says what to do."""

import json

import msgspec
import pytest

from convert.pack import now
from edge.bundle.manifest import MANIFEST, SIGNATURE, encode, load
from edge.bundle.signature import Trust, generate, shipped_models, shipped_trust
from edge.errors import ModelError
from tests.unit.bundle.made import FILES, KEY, TRUST, make


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
