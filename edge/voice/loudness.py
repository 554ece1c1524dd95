"""Who turns angry raises their voice: how much louder a caller is than so far in this call, as evidence.

The net and the statistics beside it cannot know: for them a gain changes nothing, as no two lines and handsets have the same. Within
a call the gain stays, and a caller's own loudness so far is a measure. Anger is 3 to 20 dB above the same speaker's calm (vocal effort:
Traunmueller and Eriksson, JASA 107, 3438 (2000); docs/voice-experiments.md), calm callers scatter by 1 to 3 dB. Being softer says
nothing: anger can be cold. Joy is loud as well, so what is found counts for negative and for positive alike. Set, not fitted; chosen
on calm calls and on corpora that the net never heard.
"""

from dataclasses import dataclass

# What a decibel above the caller's own is worth in nats, and from where more says no more: a shout, or a handset that was moved.
_NATS_A_DB, _MOST_DB = 0.3, 8.0
# Who is no louder than before is likelier calm than somebody of whom nothing is known.
_CALM_NATS = 0.4
# Believed by two thirds when one good utterance of the caller's own has been heard.
_COUNTS_FOR = 0.5
# Where the gain does change within a call (another handset), what was before is forgotten: by half in 14 utterances. So that it is,
# even an utterance that sounds angry counts for half of its quality.
_FADES = 0.95
_LEAST = 0.5


@dataclass(slots=True, kw_only=True)
class OwnLoudness:
    """How loud one caller has been so far: a weighted mean in dB that fades. Not for more than one thread."""

    _weight: float = 0.0
    _sum: float = 0.0

    def louder(self, dbfs: float) -> float:
        """What an utterance at `dbfs` says against those remembered: nats, -0.4 to 2.0; 0.0 where none is."""
        if not self._weight:
            return 0.0
        above = min(max(dbfs - self._sum / self._weight, 0.0), _MOST_DB)
        return self._weight / (self._weight + _COUNTS_FOR) * (_NATS_A_DB * above - _CALM_NATS)

    def remember(self, dbfs: float, quality: float, calm: float) -> None:
        """An utterance at `dbfs` counts from now on, by its `quality` and by how `calm` it was, both 0..1."""
        weight = quality * max(calm, _LEAST)
        self._weight = _FADES * self._weight + weight
        self._sum = _FADES * self._sum + weight * dbfs
