"""No line of the log is lost while descriptor 2 is turned away."""

import subprocess
import sys

import pytest

# The interpreter's own hush, held by one thread again and again, as models that load one after the other do.
_PROGRAM = """
import logging, sys, threading
from edge.journal import stream
from edge.tflite.interpreter import hushed

BEGIN
hushes, done = 0, threading.Event()

def load():
    global hushes
    while not done.is_set():
        with hushed():
            hushes += 1
            done.wait(0.001)

thread = threading.Thread(target=load)
thread.start()
n = 0
while n < 1000 or hushes < 20:
    logging.getLogger("undertone.bus").warning("bus.trouble n=%d", n)
    print("written to stderr", n, file=sys.stderr)
    n += 1
done.set()
thread.join()
print(n)
"""


def told(begin: str) -> tuple[list[str], int]:
    """What reached descriptor 2 of a process that logs while it hushes its libraries, and how many lines that should be."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM.replace("BEGIN", begin)], capture_output=True, text=True, check=True, timeout=120)
    return done.stderr.splitlines(), int(done.stdout)


@pytest.mark.parametrize("run", range(3))
def test_every_line_reaches_the_log_whoever_turns_standard_error_away(run):
    lines, count = told('stream.begin("info")')
    assert [line for line in lines if "bus.trouble" in line] == [f"WARNING undertone.bus bus.trouble n={n}" for n in range(count)]
    assert len([line for line in lines if line.startswith("written to stderr")]) == count


def test_a_log_on_standard_error_itself_does_lose_lines():
    lines, count = told("logging.basicConfig(stream=sys.stderr)")
    assert len([line for line in lines if "bus.trouble" in line]) < count
