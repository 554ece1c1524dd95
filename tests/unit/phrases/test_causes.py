"""A complaint gets one cause, a probability, a runner-up and a route; a site has its own codes and routes."""

import pytest
import yaml

from edge.phrases.causes import SHIPPED, Causes
from tests.paths import TESTS
from tests.unit.phrases.site_files import refused, site

HERE = TESTS / "words"
CAUSES = Causes.load()
# The labels of the airline corpus's complaints.
AIRLINE = {
    "Customer Service Issue", "Late Flight", "Can't Tell", "Cancelled Flight", "Lost Luggage", "Bad Flight", "Flight Booking Problems",
    "Flight Attendant Complaints", "longlines", "Damaged Luggage",
}  # fmt: skip


def code(text: str) -> str:
    cause = CAUSES.judge(text.split())
    assert cause is not None
    return cause.code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("why has my bill doubled", "billing"),
        ("where is my refund", "refund"),
        ("the engineer never showed up", "delay_or_missed_appointment"),
        ("my parcel went to the wrong house", "delivery"),
        ("the broadband keeps dropping", "fault"),
        ("i'm locked out and the password reset doesn't work", "access_login"),
        ("i'd like to close my account", "retention"),
        ("your receptionist was very rude to me", "staff_conduct"),
        ("i have been on hold for an hour and then you cut me off", "unreachable"),
        ("i was told there would be no fee", "wrong_information"),
        ("you lost my suitcase", "damage_or_loss"),
        ("you refuse to exchange it because of the small print", "policy_refusal"),
        ("my lawyer will be in touch", "legal_or_regulator"),
        ("this makes me so sad", "unclear"),
    ],
)
def test_a_plain_complaint_gets_its_code(text, expected):
    assert code(text) == expected


def test_a_threat_wins_over_its_occasion():
    assert code("you overcharged me and i am going to the ombudsman") == "legal_or_regulator"
    assert code("the internet is so slow i want to cancel my contract") == "retention"


@pytest.mark.parametrize(
    "keys", ["press three for a company directory", "enter your number and then press the pound key", "press or say one"]
)
def test_a_key_to_press_is_not_the_press(keys):
    assert code(keys) != "legal_or_regulator"
    assert code(f"{keys} i am going to the press") == "legal_or_regulator"


def test_probabilities_are_of_all_codes_and_sum_to_one():
    p = CAUSES.probabilities(["where", "is", "my", "refund"])
    assert set(p) == set(CAUSES.codes)
    assert sum(p.values()) == pytest.approx(1)
    assert list(p.values()) == sorted(p.values(), reverse=True)


def test_a_doubtful_cause_names_its_alternative():
    cause = CAUSES.judge(["the", "parcel", "is", "damaged"])
    assert cause is not None
    assert {cause.code, cause.alternative} == {"delivery", "damage_or_loss"}


def test_the_learned_model_decides_where_no_cue_does_and_is_ignored_where_it_knows_only_its_prior():
    words = ["what", "an", "evening", "that", "was"]
    learned = {"staff_conduct": 0.9, "unreachable": 0.1}
    judged = CAUSES.judge(words, learned)
    assert judged is not None
    assert judged.code == "staff_conduct"
    priors = {c.code: c.learned_prior for c in CAUSES.codes.values() if c.learned_prior is not None}
    assert CAUSES.probabilities(words, priors) == pytest.approx(CAUSES.probabilities(words))


def test_the_learned_model_cannot_veto_a_clear_cue_of_a_code_it_was_never_taught():
    cause = CAUSES.judge(["my", "lawyer", "will", "write", "to", "you"], {"unreachable": 0.95, "staff_conduct": 0.05})
    assert cause is not None
    assert cause.code == "legal_or_regulator"


def test_no_words_have_no_cause():
    assert CAUSES.judge([]) is None


def test_each_code_has_definition_examples_a_route_and_finds_its_own_examples():
    assert len(CAUSES.codes) >= 15
    for cause in CAUSES.codes.values():
        assert cause.definition
        assert cause.examples
        assert cause.route
        if cause.code not in ("other", "unclear"):
            for example in cause.examples:
                assert code(example) == cause.code, example


def test_every_airline_label_has_one_code_and_priors_are_shares():
    assert set(CAUSES.airline) == AIRLINE
    assert sum(cause.prior for cause in CAUSES.codes.values()) == pytest.approx(1, abs=0.2)
    assert sum(cause.learned_prior or 0 for cause in CAUSES.codes.values()) == pytest.approx(1, abs=0.05)
    assert all(cause.learned_prior is None or cause.airline for cause in CAUSES.codes.values())


@pytest.mark.parametrize("half", ["dev", "sealed"])
def test_the_service_sentences_use_codes_of_the_taxonomy(half):
    rows = yaml.safe_load((HERE / f"service-{half}.yaml").read_text(encoding="utf-8"))
    assert {row["cause"] for row in rows if "cause" in row} <= set(CAUSES.codes)
    assert all("cause" in row for row in rows if row["label"] == "negative")
    # A matter told calmly has its cause, too.
    assert {row["label"] for row in rows if "cause" in row} == {"negative", "neutral"}


# --- a site's own file ------------------------------------------------------------------------------------------------


def test_a_site_maps_codes_to_its_routes_and_adds_codes_and_cues(tmp_path):
    path = site(
        tmp_path,
        """
version: leeds-1
routes: {refund: money-desk}
cues: {billing: {eco surcharge: 4}}
causes:
  - {code: parking, route: car-park, definition: Trouble with our car parks., cues: {car park: 4, barrier: 3}}
""",
    )
    causes = Causes.load(path)
    for text, expected, route in (
        ("where is my refund", "refund", "money-desk"),
        ("what is this eco surcharge", "billing", "billing"),
        ("the barrier at the car park", "parking", "car-park"),
    ):
        cause = causes.judge(text.split())
        assert cause is not None
        assert (cause.code, cause.route) == (expected, route)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("version: a\nroutes: {refnd: x}", ["routes.refnd", "refund"]),
        ("version: a\nroutes: {refund: 'a b'}", ["refund"]),
        ("version: a\ncues: {refund: {'<money>': 2}}", ["refund", "<money>"]),
        ("version: a\ncues: {refund: {voucher: 99}}", ["voucher", "6"]),
        ("version: a\ncausess: []", ["causess", "causes"]),
    ],
)
def test_a_wrong_site_file_is_refused_in_one_line_that_names_the_key_and_the_remedy(tmp_path, text, names):
    refused(Causes.load, site(tmp_path, text), names)


def test_the_shipped_file_is_the_one_that_is_loaded():
    assert CAUSES.version == str(yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["version"])
