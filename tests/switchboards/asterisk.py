"""A real Asterisk beside a real box: the dialplan of docs/switchboards/asterisk, a caller and an agent that play the demo's call.

    python -m tests.switchboards.asterisk --asterisk /usr/sbin/asterisk --calls 2 --seconds 30

Debian has no Asterisk: build one (docs/switchboards.md says how). Prints what the box told, and when each call ended.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import paho.mqtt.client as mqtt
import soxr

from edge.service.spoken_call import spoken_call
from edge.values import SAMPLE_RATE, Role
from tests.broker import Broker
from tests.desk_process import DeskProcess
from tests.paths import ROOT
from tests.ports import free_port
from tests.service import Service

# A caller who plays their side, and hangs up; an agent who plays theirs.
_PLAYERS = """
[players]
exten => caller,1,Answer()
 same => n,Playback({folder}/customer)
 same => n,Hangup()
exten => agent,1,Answer()
 same => n,Playback({folder}/agent)
 same => n,Wait(60)
"""


def configure(folder: Path, asterisk: Path, seconds: float, *, box_port: int, broker_port: int, desk: str) -> Path:
    """Asterisk's configuration; the path of its asterisk.conf."""
    etc = folder / "asterisk"
    for name in ("etc", "var/db", "var/keys", "var/spool", "var/run", "var/log", "var/data"):
        (etc / name).mkdir(parents=True)
    modules = next(asterisk.resolve().parent.parent.glob("lib*/asterisk/modules"))
    sound = spoken_call((Role.CUSTOMER, Role.AGENT))[:, : round(seconds * SAMPLE_RATE)]
    for name, channel in zip(("customer", "agent"), sound, strict=True):
        pcm = soxr.resample(channel.astype(np.float32), SAMPLE_RATE, 8000)
        (folder / f"{name}.sln").write_bytes(np.clip(np.rint(pcm), -32768, 32767).astype("<i2").tobytes())
    var = etc / "var"
    (etc / "etc/asterisk.conf").write_text(
        f"[directories]\nastetcdir => {etc}/etc\nastmoddir => {modules}\nastvarlibdir => {var}\nastdbdir => {var}/db\n"
        f"astkeydir => {var}/keys\nastdatadir => {var}/data\nastspooldir => {var}/spool\nastrundir => {var}/run\nastlogdir => {var}/log\n"
    )
    (etc / "etc/modules.conf").write_text("[modules]\nautoload=yes\n")
    (etc / "etc/logger.conf").write_text("[logfiles]\nconsole => notice,warning,error\n")
    dialplan = (ROOT / "docs/switchboards/asterisk/extensions.conf").read_text(encoding="utf-8")
    dialplan = dialplan.replace("127.0.0.1:9092", f"127.0.0.1:{box_port}").replace("-p 1883", f"-p {broker_port}")
    dialplan = dialplan.replace("[globals]", "[globals]\nAGENT=Local/agent@players/n")
    dialplan = dialplan.replace("UNDERTONE_DESK=\n", f"UNDERTONE_DESK={desk}\n")
    (etc / "etc/extensions.conf").write_text(dialplan + _PLAYERS.format(folder=folder))
    return etc / "etc/asterisk.conf"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tests.switchboards.asterisk", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--asterisk", type=Path, default=Path(shutil.which("asterisk") or "/usr/sbin/asterisk"))
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0)
    args = parser.parse_args()
    told: list[tuple[float, str, dict]] = []
    with tempfile.TemporaryDirectory() as made, Broker(Path(made)) as broker:
        folder, port = Path(made), free_port()
        listener = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        listener.on_message = lambda _client, _user, message: told.append((time.time(), message.topic, json.loads(message.payload)))
        listener.connect("127.0.0.1", broker.port)
        listener.subscribe("undertone/v1/#", 1)
        listener.loop_start()
        config = f"""site: leeds
device: desk-014
lines:
  - name: pbx
    source: {{listen: {{protocol: audiosocket, port: {port}}}}}
    channels: [customer, agent]
mqtt: {{url: "{broker.url}"}}
"""
        with Service(folder, config) as box, DeskProcess(folder / "desk", broker.url) as desk:
            cti = f"{desk.url}/api/cti/{desk.token('switchboard', 'asterisk')}"
            box.until(lambda status: status["state"]["lines"].get("pbx") == "listening")
            conf = configure(folder, args.asterisk, args.seconds, box_port=port, broker_port=broker.port, desk=cti)
            command = [str(args.asterisk), "-C", str(conf)]
            with (folder / "asterisk.log").open("w") as log, subprocess.Popen([*command, "-f"], stdout=log, stderr=log) as asterisk:
                try:
                    _ask(command, "core waitfullybooted")
                    for _ in range(args.calls):
                        _ask(command, "channel originate Local/100@from-callers/n extension caller@players")
                    ended = _follow(command, args.seconds)
                    time.sleep(5)
                    known = desk.api("analyst").get("/api/calls").json()["calls"]
                finally:
                    asterisk.terminate()
            print((folder / "asterisk.log").read_text()[-4000:], file=sys.stderr)
            print("\n".join(box.log), file=sys.stderr)
        listener.loop_stop()
    _show(told, ended)
    for call in known:
        print(
            "desk:",
            json.dumps({name: call.get(name) for name in ("line", "pbx_call_id", "callback", "queue", "agent_ref", "match_method")}),
        )
    return 0 if sum(event["data"].get("closed_by") == "hang_up" for _, _, event in told) == args.calls else 1


def _ask(command: list[str], question: str) -> str:
    for _ in range(100):
        done = subprocess.run([*command, "-rx", question], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout
        time.sleep(0.1)
    raise RuntimeError(done.stderr)


def _follow(command: list[str], seconds: float) -> float:
    """When the callers had hung up."""
    began, last = time.time(), ""
    while time.time() - began < seconds + 30:
        shown = _ask(command, "core show channels concise")
        callers = [line for line in shown.splitlines() if line.startswith("Local/100@")]
        if time.time() - began > 5 and len(callers) != last:
            print(shown, file=sys.stderr)
            last = len(callers)
        if not callers and time.time() - began > 5:
            return time.time()
        time.sleep(0.05)
    raise RuntimeError(f"the calls did not end:\n{shown}")


def _show(told: list[tuple[float, str, dict]], ended: float) -> None:
    for at, topic, event in told:
        data, kind = event["data"], topic.rpartition("/")[2]
        if kind == "utterance":
            shown = {name: data[name] for name in ("line", "role", "start_ms", "end_ms", "lost_ms")} | {
                "verdict_ms": data["latency"]["verdict_ms"]
            }
        elif kind in ("started", "summary"):
            names = ("line", "opened_by", "closed_by", "duration_ms", "lost_ms", "pbx_call_id", "callback", "queue", "notice_given")
            shown = {name: data[name] for name in names if name in data}
        else:
            continue
        print(f"{at - ended:+7.2f} s {kind} {json.dumps(shown)}")


if __name__ == "__main__":
    sys.exit(main())
