"""Who learns, who calibrates, who tests: no speaker is in two of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convert.sound.calls import CORPUS as CALLS
from convert.sound.corpora import Clip

# A sixth of the speakers each: RAVDESS has 18 here, so three to test and three to calibrate on, of both sexes.
_PART = 6
# With fewer speakers than this none can be spared: words are held out instead (and the card says so).
_FEW_SPEAKERS = 4
_TEST_WORDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Places of clips. `words` are held-out words of corpora with too few speakers to hold out any."""

    train: tuple[int, ...]
    calibrate: tuple[int, ...]
    test: tuple[int, ...]
    words: tuple[int, ...]


def by_speaker(clips: Sequence[Clip], seed: int) -> Split:
    """The last sixth of each corpus's speakers (by name) tests, the sixth before it calibrates."""
    parts: dict[str, list[int]] = {"train": [], "calibrate": [], "test": [], "words": []}
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        members = [i for i, clip in enumerate(clips) if clip.corpus == corpus]
        speakers = sorted({clips[i].speaker for i in members})
        size = max(1, len(speakers) // _PART) if len(speakers) >= _FEW_SPEAKERS else 0
        spared = size
        if corpus == CALLS and size:
            # Calls that are calm throughout calibrate nothing, and there are few: what a net makes of those that it never heard is asked.
            size, spared = len(speakers) // 2, 0
        test = set(speakers[len(speakers) - size :])
        calibrate = set(speakers[len(speakers) - size - spared : len(speakers) - size])
        words = set() if size else _held_words(sorted({clips[i].item for i in members}), seed)
        for i in members:
            clip = clips[i]
            if clip.speaker in test:
                parts["test"].append(i)
            elif clip.speaker in calibrate:
                parts["calibrate"].append(i)
            else:
                parts["words" if clip.item in words else "train"].append(i)
    return Split(**{name: tuple(places) for name, places in parts.items()})


def _held_words(items: list[str], seed: int) -> set[str]:
    order = np.random.default_rng(seed).permutation(len(items))
    return {items[k] for k in order[: round(_TEST_WORDS * len(items))]}
