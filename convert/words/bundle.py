"""The words model as a bundle: tables, calibration, golden sentences, and a load as on a box to prove it."""

import math
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from convert.pack import finish, now, write_manifest
from convert.words.corpus import CAUSES, LABELS
from convert.words.net_tables import beside_layers
from convert.words.report import Fitted
from convert.words.train import Material, quantise
from convert.words.trained import Trained
from edge.bundle import golden
from edge.bundle.golden import Case
from edge.bundle.manifest import Bundle, Manifest
from edge.bundle.signature import Trust
from edge.errors import UsageError
from edge.tflite.interpreter import SequenceNet
from edge.values import ModelKind
from edge.words.combine import CALLS
from edge.words.model import POLARITIES, Calibration, WordsModel
from edge.words.net import WIDTH
from edge.words.ngrams import PAIR_BITS, WORD_BITS
from edge.words.rated import RATED

# Ours, no corpus lines: complaint, threat, fact, question, thanks, mixture, misspelling, unknown words, one word, many.
_SENTENCES = {
    "waiting": "i have been on hold for forty minutes and nobody has answered",
    "threat": "if this is not sorted today i am closing my account",
    "fact": "my reference starts with a seven and the order is for two chairs",
    "question": "what time does the branch open on saturday",
    "thanks": "thank you so much you have been very helpful",
    "mixture": "the engineer was lovely but the internet is still down",
    "misspelt": "i am verry dissapointed with the delivary",
    "unknown": "zorbled quixly the frumious bandersnatch",
    "one": "cancelled",
    "calm": "my card was declined twice this morning",
    "irony": "thanks for nothing",
    "praise": "it couldn't have gone better",
    "long": "i ordered it on monday and you said wednesday and then friday and today is tuesday and there is no sign of it",
}  # fmt: skip
# What another processor's rounding of what goes into the net's layers does to an answer. Without a net: additions in another order.
_TOLERANCE = {"log_odds": 0.05, "causes": 0.02}


def pack(
    folder: Path, trained: Trained, fitted: Fitted, given: Material, measured: Mapping[str, float], *,
    metrics_are_of: str, name: str, version: str, licence: str, key: Path | None, quick: bool = False,
    speaker: Mapping[str, NDArray[np.generic]] | None = None,
) -> Bundle:  # fmt: skip
    """The bundle in `folder`, made anew, signed with `key` (None: unsigned), marked if `quick`, loaded as a box would."""
    if folder.exists() and not (folder / "manifest.json").is_file() and any(folder.iterdir()):
        raise UsageError("holds something that is no bundle", path=folder, remedy="give an empty folder, or that of an older bundle")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # The box knows factors of causes alone.
    table = trained.table
    tables = quantise(np.concatenate([table[:, :POLARITIES], fitted.causes[0] * table[:, POLARITIES:]], axis=1))
    tables |= {f"speaker.{part}": numbers for part, numbers in (speaker or {}).items()}
    layers = None
    if trained.net is not None:
        tables |= {f"net.{part}": numbers for part, numbers in beside_layers(trained.net).items()}
        (folder / "net.tflite").write_bytes(trained.layers)
        layers = SequenceNet(folder / "net.tflite", width=WIDTH, outputs=WIDTH)
    with (folder / "words.npz").open("wb") as file:
        np.savez_compressed(file, **tables)  # type: ignore[arg-type] # numpy's stub takes the names for its own flags
    calibration = Calibration(
        scale=(float(fitted.negative[0]), float(fitted.positive[0])),
        net_scale=(float(fitted.negative[1]), float(fitted.positive[1])),
        net_cause_scale=float(fitted.causes[1]),
        shift=fitted.shift,
        prior=CALLS,
        decision=fitted.decision,
        causes=CAUSES,
        cause_factors=tuple(np.exp(fitted.cause_shift).tolist()),
    )
    answers = golden.record(
        [Case(name=case, text=text) for case, text in _SENTENCES.items()], WordsModel(tables, calibration, layers=layers).answer, _TOLERANCE
    )
    golden.write(folder / "golden.json", answers)
    write_manifest(
        folder,
        Manifest(
            kind=ModelKind.WORDS,
            name=name,
            version=version,
            created=now(),
            labels=LABELS,
            features={"rated": list(RATED), "word_bits": WORD_BITS, "pair_bits": PAIR_BITS},
            calibration=msgspec.to_builtins(calibration),
            # No figure where there was nothing to tell apart, as in a handful of spoken rows.
            metrics={figure: round(value, 4) for figure, value in measured.items() if math.isfinite(value)},
            golden="golden.json",
            licence=licence,
            provenance={
                "rows": len(given.rows),
                "spoken_rows": len(given.spoken),
                "lessons": len(given.lessons),
                "made_complaints": len(given.complaints),
                "metrics_are_of": metrics_are_of,
                **({"quick": True} if quick else {}),
                "weights": "fitted on tweets, sentences of our own and calm turns of public dialogues, not on real calls",
            },
        ),
    )
    bundle = finish(folder, key)
    WordsModel.load(folder, trust=Trust(allow_unsigned=True))
    return bundle
