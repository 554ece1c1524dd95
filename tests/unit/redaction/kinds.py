"""Twenty kinds of identifier with drawn values, as callers say them, and what must not survive of each."""

from collections.abc import Callable

from tests.unit.redaction.callers_words import (
    FAMILY,
    GIVEN,
    LETTERS,
    MONTHS,
    NAMES,
    NATO,
    ONES,
    ORDINALS,
    SECRETS,
    STREETS,
    TEENS,
    TENS,
    Random,
    corrected,
    digit,
    digits,
    letter,
    pair,
    some,
)

# What was said, and the words of it that must not survive (None: every number word, letter and secret).
Said = tuple[str, list[str] | None]


def by_title(rng: Random) -> Said:
    n = rng.choice(NAMES)
    t = rng.choice(("missus", "mister", "miss", "mrs", "mr", "doctor", "professor", "ms"))
    return rng.choice(
        (
            f"it's {t} {n} again",
            f"{t} {n} here",
            f"this is {t} {n}",
            f"you spoke to {t} {n} yesterday",
            f"put it under {t} {n}",
            f"it is {t} {n} calling back",
        )
    ), [n]


def this_is(rng: Random) -> Said:
    n = rng.choice(NAMES)
    m = rng.choice(NAMES)
    return rng.choice(
        (
            f"this is {n}",
            f"this is {n} {m} calling about my bill",
            f"{n} {m} speaking",
            f"it's {n} again",
            f"hello {n} {m} here",
            f"yeah hi this is {rng.choice(GIVEN)} {n}",
            f"i'm {n} {m} and i called on monday",
            f"speaking is {n}",
        )
    ), [n, m]


def holder(rng: Random) -> Said:
    n = rng.choice(NAMES)
    m = rng.choice(NAMES)
    return rng.choice(
        (
            f"the account holder is {n} {m}",
            f"account holder {n} {m}",
            f"it's in the name of {n} {m}",
            f"the account is under {n}",
            f"policy holder's {n} {m}",
            f"the booking is under {n} {m}",
            f"it should be under the name {n}",
            f"listed as {n} {m}",
            f"registered to {n} {m}",
            f"my husband's name is {n}",
            f"the passenger is {n} {m}",
        )
    ), [n, m]


def full(rng: Random) -> Said:
    a, b = rng.choice(GIVEN), rng.choice(FAMILY)
    return rng.choice(
        (f"{a} {b} told me to call", f"i am calling for {a} {b}", f"it was {a} {b} who signed", f"can you put me through to {a} {b}")
    ), [a, b]


def spelled(rng: Random) -> Said:
    n = rng.choice(NAMES)
    s = " ".join(n)
    return rng.choice((f"that's {s}", f"it's spelled {s}", f"surname {s}", f"{s}", f"i'll spell it {s} okay", f"my last name {s} yes")), [
        one for one in n if one not in "ai"
    ]


def correction(rng: Random) -> Said:
    s = some(rng.choice((8, 10, 16)), rng)
    return rng.choice(
        (
            f"the card is {corrected(s, rng)}",
            f"my account number is {corrected(s, rng)}",
            f"it's {corrected(s, rng)}",
            f"reference {corrected(s, rng)}",
        )
    ), None


def doubles(rng: Random) -> Said:
    d = rng.choice("0123456789")
    times = [rng.choice(("double", "triple")) for _ in range(2)]
    s = f"{times[0]} {digit(d, rng)} {digits(some(4, rng), rng)} {times[1]} {digit(rng.choice('0123456789'), rng)}"
    return rng.choice((f"my account number is {s}", f"it ends in {s}", f"the pin is {s}", f"membership {s}", f"it's {s}")), None


def grouped(rng: Random) -> Said:
    g = [
        f"{ONES[rng.randint(1, 9)]} hundred and {pair(rng.randint(10, 99))}" if rng.random() < 0.5 else pair(rng.randint(10, 99))
        for _ in range(rng.choice((3, 4)))
    ]
    s = " ".join(g)
    return rng.choice((f"the reference is {s}", f"account number {s}", f"my customer number is {s}", f"policy {s}")), None


def birth(rng: Random) -> Said:
    d, m, y = rng.randint(1, 20), rng.randint(1, 12), rng.randint(10, 99)
    s = rng.choice(
        (
            f"{ORDINALS[d - 1]} {ORDINALS[m - 1]} {pair(y)}",
            f"the {ORDINALS[d - 1]} of the {ORDINALS[m - 1]} {pair(y)}",
            f"{ORDINALS[d - 1]} of {MONTHS[m - 1]} nineteen {pair(y)}",
            f"{pair(d) if d > 9 else ONES[d]} {MONTHS[m - 1]} {pair(y)}",
            f"{ONES[m] if m < 10 else pair(m)} {ONES[d] if d < 10 else pair(d)} nineteen {pair(y)}",
        )
    )
    return rng.choice(
        (f"date of birth {s}", f"my birthday is {s}", f"i was born {s}", f"d o b {s}", f"born on the {s}", f"{s} is my date of birth")
    ), None


def street(rng: Random) -> Said:
    s = f"{rng.choice(STREETS)} {rng.choice(('street', 'road', 'lane', 'avenue', 'close', 'crescent', 'gardens'))}"
    return rng.choice(
        (
            f"i live on {s}",
            f"my address is {s}",
            f"it was delivered to {s} instead",
            f"i am at {s}",
            f"we moved to {s} in may",
            f"send it to {s} please",
        )
    ), [s.split(maxsplit=1)[0]]


