"""What is understood, and what comes of what is not: `python -m tests.calls.understood --data DATA [--prompts DIR] [--fit]`.

DATA holds `calls/calls.csv` and the corpora `savee`, `ravdess`, `emovo`, `nemo`, `ased`, `text/train.csv`; DIR the prompts and music of
Debian's packages, unpacked and not installed:

    apt-get download asterisk-core-sounds-{en,es,fr,it,ru}-wav asterisk-prompt-it-menardi-wav asterisk-moh-opsound-wav
    for package in *.deb; do dpkg -x $package prompts; done

Each recording is heard as a call by the shipped box; clips of a speaker, prompts of a voice and complaints read by flite are joined to
calls with a second between them, through G.711. `--fit` fits the weights of edge.words.intelligibility, and judges each call by weights
that were fitted on the others. `--keep FILE` keeps the numbers (no words), and goes on where it was.
"""

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edge.call.engines import Engines
from edge.call.line import Line
from edge.call.rules.alert_history import AlertHistory
from edge.config import Config, LineConfig, SourceConfig
from edge.models.loading import load_engines
from edge.values import FRAME_SAMPLES, ClosedBy, Frame
from edge.wire.events import Alert, UtteranceHeard
from edge.words import intelligibility
from edge.words.intelligibility import BEGINNING, BOUND, FASTEST, KEPT, MOST_WORDS, SLOWEST
from tests.calls.recordings import CALL, KINDS, MUSIC, PROMPTS, SPOKEN, Recorded, recordings

FEATURES = ("confidence", "surprise", "rate")


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a recording: the customer's utterances as events have them (numbers, no words), and the rules that opened an alert."""

    name: str
    language: str
    kind: str
    utterances: list[dict[str, Any]]
    alerts: list[str]


