"""Which kernels of linear algebra Vosk uses: its OpenBLAS takes a processor that is newer than itself for the oldest it knows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = "OPENBLAS_CORETYPE"
# The newest first: the flags that Linux must show of a processor, and the name under which vosk 0.3.45 has kernels for them. On a
# Xeon of 2023 it takes "Prescott" by itself; with these the same call costs a quarter to a third less, with the same words
# (measured; confidences differ in the sixth digit).
_KERNELS = (
    ({"avx512f", "avx512dq", "avx512bw", "avx512vl", "fma"}, "SkylakeX"),
    ({"avx2", "fma"}, "Haswell"),
)


def kernels_for(cpuinfo: str) -> str | None:
    """The kernels for the processor that `cpuinfo` (/proc/cpuinfo) describes; None where Vosk's own choice stands, as on ARM."""
    flags = next((line.partition(":")[2].split() for line in cpuinfo.splitlines() if line.startswith("flags")), [])
    return next((name for needed, name in _KERNELS if needed.issubset(flags)), None)


@contextmanager
def chosen_kernels() -> Iterator[None]:
    """While Vosk's library is loaded, which is when it looks: what somebody has set stays, and no child process inherits ours."""
    name = None if _NAME in os.environ else kernels_for(_cpuinfo())
    if name is None:
        yield
        return
    os.environ[_NAME] = name
    try:
        yield
    finally:
        del os.environ[_NAME]


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
