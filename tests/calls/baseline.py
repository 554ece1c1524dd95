"""What the voice's baselines do: `python -m tests.calls.baseline --data DATA [--plot FILE.png]` prints the model card's tables.

DATA holds `calls/calls.csv` with real telephone calls, all calm, and the corpora `ravdess`, `emovo`, `savee`, `turev`. Each call is judged
against a line whose level comes from the other calls; actors inside a call (six calm utterances, then six angry ones, through G.711)
against the shipped prior and against a line that is used to the other actors. The shipped net learnt from RAVDESS: its actors are no
strangers.
"""

import argparse
import csv
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from convert.sound.degrade import g711
from edge.capture import wavfile
from edge.segment.crosstalk import customer_utterance
from edge.segment.segmenter import Segmenter
from edge.signal.resample import frames, resample
from edge.values import SAMPLE_RATE, Role, Utterance, VoiceReading
from edge.voice.baseline import CallerBaseline, Heard, LineBaseline, heard_of, learnt, level_of, unlearnt
from edge.voice.clip import whole_clip
from edge.voice.emotion import EmotionModel
from tests.paths import ROOT

_CALM, _ANGRY = "calm", "angry"
# Name patterns of the corpora: actor and emotion; which codes are calm and angry.
_ACTED = {
    "ravdess": (re.compile(r"03-01-(?P<emotion>\d\d)-.*-(?P<actor>\d\d)$"), {"01": _CALM, "02": _CALM, "05": _ANGRY}),
    "emovo": (re.compile(r"(?P<emotion>[a-z]+)-(?P<actor>[fm]\d)-"), {"neu": _CALM, "rab": _ANGRY}),
    "savee": (re.compile(r"(?P<actor>[A-Z]{2})_(?P<emotion>[a-z]+)\d+$"), {"n": _CALM, "a": _ANGRY}),
    "turev": (re.compile(r"(?P<actor>\d+)_(?P<emotion>[a-z]{2})_"), {"sk": _CALM, "kz": _ANGRY}),
}
_EACH, _CALLS_AN_ACTOR = 6, 6
_NOT_CALLS = ("hold_", "ivr_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One utterance as the voice judged it alone, and when it was said, in seconds of the call."""

    at_s: float
    reading: VoiceReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """Actors inside a call: AUC of p_negative, calm then angry; shares above one half."""

    auc: float
    calm: float
    angry: float
    first_word: float


def calm_calls(model: EmotionModel, data: Path) -> dict[str, list[Said]]:
    """The customer's judged utterances of every real call that has a channel of theirs, as our endpointer cuts them."""
    found = {}
    with (data / "calls" / "calls.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            roles = tuple(Role(name) for name in row["channels"].split(","))
            if Role.CUSTOMER in roles and not row["path"].startswith(_NOT_CALLS):
                found[row["path"].removesuffix(".flac")] = list(_heard(model, data / "calls" / row["path"], roles))
    return found


def _heard(model: EmotionModel, path: Path, roles: tuple[Role, ...]) -> "list[Said]":
    segmenter = Segmenter(roles=roles)
    events = [
        event
        for frame in frames(wavfile.blocks(path, chunk_ms=200, realtime=False, channels=len(roles)))
        for event in segmenter.feed(frame)
    ]
    said = []
    for event in (*events, *segmenter.close_call("end_of_recording")):
        customer = customer_utterance(event) if isinstance(event, Utterance) else None
        reading = model.read(customer) if customer is not None else None
        if isinstance(reading, VoiceReading):
            said.append(Said(at_s=event.start / SAMPLE_RATE, reading=reading))
    return said


def acted(model: EmotionModel, data: Path, corpus: str) -> dict[str, dict[str, list[VoiceReading]]]:
    """Readings of a corpus' calm and angry clips through G.711, by actor and "calm" or "angry"."""
    pattern, codes = _ACTED[corpus]
    found: dict[str, dict[str, list[VoiceReading]]] = defaultdict(lambda: {_CALM: [], _ANGRY: []})
    for path in sorted((data / corpus).rglob("*")):
        name = pattern.search(path.stem)
        if name is None or (emotion := codes.get(name["emotion"])) is None:
            continue
        reading = model.read(whole_clip(g711(resample(*wavfile.read_clip(path)))))
        if isinstance(reading, VoiceReading):
            found[name["actor"]][emotion].append(reading)
    return dict(found)


def judged(model: EmotionModel, line: LineBaseline, readings: Sequence[VoiceReading]) -> list[float]:
    """p_negative of one call's utterances, each against the line and those before it."""
    caller = CallerBaseline(line=line, prior=model.prior)
    return [reading.p_negative for reading in map(caller.judge, readings) if isinstance(reading, VoiceReading)]


def line_without(model: EmotionModel, calls: Mapping[str, Sequence[Said]], name: str) -> LineBaseline:
    """A line used to every call but `name`, as the shipped prior was measured: the mean of the calls' medians."""
    others = [level_of(_levels(model, [one.reading for one in call])) for other, call in calls.items() if other != name]
    line = unlearnt(model.prior)
    negative, positive = (float(np.mean([level[which].centre for level in others])) for which in (0, 1))
    return msgspec.structs.replace(
        line,
        negative=msgspec.structs.replace(line.negative, centre=negative),
        positive=msgspec.structs.replace(line.positive, centre=positive),
    )


def inside(
    model: EmotionModel, actors: Mapping[str, Mapping[str, Sequence[VoiceReading]]], line_for: Callable[[str], LineBaseline]
) -> Inside:
    """Each actor's utterances as calls: calm then angry, and angry from the first word. The draws are the same in every run."""
    rng = np.random.default_rng(18)
    calm: list[float] = []
    angry: list[float] = []
    first: list[float] = []
    for actor, clips in actors.items():
        for _ in range(_CALLS_AN_ACTOR):
            before, after = ([clips[emotion][i] for i in rng.permutation(len(clips[emotion]))[:_EACH]] for emotion in (_CALM, _ANGRY))
            p = judged(model, line_for(actor), [*before, *after])
            calm += p[: len(before)]
            angry += p[len(before) :]
            first += judged(model, line_for(actor), after)
    return Inside(auc=_auc(calm, angry), calm=_above(calm), angry=_above(angry), first_word=_above(first))


def alone(actors: Mapping[str, Mapping[str, Sequence[VoiceReading]]]) -> Inside:
    """The same utterances without any baseline."""
    calm, angry = ([reading.p_negative for clips in actors.values() for reading in clips[emotion]] for emotion in (_CALM, _ANGRY))
    return Inside(auc=_auc(calm, angry), calm=_above(calm), angry=_above(angry), first_word=_above(angry))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.calls.baseline", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with calls, ravdess, emovo, savee, turev")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw p_negative over time of the calm calls, before and after")
    args = parser.parse_args()
    model = EmotionModel.load(ROOT / "models" / "voice")
    calls = calm_calls(model, args.data)
    after = {name: judged(model, line_without(model, calls, name), [one.reading for one in call]) for name, call in calls.items()}
    print("| calm real call | utterances | level | above one half, alone | with baselines |\n|---|---|---|---|---|")
    for name, call in calls.items():
        before = [one.reading.p_negative for one in call]
        level = level_of(_levels(model, [one.reading for one in call]))[0]
        print(
            f"| {name} | {len(call)} | {level.centre:+.2f} (spread {level.spread:.2f}) | {_above(before):.0%} | {_above(after[name]):.0%} |"
        )
    every, every_after = [one.reading.p_negative for call in calls.values() for one in call], [p for call in after.values() for p in call]
    print(f"| all | {len(every)} | | {_above(every):.0%} | {_above(every_after):.0%} |\n")
    print("| actors inside a call | line used to | AUC | calm above half | angry above half | angry from the first word |")
    print("|---|---|---|---|---|---|")
    for corpus in _ACTED:
        actors = acted(model, args.data, corpus)
        _row(corpus, "no baseline", alone(actors))
        _row(corpus, "the shipped prior", inside(model, actors, lambda _: unlearnt(model.prior)))
        lines = {
            actor: learnt(model.prior, [_levels(model, clips[_CALM]) for other, clips in actors.items() if other != actor])
            for actor in actors
        }
        _row(corpus, "the other actors' calm", inside(model, actors, lines.__getitem__))
    if args.plot:
        _plot(calls, after, args.plot)


def _row(corpus: str, line: str, found: Inside) -> None:
    print(f"| {corpus} | {line} | {found.auc:.3f} | {found.calm:.0%} | {found.angry:.0%} | {found.first_word:.0%} |")


def _levels(model: EmotionModel, readings: Sequence[VoiceReading]) -> list[Heard]:
    return [heard_of(reading, model.prior) for reading in readings]


def _above(p: Sequence[float]) -> float:
    return float(np.mean(np.asarray(p) > 0.5))


def _auc(calm: Sequence[float], angry: Sequence[float]) -> float:
    above = np.asarray(angry)[:, None] - np.asarray(calm)[None]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


def _plot(calls: Mapping[str, Sequence[Said]], after: Mapping[str, Sequence[float]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, every = plt.subplots(len(calls), 1, figsize=(10, 1.9 * len(calls)), sharey=True)
    for axes, (name, call) in zip(every, calls.items(), strict=True):
        at = [one.at_s for one in call]
        axes.plot(
            at,
            [one.reading.p_negative for one in call],
            "o-",
            color="#c2491d",
            linewidth=1,
            markersize=4,
            label="each utterance alone (before)",
        )
        axes.plot(at, after[name], "o-", color="#1f7a8c", linewidth=1, markersize=4, label="against caller and line (after)")
        axes.axhline(0.5, color="black", linestyle="--", linewidth=1)
        axes.set_ylim(0, 1)
        axes.set_title(f"{name}: a calm call", fontsize=9, loc="left")
        axes.set_ylabel("p_negative")
    every[-1].set_xlabel("seconds of the call")
    every[0].legend(loc="upper right", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


if __name__ == "__main__":
    main()
