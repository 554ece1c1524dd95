"""What a box gives up is gone from its disk, and told."""

import json
import subprocess
import sys
import time

import pytest

from tests.telling import alert, open_outbox, started, text, waiting


def erase(folder, *more) -> subprocess.CompletedProcess[str]:
    config = folder / "undertone.yaml"
    config.write_text(f"site: leeds\ndevice: desk-1\nstate_dir: {folder}\n")
    command = [sys.executable, "-m", "edge", "erase", "--config", str(config), *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def on_disk(folder) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("outbox*"))


def gaps(outbox) -> list[tuple]:
    found = [json.loads(row.body)["data"] for row in waiting(outbox) if row.topic == "gap"]
    return [(gap["topic"], gap["first"], gap["last"], gap["reason"]) for gap in found]


def test_everything_about_calls_goes_from_every_file_and_the_rest_is_announced(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([started(), *(text(n) for n in range(300)), alert()])
    outbox.close()
    (tmp_path / "outbox.sqlite.damaged").write_bytes(b"it works")
    (tmp_path / "status.json").write_text("{}")
    assert b"it works" in on_disk(tmp_path)
    done = erase(tmp_path, "--all")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("erased: 302 unsent events\n")
    assert not (tmp_path / "status.json").exists()
    assert not (tmp_path / "outbox.sqlite.damaged").exists()
    assert b"it works" not in on_disk(tmp_path)
    assert b"Angry." not in on_disk(tmp_path)
    again = open_outbox(tmp_path)
    again.recover()
    assert sorted(gaps(again)) == [
        ("alert/billing", 1, 1, "erased"),
        ("call/line-1/started", 1, 1, "erased"),
        ("text/line-1", 1, 300, "erased"),
    ]
    again.put([text(1000)])
    assert [row.sequence for row in waiting(again) if row.topic == "text/line-1"] == [301]
    again.close()


def test_only_what_is_older_goes(tmp_path, monkeypatch):
    long_ago = time.time() - 40 * 86_400
    monkeypatch.setattr(time, "time", lambda: long_ago)
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), text(2)])
    monkeypatch.undo()
    outbox.put([text(3)])
    outbox.close()
    said = erase(tmp_path, "--older-than", "30").stdout
    assert said == ("erased: 2 unsent events\nleft to be sent at the next start: 2 events, with those that announce what was erased\n")
    again = open_outbox(tmp_path)
    assert gaps(again) == [("text/line-1", 1, 2, "erased")]
    assert [row.sequence for row in waiting(again) if row.topic == "text/line-1"] == [3]
    again.close()


def test_a_sent_text_is_nowhere_in_the_files_of_a_box_that_goes_on(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(n) for n in range(50)])
    assert b"it works" in on_disk(tmp_path)
    for row in waiting(outbox):
        outbox.sent(row)
        outbox.acknowledged(row)
    # As the service does each second.
    assert outbox.counts().rows == 0
    assert b"it works" not in on_disk(tmp_path)
    outbox.close()


def test_a_box_in_service_is_not_erased_behind_its_back(tmp_path):
    outbox = open_outbox(tmp_path)
    done = erase(tmp_path, "--all")
    outbox.close()
    assert done.returncode == 1
    assert "in use by another undertone" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("more", [["--older-than", "-1"], ["--older-than", "nan"], []])
def test_wrong_use_is_2(tmp_path, more):
    assert erase(tmp_path, *more).returncode == 2


def test_a_box_without_an_outbox_has_nothing_to_erase(tmp_path):
    done = erase(tmp_path, "--all")
    assert (done.returncode, "nothing to erase" in done.stdout) == (0, True)


def test_one_customer_goes_and_the_next_start_tells_of_it(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([started(), alert(customer_ref="C-1"), text(1), text(1, call="c2")])
    outbox.close()
    assert "nothing is known of that customer here" in erase(tmp_path, "--customer", "C-9").stdout
    done = erase(tmp_path, "--customer", "C-1")
    assert (done.returncode, done.stdout) == (
        0,
        "erased: all that this box held of that customer; its next start tells the broker which calls and alerts, and not whose\n",
    )
    assert b"C-1" not in on_disk(tmp_path)
    again = open_outbox(tmp_path)
    told = {json.loads(row.body)["type"]: json.loads(row.body)["data"] for row in waiting(again)}
    assert told["undertone.device.erased.v1"]["calls"] == ["c1"]
    assert told["undertone.call.text.v1"]["call"] == "c2"
    again.close()
