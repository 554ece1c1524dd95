"""Fits the weights of an utterance's statistics (edge.voice.prosody): a logistic regression that owes nothing to one corpus alone."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from tqdm import tqdm

from convert.sound.dataset import Prepared
from edge.signal.prosody import COUNT, statistics
from edge.voice.labels import NEGATIVE
from edge.voice.prosody import FAR, Prosody

# Strong, so that many weak signs share the say: the best of 0.003 to 0.03 on corpora left out (docs/voice-experiments.md).
_SHRINKAGE = 0.02
# Beside a net, half of what the statistics say alone: the best of 0.35 to 1.5 on three corpora that neither had heard.
_SHARE = 0.5

Floats = NDArray[np.float64]


def fit(prepared: Prepared) -> Prosody:
    """The weights that tell negative clips from others within each corpus, over all telephone copies of `prepared`.

    Corpora count alike, in each negative and other clips alike, in those emotions alike. Each speaker's own mean is taken away:
    who speaks, and in which corpus, must explain nothing.
    """
    copies = [name for name in prepared.copies if name != "wide"]
    spectra = tqdm([s for name in copies for s in prepared.copies[name]], desc="prosody", unit="clip", leave=False, disable=None)
    found = np.asarray([statistics(s.astype(np.float32)) for s in spectra])
    corpora = np.tile([clip.corpus for clip in prepared.clips], len(copies))
    speakers = np.tile([clip.speaker for clip in prepared.clips], len(copies))
    labels = np.tile([clip.label for clip in prepared.clips], len(copies))
    negative = np.isin(labels, list(NEGATIVE))
    weight = _weights(corpora, labels, negative)
    mean = weight @ found
    # A statistic that never changes tells nothing, whatever it is divided by.
    scale = np.sqrt(weight @ np.square(found - mean)) + 1e-9
    away = np.clip((found - mean) / scale, -FAR, FAR)
    for speaker in np.unique(speakers):
        own = speakers == speaker
        away[own] -= np.average(away[own], axis=0, weights=weight[own])
    sign = np.where(negative, 1.0, -1.0)

    def loss(x: Floats) -> tuple[float, Floats]:
        margin = sign * (away @ x[1:] + x[0])
        pull = -sign * weight / (1.0 + np.exp(margin))
        value = float(weight @ np.logaddexp(0.0, -margin) + _SHRINKAGE * np.sum(np.square(x[1:])))
        return value, np.concatenate([[pull.sum()], away.T @ pull + 2.0 * _SHRINKAGE * x[1:]])

    best = minimize(loss, np.zeros(COUNT + 1), jac=True, method="L-BFGS-B").x
    return Prosody(mean=_short(mean), scale=_short(scale), weights=_short(_SHARE * best[1:]), offset=_SHARE * float(best[0]))


def _weights(corpora: NDArray[np.str_], labels: NDArray[np.str_], negative: NDArray[np.bool_]) -> Floats:
    """How much each clip counts; they sum to one."""
    weight = np.zeros(len(labels))
    for corpus in np.unique(corpora):
        for side in (negative, ~negative):
            own = (corpora == corpus) & side
            for label in np.unique(labels[own]):
                weight[own & (labels == label)] = 1.0 / (own & (labels == label)).sum() / len(np.unique(labels[own]))
    return np.asarray(weight / weight.sum(), np.float64)


def _short(numbers: Floats) -> tuple[float, ...]:
    """Six digits: a manifest is read by people too."""
    return tuple(float(f"{x:.6g}") for x in numbers)
