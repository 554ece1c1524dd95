"""Environments that baselines need and the box must not have: made once under .venv-*, from the package index."""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def _uv(*arguments: str) -> None:
    subprocess.run([str(Path(sys.executable).parent / "uv"), *arguments], cwd=ROOT, check=True, capture_output=True)


def _environment(name: str, *packages: str) -> str:
    folder = ROOT / name
    python = folder / "bin" / "python"
    if not (folder / "bench.stamp").exists():
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--quiet", "--python", str(python), *packages)
        (folder / "bench.stamp").touch()
    return str(python)


def bench_python() -> str:
    """A Python with librosa, TensorFlow and NLTK: the common way."""
    return _environment(".venv-bench", "librosa==0.11.0", "tensorflow>=2.20,<2.22", "nltk>=3.10")


def tflite_python() -> str:
    """A Python with tflite-runtime 2.14.0 (3.11 at most, NumPy 1)."""
    return _environment(".venv-tflite", "tflite-runtime==2.14.0", "numpy<2")


def box_size_mb() -> float:
    """Megabytes on disk of a fresh box environment: undertone and what it needs to run, capture included; no models."""
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder) / "venv"
        _uv("venv", "--quiet", "--python", sys.executable, str(venv))
        _uv(
            "pip",
            "install",
            "--quiet",
            "--link-mode",
            "copy",
            "--python",
            str(venv / "bin/python"),
            "--constraint",
            "constraints.txt",
            ".[capture]",
        )
        models = sum(f.stat().st_size for f in (venv / "share").rglob("*") if f.is_file())
        return (sum(f.stat().st_size for f in venv.rglob("*") if f.is_file() and not f.is_symlink()) - models) / 1e6
