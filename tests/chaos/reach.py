"""What is known of the packages that a box runs: by pip-audit, in an environment made for it, and by whether their makers took any back."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from tests.chaos.table import Row, Scale

_PATIENCE_S = 240.0


def box_packages() -> list[str]:
    """name==version of everything that a box needs, as it is installed here: `undertone` and what that requires, all the way down."""
    found: dict[str, str] = {}
    waiting = [(name, "") for name in ("undertone",)] + [("undertone", "capture")]
    while waiting:
        name, extra = waiting.pop()
        for text in metadata.requires(name) or []:
            wanted = Requirement(text)
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
                continue
            if wanted.name.lower() not in found:
                try:
                    found[wanted.name.lower()] = metadata.version(wanted.name)
                except metadata.PackageNotFoundError:
                    continue
                waiting += [(wanted.name, one) for one in ("", *wanted.extras)]
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def section(folder: Path, _scale: Scale) -> Iterator[Row]:
    """What is known against the versions of this environment."""
    yield audited(box_packages(), folder)
    yield yanked(box_packages())


def audited(packages: list[str], folder: Path) -> Row:
    """What pip-audit says; where it cannot ask, the versions."""
    listed, done = folder / "box.txt", f"pip-audit over the {len(packages)} packages of a box"
    listed.write_text("\n".join(packages) + "\n")
    with tempfile.TemporaryDirectory() as home:
        python = Path(home) / "bin" / "python"
        audit = [python, "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner=off", "--timeout=10", "-f", "json", "-r"]
        try:
            subprocess.run([sys.executable, "-m", "venv", home], check=True, capture_output=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "pip-audit"], check=True, capture_output=True, timeout=_PATIENCE_S)
            asked = subprocess.run([*audit, listed], capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
            answers = json.loads(asked.stdout)["dependencies"]
        except (subprocess.SubprocessError, ValueError) as error:
            why = f"no data base of vulnerabilities can be reached here ({type(error).__name__}); installed: {', '.join(packages)}"
            return Row(fault="dependency audit", done=done, result=why, good=None)
    return verdict(answers, packages)


def yanked(packages: list[str]) -> Row:
    """Whether the makers of a package took that version back (PEP 592), as uv hears it from the package index."""
    fault, done = "package taken back by its makers", f"uv over the {len(packages)} packages of a box"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if uv is None:
        return Row(fault=fault, done=done, result="uv is not installed", good=None)
    command = [uv, "pip", "compile", "--no-deps", "--no-header", "--no-annotate", "--color=never", "-"]
    asked = subprocess.run(command, input="\n".join(packages), capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    if asked.returncode:
        return Row(fault=fault, done=done, result="the package index cannot be reached here", good=None)
    told = [line.removeprefix("warning: ") for line in asked.stderr.splitlines() if " is yanked" in line]
    return Row(fault=fault, done=done, result=f"{len(told)} yanked{': ' if told else ''}{'; '.join(told)}", good=not told)


def verdict(answers: list[dict], packages: list[str]) -> Row:
    """The row for what pip-audit answered. Nobody knowing a package is no good news of it."""
    fault, done = "dependency audit", f"pip-audit over the {len(packages)} packages of a box"
    asked = [one for one in answers if "skip_reason" not in one]
    if not asked:
        why = f"the package index here knows no vulnerabilities (every package was skipped); installed: {', '.join(packages)}"
        return Row(fault=fault, done=done, result=why, good=None)
    known = [f"{one['name']} {one['version']}: {vulnerability['id']}" for one in asked for vulnerability in one["vulns"]]
    unknown = [one["name"] for one in answers if "skip_reason" in one]
    result = f"{len(asked)} asked about, {len(known)} known vulnerabilities{': ' if known else ''}{', '.join(known)}"
    result += f"; not known there: {', '.join(unknown)}" if unknown else ""
    return Row(fault=fault, done=done, result=result, good=False if known else None if unknown else True)
