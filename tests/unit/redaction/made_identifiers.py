"""What says who a customer is, made at random as callers say it."""

import random


def words(text: str) -> list[str]:
    return text.split()


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
