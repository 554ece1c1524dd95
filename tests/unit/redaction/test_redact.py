"""Nothing that says who a customer is leaves the words branch, and the words of a complaint do."""

import csv
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.redaction.redact import redact
from tests.paths import ROOT


def words(text: str) -> list[str]:
    return text.split()


CORPUS = ROOT.parent / "shared" / "data" / "text" / "train.csv"

ONES = words("zero one two three four five six seven eight nine ")
TEENS = words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen ")
TENS = words("_ _ twenty thirty forty fifty sixty seventy eighty ninety ")
NATO = words(
    "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo sierra tango "
    "uniform victor whiskey x-ray yankee zulu "
)
ORDINALS = words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth "
)
MONTHS = words("january february march april may june july august september october november december ")
# Names, streets and secrets that are in no list of the code.
NAMES = words(
    "octavia wojciech blessing marlowe tamsin ezra priyanka fitzgerald okonkwo braithwaite o'connor szymanski hargreaves delacroix "
)
STREETS = words("acacia marlborough priory station mill queens brampton thistle larkfield ")
FILLERS = ["um", "uh", "er", "erm"]


def pair(n: int) -> str:
    if n < 10:
        return f"oh {ONES[n]}"
    if n < 20:
        return TEENS[n - 10]
    return TENS[n // 10] + ("" if n % 10 == 0 else f" {ONES[n % 10]}")


def spoken(digits: str, rng: random.Random, *, fillers: bool = True) -> str:
    """Digits as people say them: one by one, "oh", "double", "triple", in pairs, with hesitation."""
    style = rng.choice(("singles", "singles", "doubles", "pairs"))
    words: list[str] = []
    at = 0
    while at < len(digits):
        d = digits[at]
        run = len(digits[at:]) - len(digits[at:].lstrip(d))
        name = rng.choice(("oh", "zero")) if d == "0" else ONES[int(d)]
        if style == "doubles" and run >= 3 and rng.random() < 0.7:
            words += ["triple", name]
            at += 3
        elif style == "doubles" and run >= 2:
            words += ["double", name]
            at += 2
        elif style == "pairs" and at + 2 <= len(digits) and rng.random() < 0.9:
            words += pair(int(digits[at : at + 2])).split()
            at += 2
        else:
            words.append(name)
            at += 1
        if fillers and rng.random() < 0.08:
            words.append(rng.choice(FILLERS))
    return " ".join(words)


def some_digits(n: int, rng: random.Random) -> str:
    return "".join(rng.choice("0123456789") for _ in range(n))


def card(rng: random.Random) -> str:
    number = spoken(some_digits(16, rng), rng)
    return rng.choice(
        (f"my card number is {number}", f"it's {number}", f"{number} expires next year", f"the long number is um {number} okay")
    )


def account(rng: random.Random) -> str:
    number = spoken(some_digits(rng.choice((6, 8, 9, 10)), rng), rng)
    return rng.choice(
        (f"my account number is {number}", f"account {number} please", f"sort code {number}", f"the reference is {number}", f"yes {number}")
    )


def phone(rng: random.Random) -> str:
    number = spoken(rng.choice(("0", "07", "")) + some_digits(rng.choice((9, 10)), rng), rng)
    return rng.choice((f"call me on {number}", f"my number is {number} thanks", f"ring me back at {number} please", f"it's {number}"))


def pin(rng: random.Random) -> str:
    number = spoken(some_digits(rng.choice((3, 4, 6)), rng), rng)
    return rng.choice(
        (f"the security code is {number}", f"my pin is {number}", f"the c v v number is {number}", f"my passcode is um {number}")
    )


def written(rng: random.Random) -> str:
    digits = some_digits(16, rng)
    shapes = (
        "my card is " + " ".join(digits[i : i + 4] for i in range(0, 16, 4)),
        "card " + digits,
        "phone " + digits[:5] + " " + digits[5:11],
        "call +44" + digits[:10],
        "account " + digits[:8],
        "born 12/03/19" + digits[:2],
        f"mail {rng.choice(NAMES)}.{rng.choice(NAMES)}@example.com",
    )
    return rng.choice(shapes)


def email(rng: random.Random) -> str:
    first, last = rng.choice(NAMES), rng.choice(NAMES)
    local = rng.choice(
        (
            first,
            f"{first} dot {last}",
            f"{first} underscore {last}",
            f"{first} {last}",
            f"{first[0]} dot {last}",
            f"{first} {spoken('42', rng)}",
        )
    )
    host = rng.choice(("gmail", "hotmail", "example", "my company", "uh outlook"))
    end = rng.choice(("dot com", "dot co dot uk", "dot co uk", "dot org", "dot net"))
    return rng.choice(
        (f"my email is {local} at {host} {end}", f"it's {local} at {host} {end} thanks", f"send it to {local} at {host} {end}")
    )


def name(rng: random.Random) -> str:
    full = " ".join(rng.choice(NAMES) for _ in range(rng.choice((1, 2, 2, 3))))
    return rng.choice(
        (
            f"my name is {full} and i want a refund", f"hello my name is um {full}", f"this is {full} speaking", f"{full} speaking",
            f"my name's {full} i called today", f"you're speaking with {full}", f"hi it's mrs {full}", f"my surname is {full.split()[0]}",
        )
    )  # fmt: skip


def birth(rng: random.Random) -> str:
    day, month, year = rng.randint(1, 20), rng.choice(MONTHS), rng.randint(1930, 2009)
    said_year = f"two thousand and {ONES[year % 10]}" if year > 2000 else "two thousand" if year == 2000 else f"nineteen {pair(year % 100)}"
    forms = (
        f"the {ORDINALS[day - 1]} of {month} {said_year}",
        f"{month} the {ORDINALS[day - 1]} {said_year}",
        f"{ORDINALS[day - 1]} {month} {said_year}",
        f"{pair(day) if day > 9 else ONES[day]} {month} {said_year}",
        f"oh {ONES[1 + day % 9]} oh {ONES[1 + day % 9]} {pair(year % 100)}",
    )
    date = rng.choice(forms)
    return rng.choice((f"my date of birth is {date}", f"i was born on {date}", f"date of birth um {date} okay"))


def address(rng: random.Random) -> str:
    number = pair(rng.randint(10, 99)) if rng.random() < 0.5 else f"{ONES[rng.randint(1, 9)]}"
    kind = rng.choice(["street", "road", "avenue", "lane", "drive", "close", "crescent", "gardens", "terrace", "court"])
    street = f"{number} {rng.choice(STREETS)} {kind}"
    return rng.choice((f"i live at {street}", f"my address is {street}", f"send it to {street} please", f"it's flat two {street}"))


def postcode(rng: random.Random) -> str:
    def letter() -> str:
        i = rng.randrange(26)
        return NATO[i] if rng.random() < 0.3 else chr(97 + i)

    outward = " ".join(letter() for _ in range(rng.choice((1, 2))))
    code = f"{outward} {spoken(some_digits(rng.choice((1, 2)), rng), rng, fillers=False)} {ONES[rng.randint(0, 9)]} {letter()} {letter()}"
    return rng.choice(
        (f"my postcode is {code}", f"it's {code}", f"the postcode um {code} thank you", f"zip code {spoken(some_digits(5, rng), rng)}")
    )


def password(rng: random.Random) -> str:
    secret = rng.choice((rng.choice(STREETS), f"{rng.choice(STREETS)} {spoken('42', rng, fillers=False)}", f"{rng.choice(NAMES)}"))
    return rng.choice(
        (f"my password is {secret}", f"memorable word is {secret}", f"the passcode is um {secret}", f"i changed my password to {secret}",
         f"my mother's maiden name is {rng.choice(NAMES)}", f"the security answer is {secret}")
    )  # fmt: skip


KINDS = (card, account, phone, pin, written, email, name, birth, address, postcode, password)
CARRIER = frozenset(
    words(
        "my card number is it's expires next year the long um okay account please sort code reference yes call me on thanks ring back at "
        "security pin c v passcode phone born mail email send it to name and i want a refund hello this speaking name's called today "
        "you're with hi mrs surname date of birth was live address flat postcode thank you zip password memorable word changed mother's "
        "maiden answer uh er erm +44 "
    )
)


def leaks(said: str) -> list[str]:
    """The words of the identifier in `said` that redact left standing."""
    return [word for word in redact(said).split() if not word.startswith("[") and word not in CARRIER]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=300, deadline=None)
