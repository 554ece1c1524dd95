"""Twenty kinds of identifier with drawn values, in what callers say around them: none of them survives, and no common word goes."""

from collections.abc import Callable

import pytest

from edge.redaction.redact import redact
from tests.unit.redaction.callers_words import Random
from tests.unit.redaction.kinds import KINDS, TELLING, Said

# "{}" is where it is said.
FRAMES = """
{}
hello {}
yes {} thank you
um so {} okay
right {} can you see that
told you already {} and nobody listens
like we said {} and we have been waiting
well {} please hurry
no {} my bill is wrong
okay {} is that right
listen {} this is urgent
sure {} and now what
hi there {} please refund me
so angry {} do something
good morning {} my card was declined
yeah {} again
you asked for it {}
wait {} did you get that
nobody called back {} please check
look {} this is ridiculous
er {} yes
there you go {}
as before {} still nothing
honestly {} sort it out
{} that's right
{} have you got that
{} and please be quick
{} like always
uh huh {}
{} hello are you there
""".strip().splitlines()


def survivors(kind: Callable[[Random], Said], rng: Random) -> tuple[list[str], str]:
    said, secret = kind(rng)
    framed = rng.choice(FRAMES).format(said)
    shown = redact(framed)
    telling = TELLING if secret is None else secret
    return [word for word in shown.split() if word in telling], f"{framed!r} became {shown!r}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_word_of_an_identifier_survives(kind):
    drawn = [survivors(kind, Random(seed)) for seed in range(150)]
    assert [(left, became) for left, became in drawn if left] == []


def test_there_are_twenty_kinds_in_thirty_frames():
    assert (len(KINDS), len(FRAMES)) == (20, 30)


STAYS = """
you charged me forty nine pounds ninety nine twice
my flight is b a one two three from terminal five
the train leaves at seven forty five from platform two
i have been a customer for twenty years
this is the third time i have called this week
it took two hours and thirty five minutes to get an answer
i was on hold for forty minutes and nobody answered
the app says my password is wrong
i forgot my password and the reset link has expired
my email is not working on your website
i can't find the address on your website
we live on the other side of town
the delivery driver left it in the street
this is ridiculous and i am not happy
this is really disappointing service
it's broken again and i want a new one
it's urgent please help me
i'm calling about my bill
i'm disappointed with the engineer
the doctor said that i should not lift anything
i missed my appointment because of you
i miss the old service
the account is under review
who is the manager there
my name is spelled wrong on the ticket
i was told to speak to the billing department
they put me through to the wrong department
my son needs a seat for the flight to charlotte
i bought it on amazon dot com last month
is the united dot com website down
we ordered four chairs and two tables for june
the second of june is fine for the delivery
on the first day of the month you took ninety pounds
the policy covers me for a hundred thousand pounds
i paid one hundred and twenty dollars for two bags
twenty four seven support they said
i want to speak to a human being
good morning how are you
speaking of refunds where is mine
here we go again
it is a two hour drive to the airport
the house is cold because the heating is off
the farm shop cancelled my order
the answer is no
my question is when does it arrive
the first school holiday is in may
my favourite colour is not in stock
use it as my default card
the card holder pays the fee
passenger is travelling with a dog
the answer to that is simple
under no circumstances
it belongs to the company
made out of plastic
the road was closed and the bus was late
"""


@pytest.mark.parametrize("said", STAYS.strip().splitlines())
def test_what_identifies_nobody_stays(said):
    assert redact(said) == said
