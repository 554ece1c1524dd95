"""The support bundle helps, and gives nothing away."""

import json
import subprocess
import sys
import zipfile

from edge.capture import wavfile
from edge.doctor.support import journal, masked
from edge.segment.synthetic import dialogue
from tests.telling import open_outbox, text

CONFIG = """\
site: leeds
device: desk-1
lines:
  - {name: line-1, source: {file: call.wav, realtime: false}, channels: [customer, agent]}
  - {name: line-2, source: {command: [sh, -c, 'echo rtsp://jo:sesame@trunk >&2; exit 1']}}
mqtt: {url: "mqtts://127.0.0.1:9", username: leeds-user, password_file: secret-place, cert: cert-place, key: key-place}
keywords: [{name: rival, phrases: [acme telecom]}]
state_dir: state
"""


def test_a_bundle_holds_what_helps_and_no_word_sound_or_secret(tmp_path):
    (tmp_path / "undertone.yaml").write_text(CONFIG)
    (tmp_path / "secret-place").write_text("open-sesame\n")
    wavfile.write(tmp_path / "call.wav", dialogue(3, 2).T, 16_000)
    outbox = open_outbox(tmp_path / "state")
    outbox.put([text(n) for n in range(7)])
    outbox.close()
    command = [sys.executable, "-m", "edge", "doctor", "--config", "undertone.yaml", "--bundle", "help.zip"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert "help.zip written" in done.stderr
    with zipfile.ZipFile(tmp_path / "help.zip") as bundle:
        parts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    for secret in ("sesame", "jo:", "leeds-user", "secret-place", "key-place", "acme telecom", "it works"):
        assert [name for name, part in parts.items() if secret in part] == []
    assert not any(name.endswith((".wav", ".sqlite")) for name in parts)
    whole = ("about.json", "configuration.json", "doctor.json", "outbox.json")
    told = {name: json.loads(parts[name]) for name in whole}
    assert told["about.json"]["packages"]["numpy"]
    assert told["configuration.json"]["site"] == "leeds"
    assert told["configuration.json"]["keywords"] == [{"name": "rival", "phrases": 1}]
    assert {check["name"]: check["finding"]["outcome"] for check in told["doctor.json"]}["broker"] == "failed"
    assert told["outbox.json"]["rows"] == 7
    assert "voice-" in parts["models.json"]
    # The service has never run here, and the bundle says so instead of breaking.
    assert parts["status.json"].startswith("not there: ")


def test_of_the_log_only_lines_of_our_own_form_are_taken(tmp_path):
    said = [
        "2026-11-23T20:00:01+0000 box undertone[7]: INFO undertone.app app.started lines=line-1 version=0.1.0",
        "2026-11-23T20:00:02+0000 box undertone[7]: ERROR undertone.live thread.died line=line-1 work=follow",
        "2026-11-23T20:00:02+0000 box undertone[7]: Traceback (most recent call last):",
        "2026-11-23T20:00:02+0000 box undertone[7]: ValueError: my card number is four one one one",
        "2026-11-23T20:00:03+0000 box systemd[1]: undertone.service: Main process exited",
    ]
    (tmp_path / "log").write_text("\n".join(said))
    taken = list(journal(("cat", str(tmp_path / "log"))))
    assert taken == [*said[:2], "3 lines that are not of a known form were left out"]


def test_users_in_urls_and_known_secrets_are_masked_wherever_they_are():
    assert masked("mqtt://jo:pw@host, rtsp://host/a@b 'hush\\n'", ["hush"]) == "mqtt://(left out)@host, rtsp://host/a@b '(left out)\\n'"


def test_a_bundle_needs_a_configuration_and_a_place(tmp_path):
    command = [sys.executable, "-m", "edge", "doctor", "--bundle", str(tmp_path / "help.zip")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "--config" in done.stderr
