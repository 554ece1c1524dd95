"""`undertone-convert calibrate`: what the recovery team found out about calls weighs voice against words anew, for its site."""

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EXAMPLES = """\
examples:
  undertone listen --config undertone.yaml --json >> events.jsonl        for some days, on the PC
  undertone-convert calibrate --events events.jsonl --labels labels.csv --key leeds.key --out fusion-1.0.0
  undertone-convert push fusion-1.0.0 --url mqtt://broker.example --site leeds

labels.csv has the columns call,n,label: the call's id, the utterance's number in it, and negative, neutral or positive, as a person
who listened says. under 300 utterances, 30 calls or 50 negatives nothing is fitted: it would be chance.
"""
# Two weights from fewer would follow the odd caller; issue 9 sets these.
UTTERANCES, CALLS, NEGATIVES = 300, 30, 50
_CLASSES = ("negative", "neutral", "positive")
_FOLDS = 5
# Towards the weights that are set, as strongly as three utterances in a hundred: few labels move them little.
_SHRINKAGE = 0.03
_SET = (0.4, 1.0)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "calibrate",
        help="fit a site's fusion weights to utterances that people have labelled",
        description="Fit how much voice and words count at a site, judge that by calls left out, and leave it as a signed bundle.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--events", type=Path, required=True, metavar="JSONL", help="CloudEvents, one a line, as `undertone listen --json`")
    parser.add_argument("--labels", type=Path, required=True, metavar="CSV", help="columns call,n,label")
    parser.add_argument("--out", type=Path, default=Path("build/fusion"), metavar="DIR", help="where it goes (default build/fusion)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key to sign it with (default: unsigned)")
    parser.add_argument("--version", default="1.0.0", metavar="X.Y.Z", help="its version (default 1.0.0)")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Utterances as arrays: `parts` is float64 (n, 2 branches, 3 classes), quality times clipped evidence, zeros for an absent branch."""

    parts: "NDArray[np.float64]"
    log_prior: "NDArray[np.float64]"
    truth: "NDArray[np.int64]"
    calls: Sequence[str]


def run(args: argparse.Namespace) -> int:
    """Fit, judge, pack. Raises UsageError where there is too little to fit on."""
    import numpy as np

    from convert.pack import finish, now, write_manifest
    from edge.bundle.manifest import Manifest

    found = gather(args.events, args.labels)
    counts = {"utterances": len(found.truth), "calls": len(set(found.calls)), "negatives": int(np.sum(found.truth == 0))}
    for name, least in (("utterances", UTTERANCES), ("calls", CALLS), ("negatives", NEGATIVES)):
        if counts[name] < least:
            raise UsageError(f"{args.labels}: {counts[name]} {name} with label and event, {least} are needed; label more calls")
    before, after = cross_validated(found)
    voice, words = fit(found)
    figures = {"loss_set": round(before, 4), "loss_fitted": round(after, 4)}
    print(f"{counts}: weights voice {voice:.3f}, words {words:.3f}; log loss on calls left out {before:.4f} as set, {after:.4f} fitted")
    if after >= before:
        raise UsageError("the fitted weights are no better than the set ones on calls left out: nothing to roll out; label more calls")
    args.out.mkdir(parents=True, exist_ok=True)
    calibration: dict[str, object] = {"voice": round(voice, 4), "words": round(words, 4), **counts}
    manifest = Manifest(
        kind="fusion",
        name="fusion",
        version=args.version,
        created=now(),
        calibration=calibration,
        metrics=figures,
        licence="the site's own labels",
        validated_on_calls=True,
    )
    write_manifest(args.out, manifest)
    bundle = finish(args.out, args.key)
    print(f"{bundle.label}: {args.out}; next: `undertone-convert push {args.out} --site SITE`")
    return 0


def gather(events: Path, labels: Path) -> Labelled:
    """The labelled utterances that have a verdict. Raises UsageError for a file that is not what it should be."""
    import numpy as np

    wanted = _labels(labels)
    parts, priors, truth, calls = [], [], [], []
    for data in _utterances(events):
        label = wanted.pop((str(data["call"]), int(data["n"])), None)
        verdict = data["verdict"]
        if label is None or not verdict or not verdict["parts"]:
            continue
        clip = verdict["llr_clip"]
        rows = np.zeros((2, 3))
        for part in verdict["parts"]:
            evidence = np.clip([part["llr_negative"], 0.0, part["llr_positive"]], -clip, clip)
            rows[0 if part["branch"] == "voice" else 1] = part["quality"] * evidence
        parts.append(rows)
        priors.append([verdict["log_prior"][name] for name in _CLASSES])
        truth.append(_CLASSES.index(label))
        calls.append(str(data["call"]))
    n = len(truth)
    return Labelled(
        parts=np.asarray(parts, np.float64).reshape(n, 2, 3),
        log_prior=np.asarray(priors, np.float64).reshape(n, 3),
        truth=np.asarray(truth, np.int64),
        calls=calls,
    )


def fit(found: Labelled) -> tuple[float, float]:
    """The weights of voice and words, 0..2, that make the labels likeliest (a logarithmic opinion pool, as edge.verdict.fuse)."""
    import numpy as np
    from scipy.optimize import minimize

    def cost(weights: "NDArray[np.float64]") -> float:
        return loss(found, weights) + _SHRINKAGE * float(np.sum(np.square(weights - np.asarray(_SET))))

    best = minimize(cost, np.asarray(_SET), method="L-BFGS-B", bounds=[(0.0, 2.0), (0.0, 2.0)]).x
    return float(best[0]), float(best[1])


def loss(found: Labelled, weights: "Sequence[float] | NDArray[np.float64]") -> float:
    """Mean negative log likelihood of the labels, nats an utterance."""
    import numpy as np

    energy = found.log_prior + np.einsum("b,nbc->nc", np.asarray(weights), found.parts)
    energy = energy - energy.max(axis=1, keepdims=True)
    chances = energy - np.log(np.exp(energy).sum(axis=1, keepdims=True))
    return -float(np.mean(chances[np.arange(len(found.truth)), found.truth]))


def cross_validated(found: Labelled) -> tuple[float, float]:
    """Log loss with the set weights, and with weights fitted on the other calls: no call judges weights that it helped to fit."""
    import numpy as np

    names = sorted(set(found.calls))
    fold_of = {name: number % _FOLDS for number, name in enumerate(names)}
    folds = np.asarray([fold_of[name] for name in found.calls])
    total = 0.0
    for fold in range(_FOLDS):
        out = folds == fold
        if out.any():
            total += loss(_only(found, out), fit(_only(found, ~out))) * int(out.sum())
    return loss(found, _SET), total / len(folds)


def _only(found: Labelled, chosen: "NDArray[np.bool_]") -> Labelled:
    calls = [name for name, taken in zip(found.calls, chosen, strict=True) if taken]
    return Labelled(parts=found.parts[chosen], log_prior=found.log_prior[chosen], truth=found.truth[chosen], calls=calls)


def _labels(path: Path) -> dict[tuple[str, int], str]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found = {(row["call"], int(row["n"])): row["label"] for row in rows}
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; give a CSV with the columns call,n,label") from error
    except (KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a CSV with the columns call,n,label ({error}); see undertone-convert calibrate --help") from error
    if wrong := next((label for label in found.values() if label not in _CLASSES), None):
        raise UsageError(f"{path}: label '{wrong}': give negative, neutral or positive")
    return found


def _utterances(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                event = json.loads(line)
                if event["type"] == "undertone.call.utterance.v1":
                    yield event["data"]
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; make it with `undertone listen --json`") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: a line is no CloudEvent ({error!r}); make it with `undertone listen --json`") from error
