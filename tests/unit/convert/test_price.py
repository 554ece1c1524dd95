"""What a setting costs on made calls: calm ones tell nothing, displeased ones are told, sooner where less is asked."""

import numpy as np
import pytest

from convert.evaluation.made_calls import Box, MadeCall, Slot, angry_calls, calm_calls
from convert.evaluation.price import IN_A_ROW, SHIPPED, Setting, price, with_anger
from convert.words.sets import Calm, Pair
from edge.call.rules.rule_set import load_rules
from edge.values import SAMPLE_RATE, Absence, Absent
from edge.words.branch import WordsJudge
from tests.conversation import WEIGHTS

SLOTS = [
    tuple(Slot(start=n * 7 * SAMPLE_RATE, end=(n * 7 + 3) * SAMPLE_RATE, voice=Absent(reason=Absence.TOO_SHORT)) for n in range(12))
] * 2
CALM = [Calm(held=True, group="bank", text=text) for text in ("what is my balance please", "the account ends in four two")]
PAIRS = [
    Pair(held=True, trade="bank", calm="", displeased=text)
    for text in ("this is a disgrace you are useless and i am furious", "your service is awful and i hate it")
]


@pytest.fixture(scope="module")
def box():
    return Box(WordsJudge.load())


@pytest.mark.takes(1)
def test_a_calm_call_tells_nothing_and_a_displeased_one_is_told_sooner_the_less_is_asked(box):
    rng = np.random.default_rng(1)
    calm, angry = calm_calls(SLOTS, CALM, 10, rng), angry_calls(SLOTS, CALM, PAIRS, 10, rng)
    settings = (IN_A_ROW, Setting(twice=0.9), Setting(twice=0.6), Setting(twice=0.6, once=0.6), Setting(twice=0.6, once=0.6, alone=0.6))
    found = [price(box, calm, angry, setting, WEIGHTS) for setting in settings]
    assert [one.false for one in found] == [0.0] * len(settings)
    in_time = [one.in_time for one in found]
    assert in_time == sorted(in_time)
    assert in_time[0] < in_time[2] < in_time[3] <= found[3].ever == 1.0


def test_seconds_count_from_the_start_of_the_first_displeased_turn(box):
    texts = (CALM[0].text, PAIRS[0].displeased, CALM[1].text, PAIRS[1].displeased)
    told = box.tell(MadeCall(slots=SLOTS[0][:4], texts=texts, displeased_from=1), with_anger(Setting(twice=0.6)), WEIGHTS)
    assert told.seconds == {"sustained-anger": 17.0}


def test_only_that_rule_changes():
    shipped, changed = load_rules(None).rules, with_anger(Setting(twice=0.7)).rules
    assert with_anger(SHIPPED).rules == shipped
    assert [a.id for a, b in zip(shipped, changed, strict=True) if a != b] == ["sustained-anger"]
    assert with_anger(Setting(twice=0.85, led=0.9, once=0.8)).rules == shipped
