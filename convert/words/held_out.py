"""Sentences held out beside the corpus, by group: what calibration stands on for callers, and what a model is worth to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convert.words.corpus import LABELS
from convert.words.fit import Floats
from convert.words.sets import Calm, Pair, Said, hashed
from edge.words.combine import CALLS

Ints = NDArray[np.int64]
CALM, DISPLEASED, SAID = "told calmly", "told with displeasure", "said"
_NEGATIVE, _NEUTRAL, _POSITIVE = range(3)
# Of what calibration goes by, so much is the corpus; of what is neutral, the rest is half matters told calmly and half calm turns.
_CORPUS = (0.5, 0.3, 0.5)
# Of each group of calm turns so many are judged: enough for a tenth of a per cent.
_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutSet:
    """`texts` with `labels` (indices of LABELS) and the group of each: CALM and DISPLEASED in the same order, SAID, files of calm turns."""

    texts: Sequence[str]
    labels: Ints
    groups: NDArray[np.str_]


def held_out(pairs: Sequence[Pair], said: Sequence[Said], calm: Sequence[Calm]) -> HeldOutSet:
    """The held-out parts of all three. Calm turns go as neutral, though some may be gladness: they are only known not to be negative."""
    rows = [(pair.calm, "neutral", CALM) for pair in pairs if pair.held]
    rows += [(pair.displeased, "negative", DISPLEASED) for pair in pairs if pair.held]
    rows += [(one.text, one.label, SAID) for one in said if one.held]
    for group in sorted({one.group for one in calm}):
        turns = sorted((one.text for one in calm if one.held and one.group == group), key=hashed)
        rows += [(text, "neutral", group) for text in turns[:_MOST]]
    texts, labels, groups = zip(*rows, strict=True)
    return HeldOutSet(texts=texts, labels=np.array([LABELS.index(label) for label in labels]), groups=np.array(groups))


def weights_of(corpus: Ints, held: HeldOutSet, plain: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """How much each row of the corpus (labels given) and each held sentence counts in calibration: the classes as common as on calls.

    `plain` says which held sentences may be counted at all.
    """
    ours = np.zeros(len(held.labels))
    rows = np.zeros(len(corpus))
    for label, mass in enumerate(CALLS):
        rows[corpus == label] = 1
        shares = {SAID: 1.0, DISPLEASED: 1.0} if label != _NEUTRAL else {CALM: 0.4, SAID: 0.2, "": 0.4}
        there = _shared(held, label, plain, shares)
        own = _CORPUS[label] if there.any() else 1.0
        rows[corpus == label] *= mass * own / max(1, int((corpus == label).sum()))
        if there.any():
            ours += there * (mass * (1 - own) / there.sum())
    whole = rows.sum() + ours.sum()
    return rows * len(corpus) / whole, ours * len(corpus) / whole


def _shared(held: HeldOutSet, label: int, plain: NDArray[np.bool_], shares: Mapping[str, float]) -> Floats:
    """Weights of the held sentences of `label`, each group having its share; "" is every group of calm turns."""
    found = np.zeros(len(held.labels))
    named = np.isin(held.groups, (CALM, DISPLEASED, SAID))
    for group, share in shares.items():
        mine = (held.labels == label) & plain & ((held.groups == group) if group else ~named)
        if mine.any():
            found[mine] = share / mine.sum()
    return found


def held_figures(p: Floats, said: Ints, held: HeldOutSet) -> dict[str, float]:
    """Figures by name of probabilities `p` and labels `said` of the held sentences."""
    calm, displeased, own = (held.groups == group for group in (CALM, DISPLEASED, SAID))
    found = {
        "pairs": float(calm.sum()),
        "calm_negative": float((said[calm] == _NEGATIVE).mean()),
        "displeased_missed": float((said[displeased] != _NEGATIVE).mean()),
        "ranked": float((p[displeased, _NEGATIVE] > p[calm, _NEGATIVE]).mean()),
        "said": float(own.sum()),
        "said_right": float((said[own] == held.labels[own]).mean()),
    }
    for group in sorted(set(held.groups.tolist()) - {CALM, DISPLEASED, SAID}):
        mine = held.groups == group
        found[f"{group}: turns"] = float(mine.sum())
        found[f"{group}: negative"] = float((said[mine] == _NEGATIVE).mean())
    return found
