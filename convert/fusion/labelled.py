"""What boxes judged and what people say of it, brought together: events, feedback among them, and a CSV."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.columns import read_columns
from edge.errors import UsageError
from edge.files.text import unread
from edge.verdict.fuse import clipped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLASSES = ("negative", "neutral", "positive")
_WANTED = ("undertone.call.utterance.v1", "undertone.alert.v1", "undertone.device.feedback.v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Utterances as arrays: `parts` is float64 (n, 2 branches, 3 classes), quality times clipped evidence, zeros for an absent branch."""

    parts: "NDArray[np.float64]"
    log_prior: "NDArray[np.float64]"
    truth: "NDArray[np.int64]"
    calls: Sequence[str]

    def only(self, chosen: "NDArray[np.bool_]") -> "Labelled":
        """Those utterances."""
        calls = [name for name, taken in zip(self.calls, chosen, strict=True) if taken]
        return Labelled(parts=self.parts[chosen], log_prior=self.log_prior[chosen], truth=self.truth[chosen], calls=calls)


def gather(events: Path, labels: Path | None) -> Labelled:
    """The labelled utterances that have a verdict. A CSV's label counts before one from the bus, that before an alert's outcome.

    Raises UsageError for a file that is not what it should be.
    """
    import numpy as np

    kept = list(_events(events))
    wanted = _said_of_alerts(kept) | _said_of_utterances(kept) | (_labels(labels) if labels is not None else {})
    parts, priors, truth, calls = [], [], [], []
    for kind, data in kept:
        if kind != "undertone.call.utterance.v1":
            continue
        # Popped: an event that comes twice counts once.
        label, verdict = wanted.pop((str(data["call"]), int(data["n"])), None), data["verdict"]
        if label is None or not verdict or not verdict["parts"]:
            continue
        rows = np.zeros((2, 3))
        for part in verdict["parts"]:
            negative, positive = clipped(part["llr_negative"], part["llr_positive"], verdict["llr_clip"])
            rows[0 if part["branch"] == "voice" else 1] = part["quality"] * np.array([negative, 0.0, positive])
        parts.append(rows)
        priors.append([verdict["log_prior"][name] for name in CLASSES])
        truth.append(CLASSES.index(label))
        calls.append(str(data["call"]))
    n = len(truth)
    return Labelled(
        parts=np.asarray(parts, np.float64).reshape(n, 2, 3),
        log_prior=np.asarray(priors, np.float64).reshape(n, 3),
        truth=np.asarray(truth, np.int64),
        calls=calls,
    )


def _said_of_alerts(kept: Sequence[tuple[str, dict[str, Any]]]) -> dict[tuple[str, int], str]:
    """An alert that was justified stood on negative utterances; one that was not did not."""
    evidence: dict[str, set[tuple[str, int]]] = {}
    outcomes: dict[str, bool] = {}
    for kind, data in kept:
        if kind == "undertone.alert.v1":
            places = {(str(data["call"]), int(one["n"])) for reason in data["reasons"] for one in reason["evidence"]}
            evidence.setdefault(data["alert"], set()).update(places)
        elif kind == "undertone.device.feedback.v1" and data["alert"] is not None:
            outcomes[data["alert"]] = data["justified"]
    return {place: "negative" if good else "neutral" for alert, good in outcomes.items() for place in evidence.get(alert, ())}


def _said_of_utterances(kept: Sequence[tuple[str, dict[str, Any]]]) -> dict[tuple[str, int], str]:
    """The newest word on each."""
    said = [data for kind, data in kept if kind == "undertone.device.feedback.v1" and data["label"] is not None]
    return {(str(data["call"]), int(data["n"])): data["label"] for data in said}


def _labels(path: Path) -> dict[tuple[str, int], str]:
    found = {}
    for line, row in read_columns(path, "call", "n", "label"):
        if not row["n"].isdecimal():
            raise UsageError(f"n '{row['n']}' is no number of an utterance", path=path, line=line, remedy="give the event's own n")
        if row["label"] not in CLASSES:
            raise UsageError(f"label '{row['label']}' is none", path=path, line=line, remedy="give negative, neutral or positive")
        found[row["call"], int(row["n"])] = row["label"]
    return found


def _events(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and data of each event that counts here."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(unread(error), path=path, remedy="make it with `undertone listen --json`") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
            kind, data = event["type"], event["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"no CloudEvent ({error!r})", path=path, line=number, remedy="make it with `undertone listen --json`"
            ) from error
        if kind in _WANTED:
            yield kind, data
