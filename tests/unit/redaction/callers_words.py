"""The words of which callers make numbers, names and letters, and numbers as they say them."""

import random

Random = random.Random


def words(text: str) -> list[str]:
    return text.split()


ONES = words("zero one two three four five six seven eight nine ")


TEENS = words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen ")


TENS = words("_ _ twenty thirty forty fifty sixty seventy eighty ninety ")


ORDINALS = words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth "
)


MONTHS = words("january february march april may june july august september october november december ")


NATO = words(
    "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo sierra tango uniform "
    "victor whiskey x-ray yankee zulu "
)


LETTERS = "abcdefghijklmnopqrstuvwxyz"


# Hardly one of them is in the box's lists.
NAMES = words(
    "okonkwo adebayo szymanski hargreaves wojciech tamsin priyanka delacroix octavia braithwaite nakamura olufemi bergstrom fitzgerald "
    "oyelaran mbeki karlsson vasquez petrov haddad abernathy chukwu rasmussen thackeray mehmet yusuf siobhan ngozi "
)


GIVEN = words("maria david john sarah emily priya mohammed oliver jessica thomas ")


FAMILY = words("gonzalez smith johnson patel williams garcia murphy kowalski jones o'brien ")


STREETS = words("acacia marlborough priory station mill queens brampton thistle larkfield church ")


SECRETS = words("sunflower bluebird thistle marmalade rosebud ")


def digit(d: str, rng: Random) -> str:
    return rng.choice(("oh", "zero")) if d == "0" else ONES[int(d)]


def pair(n: int) -> str:
    if n < 10:
        return f"oh {ONES[n]}"
    return TEENS[n - 10] if n < 20 else TENS[n // 10] + ("" if n % 10 == 0 else f" {ONES[n % 10]}")


def digits(number: str, rng: Random) -> str:
    """One by one, doubled and tripled, or in pairs."""
    style, said, at = rng.choice(("singles", "singles", "doubles", "pairs")), [], 0
    while at < len(number):
        run = len(number[at:]) - len(number[at:].lstrip(number[at]))
        if style == "doubles" and run > 1:
            said += ["triple" if run > 2 else "double", digit(number[at], rng)]
            at += min(run, 3)
        elif style == "pairs" and at + 2 <= len(number):
            said += words(pair(int(number[at : at + 2])))
            at += 2
        else:
            said.append(digit(number[at], rng))
            at += 1
    return " ".join(said)


def some(n: int, rng: Random) -> str:
    return "".join(rng.choice("0123456789") for _ in range(n))


def letter(rng: Random) -> str:
    at = rng.randrange(26)
    return rng.choice((LETTERS[at], LETTERS[at], NATO[at], f"{LETTERS[at]} for {NATO[at]}"))


def corrected(number: str, rng: Random) -> str:
    begun = number[: rng.randrange(3, min(7, len(number)))]
    sorry = (
        "no sorry",
        "sorry no",
        "i mean",
        "no wait",
        "sorry",
        "oh no that is",
        "let me start again",
        "hang on",
        "correction",
        "no hold on",
    )
    return f"{digits(begun, rng)} {rng.choice(sorry)} {digits(number, rng)}"
