"""`make desk`: a broker, two boxes that hear calls, and the recovery desk; its address and a login are printed.

As in the field: each box is `undertone run` in a process of its own, whose line plays recordings as they were spoken
(tests/demo/player.py); the desk is `undertone-desk serve`. The passwords are made anew each time.
"""

import argparse
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path

import httpx

from tests.demo.broker import embedded_broker
from tests.paths import ROOT

DESK = """\
listen: 127.0.0.1:{listen}
database: "{folder}/desk.db"
mqtt: {{url: "mqtt://127.0.0.1:{broker}", protocol: "3.1.1"}}
timezone: Europe/London
"""
BOX = """\
site: leeds
device: {device}
lines:
  - name: line-1
    desk: "{desk}"
    source: {{command: ["{python}", -m, tests.demo.player, --desk, "{desk}", --cti, "{folder}/cti", {calls}], rate: 8000}}
    channels: [customer, agent]
    idle_s: 5
mqtt: {{url: "mqtt://127.0.0.1:{broker}", protocol: "3.1.1"}}
privacy: quotes
status_page: {{port: 0}}
rules: "{folder}/rules.yaml"
state_dir: "{folder}/{device}"
"""
CALLS = Path(__file__).parent / "calls"
# What each box hears first; then all of them in any order. The first of each ends in an alert.
BOXES = {
    "desk-014": ("4711", ("regulator", "calm_bill", "third_call", "anger_about_a_repair", "calm_address")),
    "desk-015": ("4712", ("third_call", "calm_address", "retention", "somebody_in_danger", "calm_bill")),
}
# Models load, two boxes at once, on a machine that has other work.
_PATIENCE_S = 120.0


def main() -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make desk", description=__doc__)
    parser.add_argument("--listen", type=int, default=8800, help="port of the desk (default 8800)")
    parser.add_argument("--until-case", type=int, metavar="N", help="end by itself once N cases have come")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(embedded_broker())
        config, address = folder / "desk.yaml", f"http://127.0.0.1:{args.listen}"
        config.write_text(DESK.format(listen=args.listen, folder=folder, broker=broker), encoding="utf-8")
        password = secrets.token_urlsafe(9)
        (folder / "password").write_text(password, encoding="utf-8")
        for name, role in (("ann", "lead"), ("ben", "operator")):
            _desk("user", "add", name, "--role", role, "--password-file", str(folder / "password"), config=config)
        pbx, watch = (
            _desk("token", "add", name, "--role", role, config=config) for name, role in (("pbx", "switchboard"), ("demo", "analyst"))
        )
        (folder / "cti").write_text(f"{address}/api/cti/{pbx}", encoding="utf-8")
        serving = stack.enter_context(_process("desk", "serve", "--config", str(config), "--log-level", "warning"))
        _await(serving, address)
        print(f"The recovery desk: {address}  Log in as ann (a lead) or ben (an operator); the password is {password}", flush=True)
        _rules(folder / "rules.yaml")
        for device, (extension, calls) in BOXES.items():
            box = folder / f"{device}.yaml"
            box.write_text(_box(device, extension, calls, folder=folder, broker=broker), encoding="utf-8")
            stack.enter_context(_process("edge", "run", "--config", str(box), "--log-level", "error"))
        print(
            f"Two boxes hear calls, one after another, and tell mqtt://127.0.0.1:{broker} (undertone listen --url shows it).\n"
            "The first cases come after a minute or so, later where the machine has other work. Ctrl-C ends everything and forgets it.",
            flush=True,
        )
        _watch(serving, address, watch, args.until_case)
    return 0


def _box(device: str, extension: str, calls: tuple[str, ...], *, folder: Path, broker: int) -> str:
    played = ", ".join(f'"{CALLS / name}.ogg"' for name in calls)
    return BOX.format(device=device, desk=extension, calls=played, folder=folder, broker=broker, python=sys.executable)


def _rules(path: Path) -> None:
    """The shipped rules; but a line that is played to all day long is angry more often than the budget of a real one allows."""
    shipped = files("edge.call.rules").joinpath("rules.yaml").read_text(encoding="utf-8")
    assert "alerts_per_hour: 6" in shipped
    path.write_text(shipped.replace("alerts_per_hour: 6", "alerts_per_hour: 60"), encoding="utf-8")


def _desk(*arguments: str, config: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "desk", *arguments, "--config", str(config)], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


@contextmanager
def _process(*command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m COMMAND` from the project's folder, until the block ends."""
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _await(serving: "subprocess.Popen[bytes]", address: str) -> None:
    """Until the desk answers."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        try:
            if httpx.get(f"{address}/healthz", timeout=5).json()["ok"]:
                return
        except httpx.TransportError:
            pass
        if serving.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"make desk: nothing serves at {address}; is the port taken? give another: python -m tests.demo.desk --listen PORT")


def _watch(serving: "subprocess.Popen[bytes]", address: str, token: str, cases: int | None) -> None:
    """Until the desk ends, or `cases` have come."""
    while serving.poll() is None:
        time.sleep(0.5)
        if cases is not None:
            found = httpx.get(f"{address}/api/cases", headers={"Authorization": f"Bearer {token}"}, timeout=20).json()["cases"]
            if len(found) >= cases:
                return


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(0)
