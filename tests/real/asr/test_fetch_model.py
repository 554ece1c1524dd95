"""The recogniser's model is brought whole or not at all, wherever it breaks off."""

import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import zipfile
from typing import ClassVar

import pytest

from edge.asr import fetch as voskfetch
from edge.asr.fetch import Origin, download, fetch
from edge.asr.vosk_model import MODEL_NAME, PINS, Pin, check_model, default_place, find_vosk
from edge.config import Config, ModelsConfig
from edge.errors import ModelError
from tests.paths import ROOT

CONTENT = {"am/final.mdl": bytes(range(256)) * 400, "conf/model.conf": b"--beam=10\n", "graph/HCLr.fst": b"graph" * 999}
SMALL = {name: Pin(size=len(raw), sha256=hashlib.sha256(raw).hexdigest()) for name, raw in CONTENT.items()}


def quiet(what, done, total):
    """Progress that nobody watches."""


def archive(path, content=CONTENT, root=f"{MODEL_NAME}/"):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        for name, raw in content.items():
            bundle.writestr(root + name, raw)
        bundle.writestr(root + "README", "not pinned")
        bundle.writestr("../../evil", "never written")
    return path


def given(path):
    return Origin(name="given", bring=lambda _scratch, _progress: path)


def broken(reason):
    def bring(_scratch, _progress):
        raise ModelError(reason)

    return Origin(name="broken", bring=bring)


@pytest.mark.parametrize("root", [f"{MODEL_NAME}/", "assets/model-en-us/", ""])
def test_the_model_comes_out_of_a_zip_and_of_an_aar_alike(tmp_path, root):
    target = tmp_path / "data" / "model"
    assert fetch(target, [given(archive(tmp_path / "m.zip", root=root))], quiet, pins=SMALL) == "given"
    check_model(target, SMALL)
    assert sorted(p.name for p in target.rglob("*") if p.is_file()) == ["HCLr.fst", "final.mdl", "model.conf"]
    assert [p.name for p in target.parent.iterdir()] == ["model"]
    assert not (tmp_path / "evil").exists()


def test_the_second_source_is_taken_when_the_first_fails_and_both_reasons_are_told(tmp_path):
    target = tmp_path / "model"
    assert fetch(target, [broken("unreachable"), given(archive(tmp_path / "m.zip"))], quiet, pins=SMALL) == "given"
    with pytest.raises(ModelError, match=r"broken: one; broken: two.*--from"):
        fetch(tmp_path / "other", [broken("one"), broken("two")], quiet, pins=SMALL)
    assert not (tmp_path / "other").exists()


def flipped(content):
    raw = bytearray(content["graph/HCLr.fst"])
    raw[100] ^= 1
    return content | {"graph/HCLr.fst": bytes(raw)}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (flipped(CONTENT), "damaged"),
        ({k: v for k, v in CONTENT.items() if k != "conf/model.conf"}, "conf/model.conf is missing"),
        (CONTENT | {"am/final.mdl": b"short"}, "5 bytes"),
        ({"other": b""}, "no Vosk model"),
    ],
)
def test_an_archive_that_is_not_the_pinned_model_leaves_what_was_there(tmp_path, content, match):
    target = tmp_path / "model"
    fetch(target, [given(archive(tmp_path / "good.zip"))], quiet, pins=SMALL)
    with pytest.raises(ModelError, match=match):
        fetch(target, [given(archive(tmp_path / "bad.zip", content))], quiet, pins=SMALL)
    check_model(target, SMALL)


def test_a_truncated_zip_and_a_text_are_refused_and_the_users_file_is_kept(tmp_path):
    whole = archive(tmp_path / "m.zip").read_bytes()
    for raw in (whole[: len(whole) // 2], b"<html>404</html>"):
        (tmp_path / "cut.zip").write_bytes(raw)
        with pytest.raises(ModelError, match="not a whole zip"):
            fetch(tmp_path / "model", [given(tmp_path / "cut.zip")], quiet, pins=SMALL)
        assert (tmp_path / "cut.zip").exists()
        assert not (tmp_path / "model").exists()


def test_a_damaged_model_is_replaced(tmp_path):
    target, source = tmp_path / "model", given(archive(tmp_path / "m.zip"))
    fetch(target, [source], quiet, pins=SMALL)
    (target / "am/final.mdl").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"final.mdl: 4 bytes where 102,400 belong.*fetch-model"):
        check_model(target, SMALL)
    fetch(target, [source], quiet, pins=SMALL)
    check_model(target, SMALL)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="--to"):
        fetch(tmp_path / "file" / "model", [broken("unused")], quiet, pins=SMALL)


# --- over the network ------------------------------------------------------------------------------------------------


