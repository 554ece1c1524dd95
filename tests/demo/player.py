"""A telephone line that never falls silent for long: plays recordings as they were spoken, one after another, as raw sound on stdout.

The source of a box's line in `make desk`. It is the switchboard, too: the desk is told who is calling as each call begins, and when it is
over.
"""

import argparse
import itertools
import json
import random
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

RATE = 8000
_STEP = RATE // 10
# More than the `idle_s` of the boxes' lines: each recording is a call of its own.
_BETWEEN_S = 9.0


def main() -> int:
    """Play until nobody listens."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo.player", description=__doc__)
    parser.add_argument("calls", nargs="+", type=Path, metavar="CALL", help="stereo recordings: customer left, agent right")
    parser.add_argument("--desk", required=True, help="the extension that the line belongs to")
    parser.add_argument("--cti", type=Path, required=True, help="a file with the address that a switchboard tells the desk at")
    args = parser.parse_args()
    chance, due = random.Random(args.desk), time.monotonic()
    for n, call in enumerate(_in_turn(args.calls, chance)):
        about = {
            "callId": f"{args.desk}-{int(time.time())}-{n}", "direction": "in", "to": args.desk,
            "from": f"+44113496{chance.randint(0, 40):04d}",
            "customer_ref": f"K-{chance.randint(1000, 1040)}", "queue": "service",
        }  # fmt: skip
        _tell(args.cti, about | {"event": "answer"})
        sound, _ = soundfile.read(call, dtype="int16", always_2d=True)
        for piece in _pieces(sound):
            try:
                sys.stdout.buffer.write(piece.tobytes())
                sys.stdout.buffer.flush()
            except BrokenPipeError:
                return 0
            due += len(piece) / RATE
            time.sleep(max(0.0, due - time.monotonic()))
        _tell(args.cti, about | {"event": "hangup"})
    return 0


def _in_turn(calls: list[Path], chance: random.Random) -> Iterator[Path]:
    """As they are given, and from then on each once in any order."""
    yield from calls
    for _ in itertools.count():
        yield from chance.sample(calls, len(calls))


def _pieces(sound: "np.ndarray[tuple[int, int], np.dtype[np.int16]]") -> Iterator["np.ndarray[tuple[int, int], np.dtype[np.int16]]"]:
    """A call, and the quiet behind it, a tenth of a second at a time."""
    quiet = np.zeros((int(_BETWEEN_S * RATE), 2), np.int16)
    whole = np.concatenate((sound, quiet))
    for first in range(0, len(whole), _STEP):
        yield whole[first : first + _STEP]


def _tell(cti: Path, message: dict[str, str]) -> None:
    """To the desk; where it is away the call goes on, as calls do."""
    request = urllib.request.Request(cti.read_text().strip(), json.dumps(message).encode(), {"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request, timeout=2).close()
    except (OSError, urllib.error.URLError) as error:
        print(f"the desk was not told of the call: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
