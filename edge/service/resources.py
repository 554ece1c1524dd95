"""What this process uses of the box, and what is left: figures from /proc."""

import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What this process uses, and what is left. CPU seconds include capture children that have ended."""

    cpu_s: float
    memory_mb: float
    disk_free_mb: float
    open_files: int


def resources(state_dir: Path) -> Resources:
    """This process's figures; `disk_free_mb` of the file system that holds `state_dir`, or its nearest folder that exists."""
    times = os.times()
    return Resources(
        cpu_s=round(times.user + times.system + times.children_user + times.children_system, 2),
        memory_mb=round(_resident_bytes() / 1e6, 1),
        disk_free_mb=round(shutil.disk_usage(_existing(state_dir)).free / 1e6, 1),
        open_files=sum(1 for _ in Path("/proc/self/fd").iterdir()),
    )


def memory_available_mb() -> float:
    """What the kernel could still give to programs (MemAvailable)."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024 / 1e6
    return math.nan


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
