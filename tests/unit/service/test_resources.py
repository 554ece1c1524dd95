"""What the service takes of the box."""

import platform
import subprocess
import sys

import pytest

# Sixteen threads at once, as a box with eight lines has them; glibc says of itself how many arenas it made.
_PROGRAM = """
import ctypes, sys, threading
from edge.service.resources import share_memory
if sys.argv[1] == "shared":
    share_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
libc.fopen.argtypes = [ctypes.c_char_p] * 2
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
together = threading.Barrier(16)
def allocate():
    libc.malloc(1000)
    together.wait(10)
threads = [threading.Thread(target=allocate) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
out = libc.fopen(b"/dev/stdout", b"w")
libc.malloc_info(0, out)
libc.fclose(out)
"""


def _arenas(how: str) -> int:
    ran = subprocess.run([sys.executable, "-c", _PROGRAM, how], capture_output=True, text=True, check=True, timeout=60)
    return ran.stdout.count("<heap nr=")


@pytest.mark.skipif("glibc" not in platform.libc_ver(), reason="only glibc has arenas")
def test_the_threads_of_all_lines_share_two_arenas() -> None:
    assert _arenas("free") > 2
    assert _arenas("shared") <= 2
