"""What a person sees: `listen`, `status`, and the drawing that `replay` and the demo share."""

import io
import json
import os
import signal
import subprocess
import sys

import msgspec
import pytest
from rich.console import Console as Terminal

from edge.__main__ import main
from edge.cli.console import Console
from edge.config import Config, MqttConfig
from edge.mqtt.publisher import Publisher
from edge.voice.baseline import unlearnt
from edge.voice.prior import shipped_prior
from tests.broker import Broker
from tests.ports import free_port
from tests.telling import PATIENCE_S, alert, open_outbox, text, until
from tests.unit.wire.test_schema import EVERYTHING, wrapped

COLUMNS = {"PYTHONUNBUFFERED": "1", "COLUMNS": "80"}


def drawn(events, width=80, encoding="utf-8", **given) -> str:
    raw = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(Terminal(file=raw, width=width, highlight=False, **given))
    for event in events:
        console.show(json.loads(wrapped(event)))
    raw.flush()
    return raw.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_every_event_can_be_drawn_in_any_width_and_nothing_runs_over_the_edge(width):
    assert max(len(line) for line in drawn(EVERYTHING, width).splitlines()) <= width


def test_a_terminal_that_knows_ascii_alone_gets_ascii():
    assert "####" in drawn(EVERYTHING, encoding="ascii")


def test_every_kind_of_event_is_known():
    assert "does not know" not in drawn(EVERYTHING)


def test_colour_adds_nothing_that_is_not_said_in_words():
    plain = drawn(EVERYTHING)
    assert "-0.96" in plain
    assert "ALERT" in plain
    assert "negative" in plain
    assert "\x1b" not in plain
    assert "\x1b" in drawn(EVERYTHING, force_terminal=True, color_system="standard")


def test_an_alert_says_why_what_to_whom_and_about_whom():
    shown = drawn(event for event in EVERYTHING if event.topic.startswith("alert/"))
    for word in ("why", "what", "whom", "evidence", "until", "desk 4711", "-> billing-team"):
        assert word in shown


def test_nothing_from_the_bus_moves_the_cursor():
    evil = json.loads(wrapped(text(1)))
    evil["data"]["text"] = "\x1b[2J[red]boo[/red]\r\n"
    raw = io.StringIO()
    Console(Terminal(file=raw, width=80)).show(evil)
    assert "\x1b" not in raw.getvalue()
    assert "[red]boo[/red]" in raw.getvalue()


def test_an_event_of_a_later_version_is_named_and_not_drawn():
    event = {**json.loads(wrapped(text(1))), "type": "undertone.call.mood.v9"}
    raw = io.StringIO()
    Console(Terminal(file=raw, width=80)).show(event)
    assert "undertone.call.mood.v9" in raw.getvalue()


# As in a terminal: a shell that runs its commands in the background has them ignore Ctrl-C, and what they start inherits that.
_LISTEN = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from edge.__main__ import main
sys.exit(main(["listen", *sys.argv[1:]]))
"""


def test_listen_draws_and_prints_what_a_box_tells_and_ends_cleanly_at_ctrl_c(tmp_path):
    outbox = open_outbox(tmp_path)
    command = [sys.executable, "-c", _LISTEN, "--url"]
    with Broker(tmp_path) as broker:
        listeners = [
            subprocess.Popen(
                [*command, broker.url, *extra], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | COLUMNS
            )
            for extra in ([], ["--json", "--only", "+/+/alert/#"])
        ]
        assert all("listening on" in listener.stderr.readline() for listener in listeners)
        publisher = Publisher(Config(site="leeds", device="desk-1", mqtt=MqttConfig(url=broker.url)), outbox, print)
        publisher.start()
        outbox.put([text(1), alert()])
        seen = []
        until(lambda: "it works" in (seen.append(listeners[0].stdout.readline()) or seen[-1]))
        assert json.loads(listeners[1].stdout.readline())["type"] == "undertone.alert.v1"
        publisher.stop(PATIENCE_S)
        for listener in listeners:
            listener.send_signal(signal.SIGINT)
            _, errors = listener.communicate(timeout=PATIENCE_S)
            assert listener.returncode == 0
            assert errors.strip() == "stopped"
    outbox.close()


def test_listen_says_in_one_line_why_it_cannot(capsys):
    assert main(["listen", "--url", f"mqtt://127.0.0.1:{free_port()}"]) == 1
    assert "is the broker running" in capsys.readouterr().err
    assert main(["listen", "--url", "http://x"]) == 2
    assert "mqtt://HOST" in capsys.readouterr().err


# --- status ----------------------------------------------------------------------------------------------------------


def box_config(tmp_path):
    path = tmp_path / "undertone.yaml"
    path.write_text(f"state_dir: {tmp_path}\n")
    return ["--config", str(path)]


def write_status(tmp_path, how="online", **given):
    events = {event.data.kind: msgspec.to_builtins(event.data) for event in EVERYTHING}
    used_to = {"line-1": msgspec.structs.replace(unlearnt(shipped_prior()), calls=112)}
    status = {"state": {**events["device.state"], "state": how}, "health": events["device.health"], "connected": True, "bus_problem": None}
    status["problems"] = []
    status["baselines"] = msgspec.to_builtins(used_to)
    (tmp_path / "status.json").write_bytes(msgspec.json.encode({**status, **given}))


def test_status_of_a_box_that_runs_is_0_and_names_line_broker_and_what_waits(tmp_path, capsys):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), alert()])
    write_status(tmp_path)
    assert main(["status", *box_config(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "online" in shown
    assert "line-1" in shown
    assert "2 events, 1 of them alerts" in shown
    assert "from 112 calls" in " ".join(shown.split())
    write_status(tmp_path, baselines={"line-1": msgspec.to_builtins(unlearnt(shipped_prior()))})
    assert main(["status", *box_config(tmp_path)]) == 0
    assert "the shipped prior" in " ".join(capsys.readouterr().out.split())
    one_call = msgspec.structs.replace(unlearnt(shipped_prior()), calls=1, utterances=1)
    write_status(tmp_path, baselines={"line-1": msgspec.to_builtins(one_call)})
    assert main(["status", *box_config(tmp_path)]) == 0
    assert "from 1 call, 1 utterance" in " ".join(capsys.readouterr().out.split())
    outbox.close()


def test_status_is_1_where_the_service_is_gone_stuck_or_cut_off(tmp_path, capsys):
    config = box_config(tmp_path)
    assert main(["status", *config]) == 1
    assert "has the service run" in capsys.readouterr().err
    outbox = open_outbox(tmp_path)
    write_status(tmp_path, connected=False, bus_problem="mqtt://x: connection refused; is the broker running, and on that port?")
    assert main(["status", *config, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["running"] is True
    assert main(["status", *config]) == 1
    assert "is the broker running" in capsys.readouterr().out.replace("\n", " ")
    os.utime(tmp_path / "status.json", (1, 1))
    assert main(["status", *config]) == 1
    assert "its process lives" in capsys.readouterr().out.replace("\n", " ")
    write_status(tmp_path)
    outbox.close()
    assert main(["status", *config]) == 1
    assert "not running" in capsys.readouterr().out
    write_status(tmp_path, "stopped")
    assert main(["status", *config]) == 1
    assert "stopped" in capsys.readouterr().out
