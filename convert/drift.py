"""What a box's probation would say of a new model on given clips or sentences, before anything is sent."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from convert.corpora import Clip
from edge.bundle import probation
from edge.bundle.drift import LIMITS
from edge.bundle.manifest import Bundle, Kind
from edge.bundle.shadow import Judged, answer_of
from edge.bundle.shipped import shipped_trust
from edge.bundle.signature import Trust
from edge.config import ModelsConfig
from edge.errors import UsageError
from edge.values import Absent

_Question = TypeVar("_Question")


def over_clips(old: Bundle, new: Bundle, clips: Sequence[Clip]) -> str:
    """Two voice models on the same clips through a G.711 line; figures and verdict in lines. Raises UsageError, ModelError."""
    from convert.dataset import load_pcm
    from convert.degrade import g711
    from edge.voice.clip import whole_clip
    from edge.voice.emotion import EmotionModel

    models = [EmotionModel.load(bundle.folder, trust=_anybody()) for bundle in (old, new)]
    record = compared(models[0].read, models[1].read, (whole_clip(g711(load_pcm(clip))) for clip in clips))
    return _says("voice", record, models[1].window_ms, models[0].window_ms)


def over_sentences(old: Bundle, new: Bundle, path: Path) -> str:
    """Two words models on the sentences in `path`, one a line. Raises UsageError, ModelError."""
    from edge.words.branch import WordsJudge

    try:
        sentences = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}; give a text file with one sentence a line") from error
    judges = [WordsJudge.load(bundle.folder, trust=_anybody()) for bundle in (old, new)]
    return _says("words", compared(judges[0].judge_text, judges[1].judge_text, sentences), None, None)


def compared(
    old: Callable[[_Question], Judged | Absent], new: Callable[[_Question], Judged | Absent], questions: Iterable[_Question]
) -> probation.Record:
    """The record of a probation in which `new` and its shadow `old` were asked these questions."""
    record = probation.Record(candidate="new", previous="old", version="0.0.0", previous_version="0.0.0", since=0.0)
    for question in questions:
        record = probation.compare(record, answer_of(new(question)), answer_of(old(question)))
    return record


def _says(kind: Kind, record: probation.Record, cost_ms: float | None, shadow_ms: float | None) -> str:
    """The figures that count, and how a probation of nothing but these would end."""
    if record.compared < probation.ENOUGH:
        raise UsageError(f"{record.compared} utterances: a probation judges nothing under {probation.ENOUGH}; give more")
    verdict = probation.judge(record, ModelsConfig(probation_calls=1), kind, now=1e9, cost_ms=cost_ms, shadow_ms=shadow_ms)
    found, limits = probation.figures(record), LIMITS[kind].on(max(record.read_by_both, 1))
    ends = "keep it" if verdict is None or verdict.action == "kept" else f"take it back: {verdict.reason}"
    return (
        f"on {record.compared} utterances: p_negative {found['shift']:+.2f} nats (at most {limits.shift:.2f} and three standard errors of "
        f"{found['shift_error']:.2f}), PSI {found['drift_psi']:.2f} (at most {limits.psi:.2f}), "
        f"on the other side of one half {found['other_side_share']:.0%} (at most {limits.other_side:.0%}), "
        f"another label {found['other_label_share']:.0%} (at most {limits.other_label:.0%})\n"
        f"a box's probation on these would {ends}"
    )


def _anybody() -> Trust:
    return Trust(keys=shipped_trust().keys, allow_unsigned=True)