@given(rng=st.randoms(use_true_random=False))
def test_a_generated_identifier_is_hidden(kind, rng):
    said = kind(rng)
    assert leaks(said) == [], f"{said!r} became {redact(said)!r}"


def test_identifiers_hidden_of_ten_thousand_generated_are_at_least_999_in_1000():
    rng = random.Random(20_261_123)
    leaked = Counter(kind.__name__ for kind in KINDS for _ in range(1000) if leaks(kind(rng)))
    assert sum(leaked.values()) <= 11, leaked


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("my name is john smith and i have been waiting two hours", "my name is [name] and i have been waiting two hours"),
        ("john dot smith at gmail dot com", "[email]"),
        ("my card is four five double oh one two three four five six seven eight nine oh one two", "my card is [card]"),
        ("call me on oh seven seven double oh nine hundred one two three", "call me on [phone]"),
        ("my postcode is l s one four d p", "my postcode is [postcode]"),
        ("my pin is four two one six", "my pin is [password]"),
        # as Vosk heard a card number said with "um" and "oh"
        (
            "my card number is five to six some no one eight or one or five or nine or eight three or one six six",
            "my card number is [card]",
        ),
        ("the last four digits are um seven one uh two nine", "the last [number]"),
        ("it's seven eight seven seven eight nine three to eight seven nine am to one seven arm for to", "it's [phone]"),
        ("it's nine one four three three or one for six seven freons it settlers it'll to learn source five", "it's [account]"),
        ("the references seventeen i'm sixteen o seven ninety nine", "the references [account]"),
        ("my email his blessing underscore marlowe that example done to art", "my email [email]"),
        ("i was born i know three or three seventy seven", "i was born i know [date]"),
        ("the post code on them six to nine ten goes and que", "the post code on them [postcode] goes and que"),
        ("send it to fourteen okay said i please", "send it to [address] okay said i please"),
        # said so
        ("it is flat two larkfield house", "it is flat [address] larkfield house"),
        ("surname is p for papa a as in apple t like tommy e l", "surname is [name]"),
        ("four two one six is my pin", "[password] is my pin"),
        ("four two one", "[number]"),
    ],
)
def test_what_is_hidden_says_what_it_was(said, shown):
    assert redact(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "i waited forty minutes and then two hours more",
        "this is the third time i have called",
        "you charged me two hundred and thirty five dollars twice",
        "flight four hundred and seventy two left at ten fifty five",
        "the app says my password is wrong",
        "my name is wrong on the ticket",
        "i have been speaking to three different people",
        "at this point i want to cancel",
        "this is ridiculous",
        "twenty four seven support they said",
        "it is a two hour drive",
        "",
    ],
)
def test_harmless_words_stay(said):
    assert redact(said) == said


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_redacted(text):
    assert isinstance(redact(text), str)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "oh",
                "double",
                "four",
                "forty",
                "hundred",
                "at",
                "dot",
                "a",
                "b",
                "my",
                "name",
                "is",
                "speaking",
                "um",
                "password",
                "pin",
                "born",
                "may",
                "street",
            ]
        ),
        max_size=12,
    )
)
def test_redacting_twice_hides_no_less(words):
    once = redact(" ".join(words))
    assert set(redact(once).split()) <= {
        *once.split(),
        "[number]",
        "[account]",
        "[name]",
        "[password]",
        "[address]",
        "[email]",
        "[postcode]",
        "[date]",
        "[phone]",
        "[card]",
    }


@pytest.mark.skipif(not CORPUS.exists(), reason="the airline corpus is not on this machine: harmless words hidden are not counted")
def test_of_a_corpus_of_complaints_at_most_seven_words_in_a_thousand_are_hidden():
    with CORPUS.open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    kept = sum(sum(not word.startswith("[") for word in redact(text).split()) for text in texts)
    total = sum(len(text.split()) for text in texts)
    # 0.61 % were hidden when this was written, nearly all of them file, phone and case numbers, and staff in full name.
    assert 1 - kept / total < 0.007
