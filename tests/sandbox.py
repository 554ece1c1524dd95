"""Run a program under a unit's own SystemCallFilter and MemoryDenyWriteExecute, as systemd would (without being systemd).

python -m tests.sandbox systemd/undertone.service PROGRAM ARGUMENT...
"""

import argparse
import ctypes
import ctypes.util
import errno
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

# seccomp.h and prctl.h
_ALLOW, _ERRNO_EPERM = 0x7FFF0000, 0x00050000 | errno.EPERM
_SET_MDWE, _REFUSE_EXEC_GAIN = 65, 1


def why_not() -> str | None:
    """Why this machine cannot; None where it can."""
    if shutil.which("systemd-analyze") is None:
        return "systemd-analyze is not installed here"
    if ctypes.util.find_library("seccomp") is None:
        return "libseccomp is not installed here"
    return None


@cache
def group(name: str) -> frozenset[str]:
    """The system calls in systemd's group `name` (@system-service)."""
    if not name.startswith("@"):
        return frozenset({name})
    done = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    found: frozenset[str] = frozenset()
    for line in (line.strip() for line in done.stdout.splitlines()[1:]):
        if line and not line.startswith("#"):
            found |= group(line)
    return found


def allowed(unit: Path) -> frozenset[str]:
    """What the unit's SystemCallFilter lines leave, taken in their order."""
    calls = group("@default")
    for line in unit.read_text().splitlines():
        if line.startswith("SystemCallFilter="):
            value = line.partition("=")[2]
            named = frozenset().union(*(group(name) for name in value.removeprefix("~").split()))
            calls = calls - named if value.startswith("~") else calls | named
    return calls | group("@default")


def refuse(calls: frozenset[str]) -> None:
    """From here on, this process and its children get EPERM for `calls`, and no memory that is writable and executable."""
    libc, seccomp = ctypes.CDLL(None, use_errno=True), ctypes.CDLL(ctypes.util.find_library("seccomp"))
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(_ALLOW))
    for name in calls:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            seccomp.seccomp_rule_add(context, _ERRNO_EPERM, number, 0)
    if seccomp.seccomp_load(context) != 0:
        sys.exit("sandbox: the kernel took no filter")
    # Kernels before 6.3 do not know it.
    libc.prctl(_SET_MDWE, _REFUSE_EXEC_GAIN, 0, 0, 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.sandbox", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("unit", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="PROGRAM ARGUMENT...")
    args = parser.parse_args()
    refuse(group("@known") - allowed(args.unit))
    os.execvp(args.command[0], args.command)
