"""Statistics of a whole utterance's melody, loudness and colour: what still tells moods apart in a language that no net has heard.

A net that sees every cell of a spectrogram learns its corpora by heart; a hundred numbers an utterance leave it little to learn
them by (measured: docs/voice-experiments.md). The kinds are those of GeMAPS (Eyben et al. 2016, IEEE Trans. Affective Computing 7, 190).
"""

import numpy as np
from numpy.typing import NDArray

from edge.signal.features import LEVEL, PITCH, Features, active_frames
from edge.signal.spec import SPEC

# How many numbers `statistics` gives, and how many of them, the first, are of the melody.
MELODY = 15
COUNT = MELODY + 2 * SPEC.bands + 24
# A row of the pitch plane in semitones.
_ROW_ST = 12.0 * np.log2(SPEC.pitch_high_hz / SPEC.pitch_low_hz) / (SPEC.bands - 1)
# Harmonics stand out from noise above this salience (of a scale on which clear voices reach 0.5 to 0.8).
_VOICED = 0.3
# What few voiced frames there are in a whisper: the clearest of all.
_FEWEST = 5
# Nine semitones from the median are an octave mistaken, or another's voice.
_FAR_ST = 9.0
# From one frame to the next no voice leaps three semitones.
_LEAP_ST = 3.0
# Neighbouring bands say nearly the same: eight groups of five.
_GROUPS = 8


def statistics(spectrum: Features) -> NDArray[np.float64]:
    """float64, (COUNT,), of one utterance's `spectrum` (frames, bands, planes; levels in dB). A gain changes nothing.

    In order: pitch in semitones (median, deviation, distances of four quantiles from the median), its steps (mean size, shares of
    rising and of falling ones), salience of pitch (mean, deviation, three quantiles, share of voiced frames), mean level of each band,
    mean salience of each pitch, and for eight groups of bands the deviation, and the colour of the loudest and of the softest frames.
    """
    active = active_frames(spectrum[..., LEVEL])
    levels = spectrum[active][..., LEVEL].astype(np.float64)
    levels = np.clip(levels - levels.mean(), SPEC.floor_db, SPEC.ceiling_db)
    salience = spectrum[..., PITCH].astype(np.float64)
    groups = levels.reshape(len(levels), _GROUPS, -1).mean(axis=2)
    order = np.argsort(np.mean(10.0 ** (levels / 10.0), axis=1), kind="stable")
    soft, loud = groups[order[: max(1, len(order) * 2 // 5)]], groups[order[len(order) * 7 // 10 :]]
    return np.concatenate(
        [
            _melody(salience, active),
            levels.mean(axis=0),
            salience[active].mean(axis=0),
            groups.std(axis=0),
            loud.mean(axis=0) - loud.mean(),
            soft.mean(axis=0) - soft.mean(),
        ]
    )


def _melody(salience: NDArray[np.float64], active: NDArray[np.bool_]) -> NDArray[np.float64]:
    clear, pitch = salience.max(axis=1), salience.argmax(axis=1) * _ROW_ST
    voiced = active & (clear > _VOICED)
    if voiced.sum() < _FEWEST:
        voiced = active & (clear >= np.sort(clear[active])[-min(_FEWEST, int(active.sum()))])
    median = _quantiles(pitch[voiced], 0.5)[0]
    sung = pitch[voiced][np.abs(pitch[voiced] - median) < _FAR_ST]
    steps = np.diff(pitch)[voiced[1:] & voiced[:-1]]
    steps = steps[np.abs(steps) < _LEAP_ST]
    moves = [np.abs(steps).mean(), (steps > 0).mean(), (steps < 0).mean()] if len(steps) else [0.0, 0.0, 0.0]
    heard = clear[active]
    return np.asarray(
        [
            median,
            sung.std(),
            *(_quantiles(sung, 0.05, 0.2, 0.8, 0.95) - median),
            *moves,
            heard.mean(),
            heard.std(),
            *_quantiles(heard, 0.2, 0.8, 0.95),
            voiced.sum() / active.sum(),
        ]
    )


def _quantiles(values: NDArray[np.float64], *shares: float) -> NDArray[np.float64]:
    """By order rather than by interpolation, so that every numpy agrees."""
    ordered = np.sort(values)
    return ordered[[min(len(ordered) - 1, int(share * len(ordered))) for share in shares]]
