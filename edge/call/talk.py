"""What each role did in a stretch of call: talk, words a minute, loudness against the speaker's own baseline; and the stretch whole."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from edge.call.turns import Quiet, Turns
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Activity, Role, Tone, Utterance, WordsReading, samples_to_ms
from edge.wire.parts import RoleTalkData, TurnData

# A speaker's own loudness and nothing else is the measure (lines differ by 20 dB): the mean of the first three utterances of
# half a second or more, which are over before most calls get heated.
BASELINE_UTTERANCES = 3
_BASELINE_VOICED = SAMPLE_RATE // 2
# A rate of fewer words, or over less than a second, is noise.
_RATE_WORDS = 3
_RATE_SPEECH = SAMPLE_RATE


@dataclass(slots=True, kw_only=True)
class _Talk:
    """Sums of one channel; `power` is of speaking frames, full scale 1."""

    talk: int = 0
    power: float = 0.0
    utterances: int = 0
    interruptions: int = 0
    words: int = 0
    speech: int = 0


@dataclass(slots=True)
class Stretch:
    """Sums over a stretch of call that began at sample `start`."""

    start: int
    channels: tuple[_Talk, ...]
    quiet: Quiet = field(default_factory=Quiet)
    lost: int = 0
    tones: Counter[Tone] = field(default_factory=Counter)


class Talk:
    """Everybody's talk in one call: a running window for `metrics` and the total for the summary. Owned by one thread."""

    def __init__(self, *, roles: Sequence[Role], start: int) -> None:
        self.turns = Turns(channels=len(roles), start=start)
        self._roles = tuple(roles)
        self._baselines: tuple[list[float], ...] = tuple([] for _ in roles)
        self.total = self._stretch(start)
        self.window = self._stretch(start)

    @property
    def hears_both(self) -> bool:
        """Whether both sides of the call are on this line, so that silence is mutual."""
        return len(self._roles) > 1 or Role.MIXED in self._roles

    def next_window(self, start: int) -> None:
        """Begin a new window at sample `start`."""
        self.window = self._stretch(start)

    def active(self, activity: Activity) -> None:
        """Take one frame in."""
        for stretch in (self.total, self.window):
            for talk, speaking, level in zip(stretch.channels, activity.speaking, activity.level_dbfs, strict=True):
                if speaking:
                    talk.talk += FRAME_SAMPLES
                    talk.power += 10 ** (level / 10)
            stretch.lost += FRAME_SAMPLES * activity.lost
        self.turns.step(activity, (self.total.quiet, self.window.quiet))

    def tone(self, channel: int, name: Tone) -> None:
        """A tone, music or an announcement was heard on `channel`."""
        self.turns.hold(channel, name)
        self.total.tones[name] += 1
        self.window.tones[name] += 1

    def heard(self, utterance: Utterance, words: WordsReading | None) -> TurnData:
        """Take one utterance in; what turn-taking and its speaker's habits say of it."""
        speech = utterance.speech_end - _onset(utterance)
        for stretch in (self.total, self.window):
            talk = stretch.channels[utterance.channel]
            talk.utterances += 1
            talk.interruptions += utterance.interrupted
            talk.words += words.words if words else 0
            talk.speech += speech if words else 0
        level = utterance.level_dbfs if math.isfinite(utterance.level_dbfs) else None
        against = self._against_baseline(utterance.channel, level)
        if level is not None and utterance.voiced_samples >= _BASELINE_VOICED and against is None:
            self._baselines[utterance.channel].append(level)
        gap = None if utterance.part else self.turns.response_gap(utterance.channel, _onset(utterance))
        return TurnData(
            overlap_ms=samples_to_ms(utterance.overlap_samples),
            interrupted=utterance.interrupted,
            response_gap_ms=None if gap is None else samples_to_ms(gap),
            words_per_minute=_rate(words.words, speech) if words else None,
            level_dbfs=_tenths(level),
            level_vs_baseline_db=_tenths(against),
        )

    def roles(self, stretch: Stretch) -> list[RoleTalkData]:
        """What each role did in `stretch`."""
        spoken = sum(talk.talk for talk in stretch.channels)
        return [self._role(number, talk, spoken) for number, talk in enumerate(stretch.channels)]

    def together(self, stretch: Stretch) -> dict[str, Any]:
        """What both sides did together in `stretch`, under its names in `metrics` and `summary`; null where one side is not heard."""
        quiet = stretch.quiet
        sums = {"silence_ms": quiet.silence, "longest_silence_ms": quiet.longest_silence, "dead_air_ms": quiet.dead_air}
        return {
            **{name: samples_to_ms(samples) if self.hears_both else None for name, samples in sums.items()},
            "overlap_ms": samples_to_ms(quiet.overlap) if len(self._roles) > 1 else None,
            "roles": self.roles(stretch),
            "lost_ms": samples_to_ms(stretch.lost),
            "tones": sorted(stretch.tones),
        }

    def _role(self, number: int, talk: _Talk, spoken: int) -> RoleTalkData:
        frames = talk.talk // FRAME_SAMPLES
        level = 10 * math.log10(talk.power / frames) if talk.power else None
        return RoleTalkData(
            role=self._roles[number],
            talk_ms=samples_to_ms(talk.talk),
            talk_share=round(talk.talk / spoken, 4) if spoken and len(self._roles) > 1 else None,
            utterances=talk.utterances,
            interruptions=talk.interruptions,
            words_per_minute=_rate(talk.words, talk.speech),
            level_dbfs=_tenths(level),
            level_vs_baseline_db=_tenths(self._against_baseline(number, level)),
        )

    def _against_baseline(self, channel: int, level: float | None) -> float | None:
        """Decibels above the speaker's own baseline; None until there is one."""
        baseline = self._baselines[channel]
        if level is None or len(baseline) < BASELINE_UTTERANCES:
            return None
        return level - fmean(baseline)

    def _stretch(self, start: int) -> Stretch:
        return Stretch(start, tuple(_Talk() for _ in self._roles))


def _onset(utterance: Utterance) -> int:
    """The sample at which the speaker's voice begins, after the pre-roll."""
    return utterance.start + int(utterance.voiced.argmax()) * FRAME_SAMPLES


def _rate(words: int, speech: int) -> float | None:
    """Words a minute of `speech` samples, short pauses included; None for too little to go by."""
    if words < _RATE_WORDS or speech < _RATE_SPEECH:
        return None
    return round(words * 60 * SAMPLE_RATE / speech, 1)


def _tenths(level: float | None) -> float | None:
    # Adding zero makes -0.0 a plain 0.0.
    return None if level is None else round(level, 1) + 0.0
