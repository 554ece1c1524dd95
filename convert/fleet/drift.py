"""What two models say of the same clips or sentences, and how a box's probation would end on them, before anything is sent."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from convert.metrics import Interval, auc, bootstrap, share
from convert.sound.corpora import Clip
from edge.bundle.manifest import Bundle
from edge.bundle.signature import Trust, shipped_trust
from edge.call.trial import Answer, Judged, answer_of
from edge.config import ModelsConfig
from edge.errors import UsageError, counted
from edge.files.text import unread
from edge.models.comparison import ENOUGH, Record, compare, figures, judge
from edge.models.kinds import ROWS
from edge.values import Absent, ModelKind
from edge.voice.labels import NEGATIVE
from edge.wire.codes import ModelAction

_Question = TypeVar("_Question")
# What the old one and the new one said of one clip or sentence; None abstained.
Answers = tuple[Answer | None, Answer | None]
# Two-sided 95 % of a mean.
_Z = 1.96


def over_clips(old: Bundle, new: Bundle, clips: Sequence[Clip]) -> list[str]:
    """Two voice models on the same clips through a G.711 line: figures with their 95 % intervals, and the verdict. Raises ModelError."""
    from convert.sound.dataset import load_pcm
    from convert.sound.degrade import g711
    from edge.voice.clip import whole_clip
    from edge.voice.emotion import EmotionModel

    models = [EmotionModel.load(bundle.folder, trust=_anybody()) for bundle in (old, new)]
    answers = asked(models[0].read, models[1].read, (whole_clip(g711(load_pcm(clip))) for clip in clips))
    speakers = len({clip.speaker for clip in clips})
    about = f"asked about {len(clips)} clips of {counted(speakers, 'speaker')}, as a telephone line carries them"
    return [about, right(answers, clips), *probation(ModelKind.VOICE, answers, models[1].window_ms, models[0].window_ms)]


def over_sentences(old: Bundle, new: Bundle, path: Path) -> list[str]:
    """Two words models on the sentences in `path`, one a line: the same, without who is right. Raises UsageError, ModelError."""
    from edge.words.branch import WordsJudge

    try:
        sentences = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(unread(error), path=path, remedy="give a text file with one sentence a line") from error
    judges = [WordsJudge.load(bundle.folder, trust=_anybody()) for bundle in (old, new)]
    answers = asked(judges[0].judge_text, judges[1].judge_text, sentences)
    return [f"asked about {len(sentences)} sentences", *probation(ModelKind.WORDS, answers)]


def asked(
    old: Callable[[_Question], Judged | Absent], new: Callable[[_Question], Judged | Absent], questions: Iterable[_Question]
) -> list[Answers]:
    """What both say of each of these questions."""
    return [(answer_of(old(question)), answer_of(new(question))) for question in questions]


def compared(answers: Iterable[Answers]) -> Record:
    """The record of a probation in which the new model and its shadow, the old one, gave these answers."""
    record = Record(candidate="new", previous="old", version="0.0.0", previous_version="0.0.0", since=0.0)
    for old, new in answers:
        record = compare(record, new, old)
    return record


def right(answers: Sequence[Answers], clips: Sequence[Clip]) -> str:
    """How well each tells negative clips from others, by the labels that came with them, and whether the difference is more than chance."""
    both = [(old.p_negative, new.p_negative, clip) for (old, new), clip in zip(answers, clips, strict=True) if old and new]
    truth = np.asarray([clip.label in NEGATIVE for *_, clip in both], np.bool_)
    if not truth.any() or truth.all():
        return "negative AUC: none, for it takes clips of both kinds (angry, disgust, fear, sad; and others) that both models read"
    before, after = (np.asarray([row[side] for row in both], np.float64) for side in (0, 1))
    speakers = [clip.speaker for *_, clip in both]
    old = bootstrap(lambda rows: auc(before[rows], truth[rows]), speakers)
    new = bootstrap(lambda rows: auc(after[rows], truth[rows]), speakers)
    gain = bootstrap(lambda rows: auc(after[rows], truth[rows]) - auc(before[rows], truth[rows]), speakers)
    shown = "no difference shown" if gain.low <= 0 <= gain.high else "better" if gain.value > 0 else "worse"
    return (
        f"negative AUC by your labels: old {_range(old)}, new {_range(new)}, difference {gain.value:+.3f} "
        f"({gain.low:+.2f} to {gain.high:+.2f}): {shown}"
    )


def probation(kind: ModelKind, answers: Sequence[Answers], cost_ms: float | None = None, shadow_ms: float | None = None) -> Iterator[str]:
    """The figures that count with their intervals and limits, and how a probation of nothing but these would end."""
    allowed, record = ROWS[kind].limits, compared(answers)
    if allowed is None:
        raise UsageError(f"a {kind} model has no probation", remedy="compare voice or words models")
    n = record.read_by_both
    if not n:
        yield f"both models read none of these {record.compared}: there is nothing to compare"
        return
    found, limits = figures(record), allowed.on(n)
    shift, error = found["shift"], _Z * found["shift_error"]
    yield (
        f"p_negative {shift:+.2f} nats ({shift - error:+.2f} to {shift + error:+.2f}; at most {limits.shift:.2f} and 3 standard errors), "
        f"PSI {found['drift_psi']:.2f} (at most {limits.psi:.2f}), "
        f"on the other side of one half {_share(record.other_side, n)} (at most {limits.other_side:.0%}), "
        f"another label {_share(record.other_label, n)} (at most {limits.other_label:.0%})"
    )
    if record.compared < ENOUGH:
        missing = ENOUGH - record.compared
        yield f"too few to judge: a box's probation says nothing of under {ENOUGH}; give {missing} more, better some hundreds"
        return
    verdict = judge(record, ModelsConfig(probation_calls=1), allowed, now=1e9, cost_ms=cost_ms, shadow_ms=shadow_ms)
    ends = "keep it" if verdict is None or verdict.action == ModelAction.KEPT else f"take it back: {verdict.reason}"
    yield f"a box's probation on these would {ends}"


def _range(found: Interval) -> str:
    return f"{found.value:.3f} ({found.low:.2f}-{found.high:.2f})"


def _share(k: int, n: int) -> str:
    found = share(k, n)
    return f"{found.value:.0%} ({found.low:.0%}-{found.high:.0%})"


def _anybody() -> Trust:
    return Trust(keys=shipped_trust().keys, allow_unsigned=True)
