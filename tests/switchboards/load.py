"""How many calls over the network a box takes in one moment, and what strangers do to it. Real box, broker and clients.

    python -m tests.switchboards.load calls --calls 8 --seconds 30 --rounds 2     verdicts of calls that begin together
    python -m tests.switchboards.load strangers --connections 10000 --seconds 60  two calls in a flood

A figure is one of this machine alone only where nothing else runs: its load is printed beside it.
"""

import argparse
import json
import os
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import soxr

from edge.service.spoken_call import spoken_call
from edge.values import SAMPLE_RATE, Pcm, Role
from tests.broker import Broker
from tests.ports import free_port
from tests.service import Service
from tests.switchboards.clients import RATE, fork, paced
from tests.telling import Subscriber, until

_TOKEN = "a-token-of-sixteen-characters"
# The demo's call is silent on the customer's side until here.
_CUSTOMER_FROM_S = 4
# A box warms its recognisers from 15 s on, one after the other.
_WARM_S = 25.0
_UPGRADE = (
    b"Host: box\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)


class Box:
    """A box with a line for forks and one for AudioSocket, measured from outside."""

    def __init__(self, folder: Path, broker: Broker, calls: int) -> None:
        self.web, self.socket = free_port(), free_port()
        (folder / "tokens").write_text(f"{_TOKEN}\n")
        lines = [
            {
                "name": name,
                "source": {"listen": {"protocol": protocol, "port": port, "max_calls": calls} | more},
                "channels": ["customer", "agent"],
            }
            for name, protocol, port, more in (
                ("web", "websocket", self.web, {"tokens_file": str(folder / "tokens")}),
                ("pbx", "audiosocket", self.socket, {}),
            )[: 1 if calls > 2 else 2]
        ]
        self.service = Service(folder, f"lines: {json.dumps(lines)}\nmqtt: {json.dumps({'url': broker.url})}\n")

    @property
    def cpu_s(self) -> float:
        times = Path(f"/proc/{self.service.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_mb(self) -> float:
        return int(Path(f"/proc/{self.service.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def start_calls(self, names: list[str], sound: Pcm) -> list[threading.Thread]:
        """Calls that begin now, each in a thread that ends with it."""

        def call(name: str) -> None:
            client = fork(f"ws://127.0.0.1:{self.web}/{_TOKEN}", {"pbx_call_id": name})
            paced(sound, lambda packet: client.send(packet.tobytes()))
            client.close()

        threads = [threading.Thread(target=call, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        return threads


def speech(seconds: float) -> Pcm:
    sound = spoken_call((Role.CUSTOMER, Role.AGENT))[:, _CUSTOMER_FROM_S * SAMPLE_RATE :].T
    made = np.clip(np.rint(soxr.resample(sound.astype(np.float32), SAMPLE_RATE, RATE)), -32768, 32767).astype(np.int16)
    return np.tile(made, (int(seconds * RATE / len(made)) + 1, 1))[: int(seconds * RATE)]


def calls(box: Box, subscriber: Subscriber, args: argparse.Namespace) -> None:
    time.sleep(args.warm)
    for number in range(args.rounds):
        subscriber.messages.clear()
        before_s, began = box.cpu_s, time.monotonic()
        for thread in box.start_calls([f"{number}-{n}" for n in range(args.calls)], speech(args.seconds)):
            thread.join()
        cores = (box.cpu_s - before_s) / (time.monotonic() - began)
        until(lambda: len(subscriber.events("call.summary")) >= args.calls)
        heard = [event["data"] for event in subscriber.events("call.utterance") if event["data"]["role"] == "customer"]
        verdicts = [one["latency"]["verdict_ms"] for one in heard]
        first = [
            min((one["n"], one["latency"]["verdict_ms"]) for one in heard if one["call"] == call)[1]
            for call in {one["call"] for one in heard}
        ]
        lost_ms = sum(event["data"]["lost_ms"] for event in subscriber.events("call.summary"))
        without = sum(one["words_reason"] == "overload" for one in heard)
        print(
            f"{args.calls} calls: {len(heard)} verdicts, median {np.median(verdicts):.0f} ms, p95 {np.percentile(verdicts, 95):.0f} ms; "
            f"first of each call {min(first):.0f} to {max(first):.0f} ms; {without} without words (overload), {lost_ms} ms lost; "
            f"{cores:.2f} cores, {box.memory_mb:.0f} MB; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
            flush=True,
        )


def strangers(box: Box, subscriber: Subscriber, args: argparse.Namespace) -> None:
    full = f"GET /{_TOKEN} HTTP/1.1\r\n".encode() + _UPGRADE
    says = [
        (box.web, b"GET /?token=wrong HTTP/1.1\r\n" + _UPGRADE), (box.web, b"\x16\x03\x01" + bytes(200)), (box.web, full),
        (box.socket, bytes(400)), (box.socket, b""), (box.socket, struct.pack(">BH", 1, 16) + bytes(16)),
    ]  # fmt: skip
    lines, before_s, before_mb, peak_mb = len(box.service.log), box.cpu_s, box.memory_mb, 0.0
    threads = box.start_calls(["calm-1", "calm-2"], speech(args.seconds))
    held: list[socket.socket] = []
    began = time.monotonic()
    for number in range(args.connections):
        port, said = says[number % len(says)]
        stranger = socket.create_connection(("127.0.0.1", port), timeout=10)
        stranger.sendall(said)
        held.append(stranger)
        if len(held) > 150:
            held.pop(0).close()
        if number % 500 == 0:
            peak_mb = max(peak_mb, box.memory_mb)
        time.sleep(max(0.0, began + (number + 1) * args.seconds / args.connections - time.monotonic()))
    took_s = time.monotonic() - began
    for thread in threads:
        thread.join()
    for stranger in held:
        stranger.close()
    until(lambda: len(subscriber.events("call.summary")) >= 2)
    for event in subscriber.events("call.summary"):
        data = event["data"]
        print({name: data[name] for name in ("line", "pbx_call_id", "closed_by", "duration_ms", "lost_ms")})
    heard = [event["data"] for event in subscriber.events("call.utterance") if event["data"]["role"] == "customer"]
    p95 = np.percentile([one["latency"]["verdict_ms"] for one in heard], 95)
    print(
        f"{args.connections} connections in {took_s:.0f} s; verdicts p95 {p95:.0f} ms; memory {before_mb:.0f}, at most {peak_mb:.0f} MB; "
        f"{box.cpu_s - before_s:.1f} s of processor; {len(box.service.log) - lines} lines of log; load {os.getloadavg()[0]:.1f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tests.switchboards.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(dest="what", required=True)
    one, other = kinds.add_parser("calls"), kinds.add_parser("strangers")
    one.add_argument("--calls", type=int, default=8)
    one.add_argument("--rounds", type=int, default=1)
    one.add_argument("--warm", type=float, default=_WARM_S + 15, help="seconds to wait first, so that recognisers are warm (0: cold ones)")
    other.add_argument("--connections", type=int, default=10_000)
    for kind in (one, other):
        kind.add_argument("--seconds", type=float, default=30.0 if kind is one else 60.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made, Broker(Path(made)) as broker, Subscriber(broker.url) as subscriber:
        box = Box(Path(made), broker, args.calls if args.what == "calls" else 2)
        with box.service:
            box.service.until(lambda status: set(status["state"]["lines"].values()) == {"listening"})
            (calls if args.what == "calls" else strangers)(box, subscriber, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
