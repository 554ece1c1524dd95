"""Redaction of identifiers as the recogniser hears them: spoken by synthesis, through G.711, heard by Vosk, then redacted.

    python -m tests.words.identifiers [--seed 2] [--each 3] [--show] [--heard FILE]

Three of each of the twenty kinds of tests/unit/redaction/test_kinds.py, and sentences with numbers that identify nobody (the odd seeds
take one half of them, the even seeds the other). A leak: a word of the name, street or secret survives (or nearly: "hargreave"), or four
digits and letters of a number. What was heard is kept in FILE, so that another run hears only what is new. Needs flite, espeak-ng and the
Vosk model (`undertone fetch-model`); a minute or two. Not a test: the figures are in docs/words.md.
"""

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from tqdm import tqdm

from convert.asr.spoken import spoken
from edge.asr.recogniser import Engine
from edge.asr.vosk_model import find_vosk
from edge.config import Config
from edge.redaction.redact import redact
from edge.redaction.spoken_numbers import runs
from tests.unit.redaction.callers_words import FAMILY, LETTERS, MONTHS, NAMES, NATO, ORDINALS, SECRETS, STREETS
from tests.unit.redaction.kinds import KINDS
from tests.unit.redaction.test_kinds import FRAMES

# So many digits and letters say who it is; an ordinal and a month are two. So alike a word is the name that was said.
_ENOUGH, _ALIKE = 4, 0.8
# What a word of a name must have before it counts: a spelled letter is no word.
_WORD = 3
NOBODY = """
you charged me forty nine pounds ninety nine twice
the train leaves at seven forty five from platform two
i have been a customer for twenty years
it took two hours and thirty five minutes to get an answer
i was on hold for forty minutes and nobody answered
we ordered four chairs and two tables for june
on the first day of the month you took ninety pounds
the policy covers me for a hundred thousand pounds
i paid one hundred and twenty dollars for two bags
twenty four seven support they said
there were three hundred people in the queue
the bill went from thirty five to ninety two pounds
my flight is at six fifteen in the morning
the engineer came between nine and one on tuesday
i rang four times in three days
you owe me two thousand five hundred dollars
the box had ten pieces and two were broken
channel four and channel five do not work
the second parcel came on the third of june
my broadband gives two megabits instead of sixty
i was told five to seven working days
the bus number forty two was an hour late
she has been ill for eleven months
they cancelled the nine thirty and the ten fifteen
one or two of the rooms were dirty
it costs nineteen ninety nine a month
room two one four was freezing all night
we waited three and a half hours at gate seventeen
the price was eight ninety five last week
i gave it one star out of five
half of the twelve bottles were empty
the speed is ten times slower after eight o'clock
your offer said fifty percent off for six months
i need a table for eight people at half past seven
the parcel weighs twelve kilos and should weigh nine
i got forty emails in one week from you
it was thirty eight degrees in the carriage
there are six of us and only five seats
we spent two nights in the airport
the contract runs for twenty four months
that was back in two thousand and nineteen
the train was cancelled at ten past eight
it is the fourth engineer in two weeks
i paid twice for the same three tickets
the lift is broken and we are on the ninth floor
a hundred and fifty pounds for a tyre
page seven of your leaflet says thirty days
i have called you ten times since monday
the coupon takes fifteen percent off
the delivery slot was between two and four
your queue said i was number eleven
i was cut off after fifty five minutes
seven hundred dollars for a change of date
the screen is fifty five inches wide
they want sixty pounds for a second bag
my meeting is at eleven thirty tomorrow
we drove two hundred miles for nothing
nine out of ten calls end like this
bus one two three stops here
you sent three letters with two different prices
""".strip().splitlines()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """`kind`: "" for one that identifies nobody. `secret`: the words that identify; none where it is a number."""

    kind: str
    text: str
    secret: tuple[str, ...] = ()


def identifying(seed: int, each: int) -> Iterator[Sentence]:
    """`each` sentences of each kind. Every second name is one that the recogniser knows."""
    chance = random.Random(seed)
    for kind in KINDS:
        for number in range(each):
            said, secret = kind(chance)
            words = [word for word in secret if len(word) >= _WORD] if secret else [w for w in said.split() if w in (*SECRETS, *STREETS)]
            for name in [word for word in words if word in NAMES and number % 2]:
                known = chance.choice(FAMILY)
                said, words = said.replace(name, known), [known if word == name else word for word in words]
            secret_words = tuple(word for word in words if word in said.split())
            yield Sentence(kind=kind.__name__, text=chance.choice(FRAMES).format(said), secret=secret_words)


def leaked(sentence: Sentence, shown: str) -> list[str]:
    """What identifies somebody in `shown`, the sentence as it was heard and redacted; empty where nothing does."""
    words = shown.split()
    names = [word for word in words for name in sentence.secret if SequenceMatcher(None, word, name).ratio() >= _ALIKE]
    symbols = [word for word in words if word in NATO or (word in LETTERS and word not in "aio")]
    days = [word for word in words if word in ORDINALS or word in MONTHS]
    digits = sum(run.digits for run in runs(words)) + len(symbols) + 2 * len(days)
    return names or (["digits"] if digits >= _ENOUGH else [])


def heard(sentences: Sequence[Sentence], keep: Path | None) -> dict[str, str]:
    """Text said -> text heard. Raises UsageError where a synthesiser is missing."""
    known: dict[str, str] = json.loads(keep.read_text(encoding="utf-8")) if keep and keep.exists() else {}
    model = find_vosk(Config())
    if model is None:
        raise SystemExit("no Vosk model: run `undertone fetch-model`")
    engine = Engine(model)
    with tempfile.TemporaryDirectory() as folder:
        for text in tqdm(sorted({sentence.text for sentence in sentences} - known.keys()), unit="sentence", disable=None):
            channel = engine.channel()
            channel.accept(0, spoken(text, Path(folder)))
            known[text] = " ".join(word.text for word in channel.finish())
    if keep:
        keep.write_text(json.dumps(known, indent=0), encoding="utf-8")
    return known


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--show", action="store_true", help="each sentence that leaks or is redacted for nothing")
    parser.add_argument("--heard", type=Path)
    args = parser.parse_args()
    said = [*identifying(args.seed, args.each), *(Sentence(kind="", text=text) for text in NOBODY[args.seed % 2 :: 2])]
    made = heard(said, args.heard)
    wrong, total = Counter[str](), Counter[str]()
    for sentence in said:
        shown = redact(made[sentence.text])
        found = leaked(sentence, shown) if sentence.kind else [word for word in shown.split() if word.startswith("[")]
        total[sentence.kind] += 1
        wrong[sentence.kind] += bool(found)
        if args.show and found:
            print(f"{sentence.kind or 'nobody'}: {found}\n    said  {sentence.text}\n    heard {made[sentence.text]}\n    shown {shown}")
    needless, nobodys = wrong.pop("", 0), total.pop("")
    kinds = ", ".join(f"{kind} {count}" for kind, count in wrong.items() if count)
    print(f"seed {args.seed}: {wrong.total()} of {total.total()} identifiers leak ({kinds or 'none'})")
    print(f"redacted for nothing: {needless} of {nobodys}")


if __name__ == "__main__":
    main()
