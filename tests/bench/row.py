"""What every section of the bench gives, and the machine that it was measured on."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure. `least` and `aim` bound it, `higher` says which way is good; without them it is told and not judged."""

    name: str
    figure: float
    unit: str
    least: float | None = None
    aim: float | None = None
    higher: bool = False
    detail: str = ""

    @property
    def verdict(self) -> str:
        """aim, least or short; nothing where nothing was asked."""
        if self.least is None or self.aim is None:
            return ""
        if self._reaches(self.aim):
            return "aim"
        return "least" if self._reaches(self.least) else "short"

    @property
    def share(self) -> float | None:
        """The figure as a share of the least that was asked: up to 1 is good. None where nothing was asked."""
        if not self.least:
            return None
        return self.least / max(self.figure, 1e-9) if self.higher else self.figure / self.least

    def _reaches(self, bound: float) -> bool:
        return self.figure >= bound if self.higher else self.figure <= bound


def machine() -> str:
    """Processor, cores, memory, kernel, Python, and how busy it was when asked."""
    info = Path("/proc/cpuinfo").read_text()
    names = [line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith(("model name", "Model"))]
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{names[0] if names else 'unknown processor'} ({platform.machine()}), {os.cpu_count()} cores, {memory_gb:.0f} GB, "
        f"Linux {platform.release()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )
