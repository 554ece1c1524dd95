"""The sections that are ratios of CPU: ours and a baseline, taking turns."""

import re
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import which
from subprocess import DEVNULL, CalledProcessError, run
from tempfile import TemporaryDirectory

from tests.bench.environments import bench_python, tflite_python
from tests.bench.row import Row
from tests.bench.turns import ROOT, Times, Worker, in_turn, ratio

CALL = str(ROOT / "tests" / "demo" / "call.wav")
_WORK = "tests.bench.work"
# So much of the call for counting instructions: under valgrind everything takes fifty times as long.
_COUNTED_S = 8.0
# The bench shall end on a slow machine, too.
_COUNTING_CPU_S = 300


def a_call(runs: int) -> list[Row]:
    """A two-channel call, default settings and both sides' words, against bare Vosk: as it comes, and with what we set in it."""
    took = in_turn(
        runs,
        ours=Worker(_WORK, "replay", CALL),
        ours_both=Worker(_WORK, "replay", CALL, "agent"),
        bare=Worker(_WORK, "bare_vosk", CALL, "0"),
        bare_agent=Worker(_WORK, "bare_vosk", CALL, "1"),
        tuned=Worker(_WORK, "tuned_vosk", CALL, "0"),
        tuned_agent=Worker(_WORK, "tuned_vosk", CALL, "1"),
    )
    bare_both = Times(map(sum, zip(took["bare"], took["bare_agent"], strict=True)))
    tuned_both = Times(map(sum, zip(took["tuned"], took["tuned_agent"], strict=True)))

    def row(name: str, ours: Times, bare: Times, least: float | None, aim: float | None) -> Row:
        return Row(name=name, figure=ratio(ours, bare), unit="x", least=least, aim=aim, detail=f"{ours.told()} s / {bare.told()} s")

    return [
        row("CPU of replay --fast, default settings / bare Vosk on the customer's channel", took["ours"], took["bare"], 1.0, 0.6),
        row("... / the same Vosk with our beam and kernels", took["ours"], took["tuned"], None, None),
        row("CPU with both sides' words / bare Vosk on both channels", took["ours_both"], bare_both, 0.8, 0.6),
        row("... / the same Vosk with our beam and kernels on both", took["ours_both"], tuned_both, None, None),
    ]


def a_clip(runs: int) -> list[Row]:
    """3 s of a customer: the common way, and the issue's quick net, against our whole voice path."""
    common = Worker("tests.bench.common", CALL, str(ROOT / "edge/words/nltk_data"), python=bench_python())
    took = in_turn(runs, common=common, ours=Worker(_WORK, "voice", CALL), net=Worker("tests.bench.table_net", CALL))
    ours = took["ours"]
    return [
        Row(
            name="the common way's CPU for one 3 s clip (librosa, Keras predict, VADER) / our whole voice path's",
            figure=ratio(took["common"], ours), unit="x", least=25, aim=60, higher=True,
            detail=f"{took['common'].told(1000)} ms / {ours.told(1000)} ms",
        ),
        Row(
            name="our whole voice path on 3 s / the quick net (log-mel and a separable CNN of 35,000 parameters)",
            figure=ratio(ours, took["net"]), unit="x", least=3, aim=1,
            detail=f"{ours.told(1000)} ms / {took['net'].told(1000)} ms",
        ),
    ]  # fmt: skip


def a_sentence(runs: int) -> list[Row]:
    """Our words path against VADER alone."""
    took = in_turn(runs, ours=Worker(_WORK, "words", CALL), vader=Worker(_WORK, "vader", CALL))
    ours = statistics.median(took["ours"]) * 1000 / 12
    return [
        Row(name="CPU of a sentence through the whole words path, one thread", figure=ours, unit="ms", least=5, aim=3),
        Row(
            name="the same / NLTK's VADER alone", figure=ratio(took["ours"], took["vader"]), unit="x",
            detail=f"{took['ours'].told(1000 / 12)} ms / {took['vader'].told(1000 / 12)} ms",
        ),
    ]  # fmt: skip


def interpreters(runs: int) -> list[Row]:
    """LiteRT against tflite-runtime on our own model."""
    model = str(ROOT / "models/voice/model.tflite")
    given = {"litert": sys.executable, "tflite": tflite_python()}
    took = in_turn(runs, **{name: Worker("tests.bench.interpreter", model, python=python) for name, python in given.items()})
    return [
        Row(
            name="tflite-runtime 2.14.0 / LiteRT, one inference of our model",
            figure=ratio(took["tflite"], took["litert"]), unit="x", least=1, aim=1, higher=True,
            detail=f"{took['tflite'].told(1000)} ms / {took['litert'].told(1000)} ms",
        )
    ]  # fmt: skip


def instructions(_: int) -> list[Row]:
    """Instructions, which two machines can compare: the first seconds of the call, loading left out. By callgrind, where there is one."""
    if which("valgrind") is None:
        print("instructions: not counted: there is no valgrind here", file=sys.stderr)
        return []
    with TemporaryDirectory() as folder, ThreadPoolExecutor(2) as beside:
        short = _beginning(Path(folder) / "short.wav")
        try:
            ours, bare = beside.map(lambda name: _counted(Path(folder), name, short), ("unhurried_replay", "bare_vosk"))
        except (RuntimeError, CalledProcessError) as error:
            print(f"instructions: not counted: {error}; each side may take {_COUNTING_CPU_S} s of CPU", file=sys.stderr)
            return []
    return [
        Row(
            name=f"instructions of replay / bare Vosk on the customer's channel, the first {_COUNTED_S:g} s of the call",
            figure=ours / bare, unit="x", least=1.0, aim=0.6,
            detail=f"{ours / 1e9:.2f} / {bare / 1e9:.2f} thousand million, both with AVX2 kernels",
        )
    ]  # fmt: skip


def _beginning(path: Path) -> str:
    from edge.capture import wavfile

    pieces = list(wavfile.blocks(Path(CALL), chunk_ms=1000 * _COUNTED_S))
    wavfile.write(path, pieces[0].pcm, pieces[0].rate)
    return str(path)


def _counted(folder: Path, name: str, call: str) -> float:
    """Instructions of doing it once, warm."""
    out = folder / f"{name}.callgrind"
    # Valgrind knows no AVX-512: both sides get the kernels for AVX2.
    under = [
        "prlimit",
        f"--cpu={_COUNTING_CPU_S}",
        "env",
        "OPENBLAS_CORETYPE=Haswell",
        "valgrind",
        "--tool=callgrind",
        "--instr-atstart=no",
        f"--callgrind-out-file={out}",
    ]
    with Worker(_WORK, name, call, under=under) as worker:
        run(["callgrind_control", "-i", "on", str(worker.pid)], check=True, stdout=DEVNULL, stderr=DEVNULL)
        worker.once()
        run(["callgrind_control", "-i", "off", str(worker.pid)], check=True, stdout=DEVNULL, stderr=DEVNULL)
    found = re.search(r"^(?:summary|totals): (\d+)", out.read_text(errors="replace"), re.MULTILINE)
    assert found is not None, f"callgrind counted nothing: {out}"
    return float(found[1])