def heard(recorded: Recorded, engines: Engines, config: Config) -> Heard:
    """`recorded` as a box hears it, with the shipped rules and no call before it."""
    line = LineConfig(name="line-1", source=SourceConfig(file="call.wav"), channels=recorded.roles)
    alone = replace(engines, alert_history=AlertHistory())
    call_line = Line(line=line, serving=lambda: (alone, config))
    events = []
    for start in range(0, recorded.pcm.shape[1] - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        events += call_line.process_frame(Frame(start=start, pcm=np.ascontiguousarray(recorded.pcm[:, start : start + FRAME_SAMPLES])))
    events += call_line.end(ClosedBy.END_OF_RECORDING)
    told = [msgspec.to_builtins(event.data) for event in events if isinstance(event.data, UtteranceHeard) and event.data.role != "agent"]
    alerts = [
        reason.rule for event in events if isinstance(event.data, Alert) and event.data.state == "new" for reason in event.data.reasons
    ]
    return Heard(name=recorded.name, language=recorded.language, kind=recorded.kind, utterances=told, alerts=sorted(alerts))


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else "-"


def table(every: Sequence[Heard]) -> Iterator[str]:
    """By kind and language: calls, utterances, those with words, those not understood, negative ones, alerts."""
    yield "| what | calls | utterances | with words | of them not understood | negative | label withheld | alerts |"
    yield "|---|---|---|---|---|---|---|---|"
    groups: dict[str, list[Heard]] = {}
    for one in every:
        groups.setdefault(f"{one.kind}, {one.language}", []).append(one)
        groups.setdefault(f"{one.kind}, all", []).append(one)
    for name, calls in sorted(groups.items()):
        yield _row(name, calls)
    yield from (_row(one.name, [one]) for one in every if one.kind in (CALL, PROMPTS, MUSIC))


def _row(name: str, calls: Sequence[Heard]) -> str:
    said = [utterance for call in calls for utterance in call.utterances]
    labels = [utterance["verdict"]["label"] if utterance["verdict"] else None for utterance in said]
    worded = [one["intelligibility"] for one in said if one.get("intelligibility")]
    alerts = [rule for call in calls for rule in call.alerts]
    return (
        f"| {name} | {len(calls)} | {len(said)} | {len(worded)} | {_share(sum(not one['understood'] for one in worded), len(worded))} "
        f"| {_share(labels.count('negative'), len(said))} | {_share(labels.count(None), len(said))} | {len(alerts)} {' '.join(alerts)} |"
    )


def fitted(calls: Sequence[Heard]) -> np.ndarray:
    """Bias and weights of FEATURES by logistic regression, ridge 1 on each scaled by its spread.

    English and the others weigh half each, and so does every call of one.
    """
    rows, truth, weights = [], [], []
    sides = [sum(call.language == "en" for call in calls), sum(call.language != "en" for call in calls)]
    for call in calls:
        matrix, scale = _matrix(call)
        rows.append(matrix * scale[:, None])
        truth += [call.language == "en"] * len(matrix)
        weights += [len(calls) * 4 / len(matrix) / sides[call.language != "en"]] * len(matrix)
    x, y, weight = np.vstack(rows), np.array(truth, float), np.array(weights)
    ridge = np.array([1e-3, *np.var(x[:, 1:] / x[:, :1], axis=0)])
    found = np.zeros(x.shape[1])
    for _ in range(60):
        p = 1 / (1 + np.exp(-x @ found))
        slope = x.T @ (weight * (y - p)) - ridge * found
        found = found + np.linalg.solve((x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(ridge), slope)
    return found


def _matrix(call: Heard) -> tuple[np.ndarray, np.ndarray]:
    worded = [one["intelligibility"] for one in call.utterances if one.get("intelligibility")]
    return np.array([[1.0, one["confidence"], one["surprise"], min(FASTEST, max(SLOWEST, one["rate"]))] for one in worded]), np.sqrt(
        [min(one["words"], MOST_WORDS) for one in worded]
    )


def held_out(calls: Sequence[Heard]) -> Mapping[str, list[bool]]:
    """For each call, which utterances are understood by weights fitted on the others (and on no other call of the same speakers)."""
    found = {}
    for call in calls:
        weights = fitted([other for other in _telling(calls) if _speakers(other) != _speakers(call)])
        matrix, scale = _matrix(call)
        before, found[call.name] = BEGINNING, []
        for log_odds in scale * (matrix @ weights):
            found[call.name].append(bool(before + log_odds >= 0))
            before = float(np.clip(KEPT * (before + log_odds), -BOUND, BOUND))
    return found


def _telling(calls: Sequence[Heard]) -> list[Heard]:
    """Synthetic speech is too clear to say where understanding ends."""
    return [call for call in calls if call.kind != SPOKEN]


def _speakers(call: Heard) -> str:
    # Allison speaks Debian's English and Spanish prompts.
    return "Allison" if "Allison" in call.name or call.name.startswith("ivr_") else call.name.removesuffix(" turned round")


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.calls.understood", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prompts", type=Path)
    parser.add_argument("--keep", type=Path, metavar="FILE")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of recordings, with commas (all: %(default)s)")
    parser.add_argument("--believe", action="store_true", help="every word is believed, as if nobody asked whether it was understood")
    parser.add_argument("--fit", action="store_true")
    args = parser.parse_args()
    if args.believe:
        intelligibility.BEGINNING = intelligibility.BOUND = math.inf
    config = Config()
    engines, every = load_engines(config), []
    known = {}
    if args.keep is not None and args.keep.exists():
        known = {
            one.name: one for one in msgspec.json.decode(b"[" + b",".join(args.keep.read_bytes().splitlines()) + b"]", type=list[Heard])
        }
    for recorded in recordings(args.data, args.prompts):
        if recorded.kind not in args.kinds.split(","):
            continue
        if recorded.name not in known:
            known[recorded.name] = heard(recorded, engines, config)
            if args.keep is not None:
                with args.keep.open("ab") as file:
                    file.write(msgspec.json.encode(known[recorded.name]) + b"\n")
        every.append(known[recorded.name])
    print(*table(every), sep="\n")
    if args.fit:
        calls = [call for call in every if len(_matrix(call)[0])]
        print(json.dumps(dict(zip(("bias", *FEATURES), np.round(fitted(_telling(calls)), 3).tolist(), strict=True))))
        judged = held_out(calls)
        for call in calls:
            refused = judged[call.name].count(False)
            print(f"held out: {call.name}, {call.language}, {call.kind}: {refused} of {len(judged[call.name])} not understood")


if __name__ == "__main__":
    _main()
