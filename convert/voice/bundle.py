"""A TFLite net to a bundle that a box takes, and what that bundle is worth on held-out clips through the box's own path."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert.metrics import auc, ece, uar
from convert.pack import finish, now, write_manifest
from convert.sound.corpora import Clip
from convert.sound.dataset import load_pcm
from convert.sound.degrade import g711
from edge.bundle import golden
from edge.bundle.manifest import Bundle, Manifest
from edge.signal.spec import SPEC
from edge.tflite.interpreter import Interpreter
from edge.values import Absent, ModelKind
from edge.voice.calibration import Calibration
from edge.voice.clip import whole_clip
from edge.voice.emotion import EmotionModel, net_answers
from edge.voice.labels import LABELS, NEGATIVE
from edge.voice.prosody import Prosody

MODEL, GOLDEN = "model.tflite", "golden.json"
# Features: one step of int8 (0.24 dB) is the most that rounding may differ. Melody: a frame that falls on the other side of a threshold
# may move a quantile by a row of pitch, 0.8 semitones. Logits: kernels of other CPUs round some steps apart.
TOLERANCE = {"features": 0.008, "melody": 1.0, "statistics": 0.2, "logits": 0.35}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the manifest says of a net's making. `calibration` was fitted on speakers that a net of this recipe did not learn from."""

    name: str
    version: str
    calibration: Calibration
    prosody: Prosody | None
    metrics: Mapping[str, float]
    licence: str
    provenance: Mapping[str, object]


def write(folder: Path, net: bytes, made: Made, key: Path | None) -> Bundle:
    """Leave a bundle of the int8 `net` in `folder`, golden vectors recorded, signed with the private key file `key` (None: unsigned).

    Raises ModelError where a box would refuse it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(net)
    interpreter = Interpreter(folder / MODEL)

    def compute(case: golden.Case) -> Mapping[str, Sequence[float]]:
        return net_answers(interpreter, case.audio.pcm()) if case.audio else {}

    golden.write(folder / GOLDEN, golden.record(golden.speech_cases(), compute, TOLERANCE))
    manifest = Manifest(
        kind=ModelKind.VOICE,
        name=made.name,
        version=made.version,
        created=now(),
        labels=LABELS,
        features={name: value for name, value in SPEC.as_dict().items()},  # noqa: C416 (a dict of objects, for the type)
        input=interpreter.input,
        output=interpreter.output,
        calibration=msgspec.to_builtins(made.calibration),
        prosody=msgspec.to_builtins(made.prosody) if made.prosody else {},
        metrics={name: round(value, 4) for name, value in made.metrics.items() if math.isfinite(value)},
        golden=GOLDEN,
        licence=made.licence,
        provenance=dict(made.provenance),
    )
    write_manifest(folder, manifest)
    return finish(folder, key)


def judge(model: EmotionModel, clips: Sequence[Clip], title: str) -> dict[str, float]:
    """Figures of `model` on `clips` through a G.711 line, by corpus: `<corpus>_uar`, `_negative_auc`, `_ece`, `_clips`, `_abstained`."""
    figures: dict[str, float] = {}
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        chosen = [clip for clip in clips if clip.corpus == corpus]
        truth, guess, p = [], [], []
        for clip in tqdm(chosen, desc=f"{title} {corpus}", unit="clip", leave=False, disable=None):
            reading = model.read(whole_clip(g711(load_pcm(clip))))
            if isinstance(reading, Absent):
                continue
            truth.append(LABELS.index(clip.label))
            guess.append(LABELS.index(reading.label))
            p.append(reading.p_negative)
        figures |= {f"{corpus}_{name}": value for name, value in _figures(np.asarray(truth), np.asarray(guess), np.asarray(p)).items()}
        figures[f"{corpus}_clips"] = float(len(chosen))
        figures[f"{corpus}_abstained"] = float(len(chosen) - len(truth))
    return figures


def _figures(truth: NDArray[np.int64], guess: NDArray[np.int64], p: NDArray[np.float64]) -> dict[str, float]:
    if not len(truth):
        return {}
    negative = np.asarray([LABELS[k] in NEGATIVE for k in truth])
    if not negative.any():
        return {"above_half": float(np.mean(p > 0.5))}  # noqa: PLR2004 (calm calls: what would be taken for displeasure)
    return {
        "uar": uar(truth, guess, len(LABELS)),
        "accuracy": float(np.mean(truth == guess)),
        "negative_auc": auc(p, negative),
        "ece": ece(p, negative),
    }
