"""A site's own fusion weights: fitted where there is enough, refused where there is not, taken over by a box."""

import csv
import json
import math

import numpy as np
import pytest

from convert.__main__ import main
from convert.fusion import fit, gather, loss
from edge.bundle.installing import install
from edge.bundle.manifest import load
from edge.bundle.signature import Trust
from edge.bundle.store import find_bundle
from edge.bundle.weights import weights_of
from tests.boxes import config
from tests.nets import keys

CLASSES = ("negative", "neutral", "positive")
PRIOR = {"negative": math.log(0.25), "neutral": math.log(0.5), "positive": math.log(0.25)}


def site(folder, *, calls, each=12, voice_tells=0.1, seed=1):
    """Events and labels of made-up calls: words tell the truth often, the voice hardly (`voice_tells`: nats)."""
    draw = np.random.default_rng(seed)
    events, labels = [], []
    for call in range(calls):
        for n in range(1, each + 1):
            label = CLASSES[draw.choice(3, p=[0.3, 0.5, 0.2])]
            parts = [part(draw, branch, label, tells) for branch, tells in (("voice", voice_tells), ("words", 1.5))]
            verdict = {"parts": parts, "llr_clip": 4.0, "log_prior": PRIOR}
            events.append({"type": "undertone.call.utterance.v1", "data": {"call": f"c{call}", "n": n, "verdict": verdict}})
            labels.append((f"c{call}", n, label))
    (folder / "events.jsonl").write_text("\n".join(json.dumps(event) for event in events) + "\n")
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("call", "n", "label"), *labels])
    return folder / "events.jsonl", folder / "labels.csv"


def part(draw, branch, label, tells):
    noise = draw.normal(0, 1.5, 2)
    sign = {"negative": (tells, -tells), "neutral": (-tells, -tells), "positive": (-tells, tells)}[label]
    return {"branch": branch, "quality": 0.9, "llr_negative": sign[0] + noise[0], "llr_positive": sign[1] + noise[1]}


def calibrate(folder, *more):
    return main(["calibrate", "--events", str(folder / "events.jsonl"), "--labels", str(folder / "labels.csv"), *more])


def test_a_voice_that_tells_nothing_loses_its_weight_and_the_box_takes_the_weights(tmp_path, capsys):
    private, public, _ = keys(tmp_path)
    found = gather(*site(tmp_path, calls=60))
    assert fit(found)[0] < 0.3
    assert loss(found, fit(found)) < loss(found, (0.4, 1.0))
    assert calibrate(tmp_path, "--key", str(private), "--out", str(tmp_path / "fusion")) == 0
    assert "on calls left out" in capsys.readouterr().out
    settings = config(tmp_path, public)
    install(tmp_path / "fusion", settings)
    folder = find_bundle("fusion", settings)
    weights = weights_of(load(folder, trust=Trust(allow_unsigned=True)))
    assert weights["voice"] < 0.3
    assert 0 < weights["words"] <= 2


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
