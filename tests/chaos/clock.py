"""The wall clock jumps under a running box: every call of its process that reads it sees the jump, through a preloaded library."""

import mmap
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box import ALERT_EVERY
from tests.broker import Broker
from tests.chaos.table import Row, Scale
from tests.telling import Subscriber, consumer, until

_HOUR, _DAY = 3600, 86_400
# Interposed in libc, so Python, SQLite and msgspec all see it; CLOCK_MONOTONIC and CLOCK_BOOTTIME go on, as they would.
_SHIM = """\
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile long *jump;
__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("UNDERTONE_TEST_JUMP"), O_RDONLY);
    jump = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    close(file);
}
int clock_gettime(clockid_t id, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, id, now);
    if (!failed && id == CLOCK_REALTIME) now->tv_sec += *jump;
    return failed;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    now->tv_sec = at.tv_sec;
    now->tv_usec = at.tv_nsec / 1000;
    return 0;
}
"""
_JUMPS = (_HOUR, -_HOUR, _DAY, -_DAY, 0)


def section(folder: Path, scale: Scale) -> Iterator[Row]:
    """One run with all jumps; then a box that is killed and starts a day earlier than it ended."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler here: a jump of the clock needs a small library before libc")
    (folder / "shim.c").write_text(_SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", folder / "shim.so", folder / "shim.c"], check=True)
    (folder / "jump").write_bytes(bytes(8))
    events = scale.of(3000, 300)
    with (
        (folder / "jump").open("r+b") as file,
        mmap.mmap(file.fileno(), 8) as jump,
        Broker(folder, persistent=True) as broker,
        Subscriber(broker.url) as subscriber,
    ):
        env = os.environ | {"LD_PRELOAD": str(folder / "shim.so"), "UNDERTONE_TEST_JUMP": str(folder / "jump")}
        began = time.monotonic()
        _run(folder, broker.url, 1, events, env, jump, _JUMPS)
        until(lambda: len(subscriber.events("call.text")) == events)
        took = time.monotonic() - began
        yield _row(subscriber, events, "+-1 h, +-1 day and back, under a box that tells events", took)
        jump[:] = struct.pack("<q", -_DAY)
        began = time.monotonic()
        _run(folder, broker.url, events + 1, 2 * events, env, jump, ())
        until(lambda: len(subscriber.events("call.text")) == 2 * events)
        yield _row(subscriber, 2 * events, "a box that starts a day before the day on which it ended", time.monotonic() - began)


def _run(folder: Path, url: str, first: int, last: int, env: dict[str, str], jump: mmap.mmap, jumps: tuple[int, ...]) -> None:
    command = [sys.executable, "-m", "tests.box", str(folder / "box"), url, str(first), str(last - first + 1)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as box:
        assert box.stdout is not None
        marks = {first + (last - first) * number // (len(jumps) + 1): by for number, by in enumerate(jumps, start=1)}
        for line in box.stdout:
            if int(line) in marks:
                jump[:] = struct.pack("<q", marks[int(line)])
    assert box.returncode == 0


def _row(subscriber: Subscriber, events: int, done: str, took: float) -> Row:
    prove, order = consumer()(since=0), []
    for topic, event, _ in list(subscriber.messages):
        if prove.take(topic, event) and event["type"] == "undertone.call.text.v1":
            order.append(event["id"])
    late = sum(event["historical"] for event in subscriber.events())
    paged = sum(event["data"]["state"] == "new" for event in subscriber.events("alert"))
    alerts = events // ALERT_EVERY
    return Row(
        fault="clock jumps",
        done=f"{done}; {events:,} events, {alerts} alerts (a library before libc moves the wall clock of the whole process)",
        result=f"{events - len(set(order))} lost, {len(prove.missing())} topics unproven, "
        f"{late} called historical, {paged} of {alerts} alerts paged",
        # What really waited for more than a minute is historical with right.
        good=len(set(order)) == events and not prove.missing() and paged == alerts and (late == 0 or took > 60),
        well_again_s=0.0,
    )