def house(rng: Random) -> Said:
    a = rng.choice(("rose", "orchard", "ivy", "willow", "brook", "larkspur", "primrose"))
    s = f"{a} {rng.choice(('cottage', 'lodge', 'farm', 'manor', 'barn'))}"
    return rng.choice((f"i live at {s}", f"my address is {s}", f"the house is called {s}", f"deliver it to {s}", f"the property is {s}")), [
        a
    ]


def numbered_street(rng: Random) -> Said:
    number = rng.choice((pair(rng.randint(10, 99)), ONES[rng.randint(1, 9)], "one hundred and " + pair(rng.randint(10, 99))))
    s = f"{number} {rng.choice(STREETS)} {rng.choice(('street', 'road', 'lane', 'drive', 'court', 'way'))}"
    return rng.choice((f"i live at {s}", f"the address is {s}", f"it's {s}", f"deliver to {s}")), None


def password(rng: Random) -> Said:
    s = rng.choice(SECRETS) + rng.choice(("", " " + digits(some(2, rng), rng)))
    return rng.choice(
        (
            f"the password i used was {s}",
            f"my password for the portal is {s}",
            f"password {s}",
            f"i always use {s} as my password",
            f"my passcode was {s}",
            f"i set my password to {s}",
            f"the password should be {s}",
            f"my online password would be {s}",
            f"try the password {s}",
        )
    ), None


def answer(rng: Random) -> Said:
    s = rng.choice(NAMES)
    return rng.choice(
        (
            f"my mother's maiden name is {s}",
            f"mother's maiden name {s}",
            f"the answer is {s} for the security question",
            f"my security answer was {s}",
            f"my first pet was called {s}",
            f"the name of my first school was {s}",
            f"my memorable word is {s}",
            f"memorable word {s}",
            f"the memorable place is {s}",
            f"my favourite teacher was {s}",
            f"my mum's maiden name was {s}",
        )
    ), [s]


def email(rng: Random) -> Said:
    a, b = rng.choice(NAMES), rng.choice(NAMES)
    loc = rng.choice((a, f"{a} dot {b}", f"{a[0]} {b}", f"{a} dash {b}", f"{a} underscore {b} {digits(some(2, rng), rng)}", " ".join(a)))
    host = rng.choice(
        ("gmail dot com", "hotmail dot co dot uk", f"{b} dot com", f"{b} dash plumbing dot co dot uk", "outlook dot com", "g mail dot com")
    )
    return rng.choice(
        (f"my email is {loc} at {host}", f"send it to {loc} at {host}", f"it's {loc} at {host} thanks", f"you have {loc} at {host} on file")
    ), [a, b]


def web(rng: Random) -> Said:
    a = rng.choice(NAMES)
    d = rng.choice(
        (
            f"{a} dot com",
            f"w w w dot {a} dot co dot uk",
            f"{a} plumbing dot com",
            f"{a} dash plumbing dot co dot uk",
            f"www dot {a} dot org",
        )
    )
    return rng.choice((f"my website is {d}", f"the website is {d}", f"our site {d} is down", f"it's {d}", f"the domain {d} expired")), [a]


def policy(rng: Random) -> Said:
    s = " ".join(
        [letter(rng) for _ in range(rng.choice((2, 3)))]
        + [digits(some(rng.choice((4, 6)), rng), rng)]
        + ([letter(rng)] if rng.random() < 0.5 else [])
    )
    return rng.choice((f"policy number {s}", f"my policy is {s}", f"the policy number's {s}", f"it's policy {s} please")), None


def booking(rng: Random) -> Said:
    t = [letter(rng) if rng.random() < 0.6 else digit(rng.choice("0123456789"), rng) for _ in range(6)]
    if not any(x in (*ONES, "oh") for x in t):
        t[2] = "four"
    s = " ".join(t)
    return rng.choice(
        (
            f"booking reference {s}",
            f"my confirmation is {s}",
            f"the record locator is {s}",
            f"booking ref {s}",
            f"confirmation code {s}",
            f"the reference is {s}",
        )
    ), None


def tax(rng: Random) -> Said:
    s = " ".join([letter(rng), letter(rng), digits(some(6, rng), rng), letter(rng)])
    return rng.choice(
        (
            f"national insurance number {s}",
            f"my tax number is {s}",
            f"n i number {s}",
            f"v a t number {s}",
            f"my national insurance is {s}",
            f"tax reference {s}",
            f"social security {digits(some(9, rng), rng)}",
        )
    ), None


def phone(rng: Random) -> Said:
    s = digits(rng.choice(("0", "07", "")) + some(9, rng), rng)
    return rng.choice((f"call me on {s}", f"my mobile is {s}", f"you can reach me at {s}", f"ring {s} this evening", f"text {s}")), None


KINDS: tuple[Callable[[Random], Said], ...] = (
    by_title, this_is, holder, full, spelled, correction, doubles, grouped, birth, street, house, numbered_street, password, answer, email,
    web, policy, booking, tax, phone,
)  # fmt: skip


# Words of numbers, letters and secrets; those that frames and carriers hold besides ("may", "a", "i") left out.
TELLING = frozenset(
    [*ONES, *TEENS, *TENS, *ORDINALS, *MONTHS, *NATO, *LETTERS, *SECRETS, *STREETS, "oh", "double", "triple", "hundred"]
) - frozenset(["may", "a", "i", "d", "o", "b", "v", "t", "n", "_"])