class Flaky(http.server.BaseHTTPRequestHandler):
    """Sends half of what is left and hangs up, until what is left is little; resumes by Range."""

    content: ClassVar[bytes] = b""
    asked: ClassVar[list[str | None]] = []

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        rest = self.content[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest if len(rest) < 40_000 else rest[: len(rest) // 2])

    def log_message(self, *args):
        pass


@pytest.fixture
def flaky(tmp_path):
    class Server(Flaky):
        content = archive(tmp_path / "served.zip").read_bytes()
        asked: ClassVar[list[str | None]] = []

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/m.zip", Server
        server.shutdown()
        thread.join()


def test_a_download_goes_on_where_the_connection_broke_off(tmp_path, flaky):
    url, server = flaky
    part = download(url, tmp_path, quiet)
    assert part.read_bytes() == server.content
    assert server.asked[0] is None
    assert len(server.asked) > 1
    assert all(asked and asked.startswith("bytes=") for asked in server.asked[1:])


def test_a_download_goes_on_in_the_next_run_and_installs(tmp_path, flaky):
    url, server = flaky
    target = tmp_path / "data" / "model"
    scratch = target.parent / f".{target.name}.part"
    scratch.mkdir(parents=True)
    (scratch / "m.zip.part").write_bytes(server.content[:90_000])
    fetch(target, [Origin(name="web", bring=lambda folder, progress: download(url, folder, progress))], quiet, pins=SMALL)
    check_model(target, SMALL)
    assert server.asked == ["bytes=90000-"]
    assert not scratch.exists()


def test_a_wrong_partial_download_is_thrown_away_not_resumed_for_ever(tmp_path, flaky):
    url, _ = flaky
    target = tmp_path / "data" / "model"
    scratch = target.parent / f".{target.name}.part"
    scratch.mkdir(parents=True)
    (scratch / "m.zip.part").write_bytes(bytes(90_000))
    web = Origin(name="web", bring=lambda folder, progress: download(url, folder, progress))
    with pytest.raises(ModelError, match="web"):
        fetch(target, [web], quiet, pins=SMALL)
    fetch(target, [web], quiet, pins=SMALL)
    check_model(target, SMALL)


def test_a_closed_port_is_told_in_one_line(tmp_path, flaky):
    url, _ = flaky
    closed = url.rsplit(":", 1)[0] + ":1/m.zip"
    with pytest.raises(ModelError, match="not reached") as raised:
        download(closed, tmp_path, quiet)
    assert "\n" not in str(raised.value)


def test_without_maven_the_remedy_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match="apt-get install maven"):
        voskfetch.bring_by_maven(tmp_path, quiet)


def test_what_maven_says_is_told_in_one_line(tmp_path, monkeypatch):
    mvn = tmp_path / "bin" / "mvn"
    mvn.parent.mkdir()
    mvn.write_text("#!/bin/sh\necho '[INFO] x'\necho '[ERROR] no such artifact'\necho '[ERROR] more'\nexit 1\n")
    mvn.chmod(0o755)
    monkeypatch.setenv("PATH", f"{mvn.parent}:{os.environ['PATH']}")
    with pytest.raises(ModelError, match=r"mvn: no such artifact$"):
        voskfetch.bring_by_maven(tmp_path, quiet)


def test_ctrl_c_ends_maven_and_leaves_nothing(tmp_path):
    mvn = tmp_path / "bin" / "mvn"
    mvn.parent.mkdir()
    # A Maven that hangs, and says with a file that it runs and with another that it was ended.
    # It takes as long as a Java to come up, so that its caller is waiting for it when the signal comes.
    lines = [
        "#!/bin/sh",
        f"trap 'echo ended > {tmp_path}/ended; exit 143' TERM",
        "sleep 0.5",
        f"echo up > {tmp_path}/pipe",
        "while :; do sleep 1; done",
    ]
    mvn.write_text("\n".join(lines) + "\n")
    mvn.chmod(0o755)
    os.mkfifo(tmp_path / "pipe")
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pathlib import Path; from edge.asr.fetch import *\n"
        f"fetch(Path({str(tmp_path / 'data/model')!r}), [Origin(name='m', bring=bring_by_maven)], lambda *a: None)"
    )
    environment = os.environ | {"PATH": f"{mvn.parent}:{os.environ['PATH']}"}
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as child:
        assert (tmp_path / "pipe").read_text() == "up\n"
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=20)
    assert "KeyboardInterrupt" in said
    assert (tmp_path / "ended").exists()
    assert list((tmp_path / "data").iterdir()) == []


# --- finding it ------------------------------------------------------------------------------------------------------


def settings(tmp_path, vosk=None):
    return Config(state_dir=str(tmp_path / "state"), models=ModelsConfig(vosk=vosk))


def test_with_no_model_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_place() == tmp_path / "undertone" / MODEL_NAME
    assert find_vosk(settings(tmp_path)) is None


def test_half_a_model_in_its_place_is_refused_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (default_place() / "am").mkdir(parents=True)
    (default_place() / "am/final.mdl").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"final.mdl.*half a model.*undertone fetch-model"):
        find_vosk(settings(tmp_path))


def test_a_configured_folder_that_is_not_there_or_no_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere.*models.vosk"):
        find_vosk(settings(tmp_path, str(tmp_path / "nowhere")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"not a whole Vosk model"):
        find_vosk(settings(tmp_path, str(tmp_path / "empty")))


def test_another_whole_vosk_model_is_taken_as_configured(tmp_path):
    for name in ("am/final.mdl", "conf/mfcc.conf", "graph/HCLG.fst"):
        (tmp_path / "vosk-nl" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "vosk-nl" / name).write_bytes(b"x")
    assert find_vosk(settings(tmp_path, str(tmp_path / "vosk-nl"))) == tmp_path / "vosk-nl"


@pytest.fixture
def real_model():
    if not default_place().is_dir():
        pytest.skip("no speech recogniser on this machine; `undertone fetch-model` brings it")
    return default_place()


@pytest.mark.parametrize("folder", ["elsewhere", MODEL_NAME])
def test_one_flipped_byte_of_the_real_model_is_found_whatever_its_folder_is_called(tmp_path, real_model, folder):
    copy = tmp_path / folder
    for name in PINS:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).symlink_to(real_model / name)
    assert find_vosk(settings(tmp_path, str(copy))) == copy
    raw = bytearray((real_model / "ivector/final.mat").read_bytes())
    raw[1000] ^= 1
    (copy / "ivector/final.mat").unlink()
    (copy / "ivector/final.mat").write_bytes(raw)
    with pytest.raises(ModelError, match=r"final.mat: damaged.*fetch-model"):
        find_vosk(settings(tmp_path, str(copy)))
