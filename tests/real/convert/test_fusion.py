"""A site's own fusion weights: fitted where there is enough, refused where there is not, taken over by a box."""

import csv
import json
import math

import msgspec
import numpy as np
import pytest

from convert.__main__ import main
from convert.fusion.command import fit, loss, threshold
from convert.fusion.labelled import gather
from edge.bundle.manifest import load
from edge.bundle.signature import Trust
from edge.bundle.store import find_bundle
from edge.models.install import install
from edge.models.kinds import fitted_of
from edge.models.loading import load_engines
from edge.service.announce import feedback_event
from edge.values import Mode
from edge.wire.commands import AlertFeedback, UtteranceFeedback
from tests.boxes import config
from tests.conversation import Conversation, words
from tests.nets import keys

CLASSES = ("negative", "neutral", "positive")
PRIOR = {"negative": math.log(0.25), "neutral": math.log(0.5), "positive": math.log(0.25)}


def site(folder, *, calls, each=12, voice_tells=0.1, seed=1, hasty=0.0):
    """Events and labels of made-up calls: words tell the truth often, the voice hardly (`voice_tells`: nats)."""
    draw = np.random.default_rng(seed)
    events, labels = [], []
    for call in range(calls):
        for n in range(1, each + 1):
            label = CLASSES[draw.choice(3, p=[0.3, 0.5, 0.2])]
            parts = [part(draw, branch, label, tells) for branch, tells in (("voice", voice_tells), ("words", 1.5))]
            parts[1]["llr_negative"] += hasty
            verdict = {"parts": parts, "llr_clip": 4.0, "log_prior": PRIOR}
            events.append({"type": "undertone.call.utterance.v1", "data": {"call": f"c{call}", "n": n, "verdict": verdict}})
            labels.append((f"c{call}", n, label))
    (folder / "events.jsonl").write_text("\n".join(json.dumps(event) for event in events) + "\n")
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("call", "n", "label"), *labels])
    return folder / "events.jsonl", folder / "labels.csv"


def by_feedback(events, labels):
    """The same labels as the team's feedback among the events; those of every tenth call as outcomes of alerts."""
    lines = events.read_text().splitlines()
    for row in csv.DictReader(labels.read_text().splitlines()):
        call, n = row["call"], int(row["n"])
        if call.endswith("0") and row["label"] != "positive":
            alert = f"{call}:alert:{n}"
            lines.append(
                json.dumps({"type": "undertone.alert.v1", "data": {"alert": alert, "call": call, "reasons": [{"evidence": [{"n": n}]}]}})
            )
            said = AlertFeedback(alert=alert, justified=row["label"] == "negative", by="ann")
        else:
            said = UtteranceFeedback(call=call, n=n, label=row["label"], by="ann")
        lines.append(json.dumps({"type": "undertone.device.feedback.v1", "data": msgspec.to_builtins(feedback_event(said).data)}))
    labels.unlink()
    events.write_text("\n".join(lines) + "\n")


def part(draw, branch, label, tells):
    noise = draw.normal(0, 1.5, 2)
    sign = {"negative": (tells, -tells), "neutral": (-tells, -tells), "positive": (-tells, tells)}[label]
    return {"branch": branch, "quality": 0.9, "llr_negative": sign[0] + noise[0], "llr_positive": sign[1] + noise[1]}


def calibrate(folder, *more):
    labels = folder / "labels.csv"
    given = ["--labels", str(labels)] if labels.exists() else []
    return main(["calibrate", "--events", str(folder / "events.jsonl"), *given, *more])


def test_a_voice_that_tells_nothing_loses_its_weight_and_the_box_takes_the_weights(tmp_path, capsys):
    private, public, _ = keys(tmp_path)
    found = gather(*site(tmp_path, calls=60))
    assert fit(found)[0] < 0.3
    assert loss(found, fit(found)[:2]) < loss(found, (0.4, 1.0))
    assert calibrate(tmp_path, "--key", str(private), "--out", str(tmp_path / "fusion")) == 0
    assert "on calls left out" in capsys.readouterr().out
    settings = config(tmp_path, public)
    install(tmp_path / "fusion", settings)
    folder = find_bundle("fusion", settings)
    fitted = fitted_of(load(folder, trust=Trust(allow_unsigned=True)))
    assert fitted.voice < 0.3
    assert 0 < fitted.words <= 2


def test_feedback_from_the_bus_and_outcomes_of_alerts_fit_as_a_csv_does(tmp_path):
    events, labels = site(tmp_path, calls=60)
    from_csv = gather(events, labels)
    by_feedback(events, labels)
    from_bus = gather(events, None)
    positive_calls = sum(call.endswith("0") for call in from_csv.calls)
    assert positive_calls
    assert len(from_bus.truth) == len(from_csv.truth)
    assert fit(from_bus) == fit(from_csv)


def test_alerts_become_stricter_where_the_team_says_that_they_come_too_early_and_the_box_raises_its_thresholds(tmp_path):
    private, public, _ = keys(tmp_path)
    # Words that are sure of a complaint where there is none: only the surest are right.
    site(tmp_path, calls=80, hasty=2.0)
    assert calibrate(tmp_path, "--key", str(private), "--out", str(tmp_path / "fusion")) == 0
    fitted = fitted_of(load(tmp_path / "fusion", trust=Trust(allow_unsigned=True)))
    assert fitted.strictness > 0
    settings = msgspec.structs.replace(config(tmp_path, public), mode=Mode.VOICE)
    install(tmp_path / "fusion", settings)
    assert load_engines(settings).strictness == fitted.strictness
    # Between the two thresholds: an alert as set, none as fitted.
    p = (threshold(0) + threshold(fitted.strictness)) / 2
    said = words(math.log(4 * 0.75 * p / (1 - p)), quality=1.0)
    as_set, as_fitted = Conversation(), Conversation(strictness=fitted.strictness)
    for one in (as_set, as_fitted):
        one.customer(said).customer(said).customer(said)
    assert as_set.alert("sustained-anger")
    assert not as_fitted.alert("sustained-anger")


@pytest.mark.parametrize(("calls", "each", "short"), [(40, 5, "200 utterances"), (29, 12, "29 calls")])
def test_too_few_labels_are_refused_with_the_count_that_is_needed(tmp_path, capsys, calls, each, short):
    site(tmp_path, calls=calls, each=each)
    assert calibrate(tmp_path, "--out", str(tmp_path / "fusion")) == 2
    said = capsys.readouterr().err
    assert short in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "fusion").exists()


def test_a_label_that_is_none_is_named(tmp_path, capsys):
    _, labels = site(tmp_path, calls=2)
    labels.write_text("call,n,label\nc0,1,furious\n")
    assert calibrate(tmp_path) == 2
    assert "'furious'" in capsys.readouterr().err
