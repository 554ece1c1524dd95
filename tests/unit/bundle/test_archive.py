"""A bundle as one file: the same bytes each time, and nothing else is unpacked."""

import io
import tarfile
import zipfile

import pytest

from edge.bundle.archive import pack, unpack
from edge.bundle.manifest import MANIFEST, load
from edge.errors import ModelError
from tests.unit.bundle.made import TRUST, make


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
    for name, why in (("cut", "not a whole bundle|cut short"), ("text", "not a bundle, or damaged"), ("packed", "packed with gzip")):
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


@pytest.mark.parametrize(("begins", "what"), [
    (b"RIFF\x24\0\0\0WAVEfmt ", "a WAV recording"), (b"fLaC\0\0\0\x22", "a FLAC recording"), (b"OggS\0", "an Ogg recording"),
    (b"ID3\4", "an MP3 recording"), (b"FORM\0\0\0\x24AIFF", "an AIFF recording"), (b"\x1c\0\0\0TFL3", "a TFLite net"),
    (b"\x89HDF\r\n", "a Keras net"), (b'{"kind": "voice"}', "JSON"), (None, "an empty file"),
])  # fmt: skip
def test_what_people_give_in_place_of_a_bundle_is_named_with_what_to_give(tmp_path, begins, what):
    path = tmp_path / "bundle.tar"
    path.write_bytes(b"" if begins is None else begins + bytes(2000))
    (out := tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match=rf"{path}: {what}, not a bundle; give a bundle's .tar or folder"):
        unpack(path, out)
    assert list(out.iterdir()) == []


def test_too_many_files_are_refused(tmp_path):
    path = archive(tmp_path / "many.tar", [(f"f{n}", b"", tarfile.REGTYPE) for n in range(65)])
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match="more than the 64 files"):
        unpack(path, tmp_path / "out")
