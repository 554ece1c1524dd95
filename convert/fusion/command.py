"""`undertone-convert calibrate`: what the recovery team found out weighs voice against words anew for its site, and sets its alerts."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from convert.pack import version
from edge.errors import UsageError
from edge.values import ModelKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from convert.fusion.labelled import Labelled

_EXAMPLES = """\
examples:
  undertone listen --config undertone.yaml --json >> events.jsonl        for some weeks, on the PC
  undertone-convert calibrate --events events.jsonl --key leeds.key --out fusion-1.0.0
  undertone-convert calibrate --events events.jsonl --labels labels.csv --key leeds.key --out fusion-1.0.0
  undertone-convert push fusion-1.0.0 --url mqtt://broker.example --site leeds

what people say of calls comes from the events themselves (the team sends `feedback` on the command topic, see docs/bus.md), or from a
CSV with the columns call,n,label: the call's id, the utterance's number in it, and negative, neutral or positive.
under 300 utterances, 30 calls or 50 negatives nothing is fitted: it would be chance.
"""
# Two weights from fewer would follow the odd caller; issue 9 sets these.
UTTERANCES, CALLS, NEGATIVES = 300, 30, 50
_FOLDS = 5
# Towards the weights that are set, as strongly as three utterances in a hundred: few labels move them little.
_SHRINKAGE = 0.03
_SET = (0.4, 1.0)
# The shipped rules speak of a negative utterance from here on (edge/call/rules/rules.yaml): to them a false one costs 0.6 / 0.4 misses.
_THRESHOLD = 0.6
# As far as a bundle may go, in steps finer than any label can tell; to go all of it must earn one utterance in a hundred.
_STRICTNESSES = tuple(round(-0.5 + 0.05 * step, 2) for step in range(21))
_RELUCTANCE = 0.02


class Site(NamedTuple):
    """What is fitted: weights 0..2, and how strict alerts are, -0.5..0.5."""

    voice: float
    words: float
    strictness: float = 0.0


class Judged(NamedTuple):
    """How good that is on calls left out: log loss (nats an utterance), and what the alert threshold costs, as `cost`."""

    loss: float
    cost: float


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "calibrate",
        help="fit a site's fusion weights and alert thresholds to what people said of its calls",
        description="Fit how much voice and words count at a site and how strict its alerts are, judge that by calls left out, sign it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--events", type=Path, required=True, metavar="JSONL", help="CloudEvents, one a line, as `undertone listen --json`")
    parser.add_argument("--labels", type=Path, metavar="CSV", help="columns call,n,label (default: the feedback among the events)")
    parser.add_argument("--out", type=Path, default=Path("build/fusion"), metavar="DIR", help="where it goes (default build/fusion)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key to sign it with (default: unsigned)")
    parser.add_argument("--version", type=version, default="1.0.0", metavar="X.Y.Z", help="its version (default 1.0.0)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit, judge, pack. Raises UsageError where there is too little to fit on."""
    import numpy as np

    from convert.fusion.labelled import gather
    from convert.pack import finish, now, write_manifest
    from edge.bundle.manifest import Manifest

    found = gather(args.events, args.labels)
    counts = {"utterances": len(found.truth), "calls": len(set(found.calls)), "negatives": int(np.sum(found.truth == 0))}
    for name, least in (("utterances", UTTERANCES), ("calls", CALLS), ("negatives", NEGATIVES)):
        if counts[name] < least:
            raise UsageError(
                f"{counts[name]} {name} with label and event, {least} are needed",
                path=args.labels or args.events,
                remedy="label more calls",
            )
    before, after = cross_validated(found)
    site = fit(found)
    cost = after.cost
    if cost >= before.cost:
        # No threshold is better than the rules' own, so none is moved.
        site, cost = site._replace(strictness=0.0), before.cost
    print(f"fitted on {counts['utterances']} utterances of {counts['calls']} calls, {counts['negatives']} of them negative")
    print(f"  {'':<24}{'as set':>8}{'fitted':>8}")
    for name, old, new in (("weight of the voice", _SET[0], site.voice), ("weight of the words", _SET[1], site.words)):
        print(f"  {name:<24}{old:>8.3f}{new:>8.3f}")
    print(f"  {'alerts from p_negative':<24}{_THRESHOLD:>8.3f}{threshold(site.strictness):>8.3f}")
    print("on calls left out:")
    print(f"  {'log loss':<24}{before.loss:>8.4f}{after.loss:>8.4f}")
    print(f"  {'cost of the threshold':<24}{before.cost:>8.4f}{cost:>8.4f}")
    if after.loss >= before.loss:
        raise UsageError(
            "nothing to roll out: the fitted weights are no better than the set ones on calls left out", remedy="label more calls"
        )
    args.out.mkdir(parents=True, exist_ok=True)
    calibration: dict[str, object] = {name: round(value, 4) for name, value in site._asdict().items()}
    metrics = {"loss_set": before.loss, "loss_fitted": after.loss, "threshold_cost_set": before.cost, "threshold_cost_fitted": cost}
    manifest = Manifest(
        kind=ModelKind.FUSION,
        name="fusion",
        version=args.version,
        created=now(),
        calibration={**calibration, **counts},
        metrics={name: round(value, 4) for name, value in metrics.items()},
        licence="the site's own labels",
        validated_on_calls=True,
    )
    write_manifest(args.out, manifest)
    bundle = finish(args.out, args.key)
    print(f"{bundle.label}: {args.out}; next: `undertone-convert push {args.out} --url URL --site SITE`")
    return 0


