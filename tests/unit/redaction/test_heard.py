"""What a recogniser made of spoken identifiers: the number, name or street is hidden though words around it were misheard."""

import pytest

from edge.redaction.redact import redact

# As heard by Vosk (tests/words/identifiers.py), and what must not survive of it.
LEFT = (
    ("you have s williams advert mail dot go dot uk on final", "williams"),
    ("yes deliver to twenty eight church port thank you", "twenty eight church"),
    ("my birthday is seventeen survey pearl nineteen ninety three this is urgent", "seventeen nineteen ninety"),
    ("the memorable places patel", "patel"),
    ("policy number prefer top level thirty nine eighty eight k that's right", "thirty eighty"),
    ("i'm so tax reference you for you to you get or six seven o type of racy", "six seven o"),
    ("mm hundred and twenty two four hundred and fifty six the family", "twenty four fifty"),
    ("the address is do priory or have you got that", "priory"),
    ("record locator five l lj for joliet at", "five l lj"),
    ("my national insurance is and for mike fox for fifty seven seventy one twenty five years that right", "fifty seventy twenty five"),
    ("wait versus patel o'brien calling about my bill", "patel o'brien"),
    ("early on reddit one hundred and eighty the priory way yes", "eighty priory"),
    ("before the address is one hundred and forty four prior remote feel", "forty four prior"),
)
STAYS = (
    "they cancelled the nine thirty and the ten fifteen",
    "between nine fifteen and ten forty nobody answered",
    "royal mail dot com is down",
    "i deliver to ten shops",
    "it was delivered to two people",
    "my policy number went from thirty five to ninety two",
    "my account number has two charges of forty nine ninety nine",
    "from one hundred and fifty to two hundred and twenty",
    "we flew on a seven hundred and thirty seven eight hundred",
    "the address is to be changed",
    "i have been calling about my bill",
    "is anybody calling about it",
    "it went up by twenty the wrong way",
    "the plan is called family plus",
    "the tv and the cd are mine",
)


@pytest.mark.parametrize(("heard", "secret"), LEFT)
def test_what_was_misheard_beside_it_uncovers_no_identifier(heard, secret):
    assert not set(secret.split()) & set(redact(heard).split()), redact(heard)


@pytest.mark.parametrize("heard", STAYS)
def test_what_identifies_nobody_stays(heard):
    assert redact(heard) == heard
