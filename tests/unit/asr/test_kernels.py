"""Vosk's library is told which kernels this processor can run, and nothing else is."""

import os
import subprocess
import sys

import pytest

from edge.asr.kernels import chosen_kernels, kernels_for


@pytest.mark.parametrize(
    ("flags", "kernels"),
    [
        ("fpu sse3 avx2 fma avx512f avx512dq avx512bw avx512vl", "SkylakeX"),
        ("fpu sse3 avx2 fma avx512f", "Haswell"),
        ("fpu sse3 avx2 fma", "Haswell"),
        ("fpu sse3 avx", None),
    ],
)
def test_the_newest_kernels_are_taken_that_the_processor_can_run(flags, kernels):
    assert kernels_for(f"model name : some Xeon\nflags\t\t: {flags}\nbugs\t\t:\n") == kernels


def test_on_arm_vosks_own_choice_stands():
    assert kernels_for("processor : 0\nFeatures : fp asimd evtstrm crc32 cpuid\n") is None


def test_what_somebody_has_set_stays(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    with chosen_kernels():
        assert os.environ["OPENBLAS_CORETYPE"] == "Nehalem"
    assert os.environ["OPENBLAS_CORETYPE"] == "Nehalem"


def test_nothing_is_left_for_child_processes_to_inherit():
    script = "import os, edge.asr.recogniser; print(os.environ.get('OPENBLAS_CORETYPE'))"
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "None"