def fit(found: "Labelled") -> Site:
    """The weights of voice and words that make the labels likeliest (a logarithmic opinion pool, as edge.verdict.fuse).

    And the strictness with which the alert threshold costs least.
    """
    import numpy as np
    from scipy.optimize import minimize

    def unlikely(weights: "NDArray[np.float64]") -> float:
        return loss(found, weights) + _SHRINKAGE * float(np.sum(np.square(weights - np.asarray(_SET))))

    best = minimize(unlikely, np.asarray(_SET), method="L-BFGS-B", bounds=[(0.0, 2.0), (0.0, 2.0)]).x
    weights = (float(best[0]), float(best[1]))
    strictness = min(_STRICTNESSES, key=lambda one: cost(found, weights, one) + _RELUCTANCE * abs(one))
    return Site(*weights, strictness)


def loss(found: "Labelled", weights: "Sequence[float] | NDArray[np.float64]") -> float:
    """Mean negative log likelihood of the labels, nats an utterance."""
    import numpy as np

    return -float(np.mean(_log_chances(found, weights)[np.arange(len(found.truth)), found.truth]))


def cost(found: "Labelled", weights: Sequence[float], strictness: float) -> float:
    """Utterances on the wrong side of the alert threshold, as a share: a false one counts 0.6, a miss 0.4."""
    import numpy as np

    alerting = np.exp(_log_chances(found, weights)[:, 0]) >= threshold(strictness)
    negative = found.truth == 0
    return float(np.mean(_THRESHOLD * (alerting & ~negative) + (1 - _THRESHOLD) * (~alerting & negative)))


def threshold(strictness: float) -> float:
    """The shipped rules' p_negative with this strictness, as edge.call.rules.alerts works it out."""
    return _THRESHOLD + (1 - _THRESHOLD) * strictness


def cross_validated(found: "Labelled") -> tuple[Judged, Judged]:
    """As set, and as fitted on the other calls: no call judges what it helped to fit."""
    import numpy as np

    names = sorted(set(found.calls))
    fold_of = {name: number % _FOLDS for number, name in enumerate(names)}
    folds = np.asarray([fold_of[name] for name in found.calls])
    lost = costs = 0.0
    for fold in range(_FOLDS):
        out = folds == fold
        if out.any():
            site, judged = fit(found.only(~out)), found.only(out)
            lost += loss(judged, site[:2]) * int(out.sum())
            costs += cost(judged, site[:2], site.strictness) * int(out.sum())
    n = len(folds)
    return Judged(loss(found, _SET), cost(found, _SET, 0.0)), Judged(lost / n, costs / n)


def _log_chances(found: "Labelled", weights: "Sequence[float] | NDArray[np.float64]") -> "NDArray[np.float64]":
    """float64 (n, 3): log probabilities of negative, neutral, positive."""
    import numpy as np

    energy = found.log_prior + np.einsum("b,nbc->nc", np.asarray(weights), found.parts)
    energy = energy - energy.max(axis=1, keepdims=True)
    chances: NDArray[np.float64] = energy - np.log(np.exp(energy).sum(axis=1, keepdims=True))
    return chances
