"""The words model as a bundle: tables, calibration, golden sentences, and a load as on a box to prove it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from convert.pack import finish, now, write_manifest
from convert.words_corpus import CAUSES, LABELS
from convert.words_fit import Floats
from convert.words_report import Fitted
from convert.words_train import Material, quantise
from edge.bundle import golden
from edge.bundle.golden import Case
from edge.bundle.manifest import Bundle, Manifest
from edge.bundle.signature import Trust
from edge.errors import UsageError
from edge.words.model import POLARITIES, Calibration, WordsModel
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
    "long": "i ordered it on monday and you said wednesday and then friday and today is tuesday and there is no sign of it",
}  # fmt: skip
# The same additions in float32 in another order.
_TOLERANCE = {"log_odds": 1e-3, "causes": 1e-3}


def pack(
    folder: Path, table: Floats, fitted: Fitted, given: Material, measured: Mapping[str, float], *,
    name: str, version: str, licence: str, key: Path | None,
) -> Bundle:  # fmt: skip
    """The bundle in `folder`, made anew, signed with `key` (None: unsigned), loaded as a box would."""
    if folder.exists() and not (folder / "manifest.json").is_file() and any(folder.iterdir()):
        raise UsageError(f"{folder}: holds something that is no bundle; give an empty folder, or that of an older bundle")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # The box knows factors of causes alone.
    tables = quantise(np.concatenate([table[:, :POLARITIES], fitted.cause_scale * table[:, POLARITIES:]], axis=1))
    with (folder / "words.npz").open("wb") as file:
        np.savez_compressed(file, **tables)  # type: ignore[arg-type] # numpy's stub takes the names for its own flags
    shares = np.bincount(given.labels, minlength=3) / len(given.labels)
    calibration = Calibration(
        scale=fitted.scale,
        shift=fitted.shift,
        prior=(float(shares[0]), float(shares[1]), float(shares[2])),
        decision=fitted.decision,
        causes=CAUSES,
        cause_factors=tuple(np.exp(fitted.cause_shift).tolist()),
    )
    answers = golden.record(
        [Case(name=case, text=text) for case, text in _SENTENCES.items()], WordsModel(tables, calibration).answer, _TOLERANCE
    )
    golden.write(folder / "golden.json", answers)
    write_manifest(
        folder,
        Manifest(
            kind="words",
            name=name,
            version=version,
            created=now(),
            labels=LABELS,
            features={"rated": list(RATED), "word_bits": WORD_BITS, "pair_bits": PAIR_BITS},
            calibration=msgspec.to_builtins(calibration),
            metrics={figure: round(value, 4) for figure, value in measured.items()},
            golden="golden.json",
            licence=licence,
            provenance={
                "rows": len(given.rows),
                "spoken_rows": len(given.spoken),
                "made_sentences": len(given.service),
                "made_complaints": len(given.complaints),
                "metrics_are_of": "five folds, near-duplicates together; the shipped tables are trained on every row",
                "weights": "fitted on tweets and made sentences, not on calls",
            },
        ),
    )
    bundle = finish(folder, key)
    WordsModel.load(folder, trust=Trust(allow_unsigned=True))
    return bundle
