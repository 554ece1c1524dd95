"""Training sentences made from hand-written forms, filled by chance: other trades' sentences, and airline complaints by cause."""

import random
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.files.yamlfile import parse_yaml

FORMS = Path(__file__).with_name("service_sentences.yaml")
AIRLINE_FORMS = Path(__file__).with_name("airline_sentences.yaml")
_INNERMOST = re.compile(r"\{([^{}]*)\}")


class FormsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The form of service_sentences.yaml."""

    version: str
    slots: dict[str, list[str]]
    negative: dict[str, list[str]]
    calm: dict[str, list[str]] = {}
    neutral: list[str]
    positive: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSentence:
    """A made sentence: `label` as the corpus writes it, `cause` as its file names it (None: none told), `form` what it came from."""

    text: str
    label: str
    cause: str | None
    form: str


def service_sentences(per_form: int, seed: int, path: Path = FORMS) -> list[ServiceSentence]:
    """Up to `per_form` different fillings of each form, the same for the same seed. Raises ConfigError for a file that is wrong."""
    file = parse_yaml(path, FormsFile)
    forms: list[tuple[str, str, str | None]] = [(form, "negative", cause) for cause, group in file.negative.items() for form in group]
    forms += [(form, "neutral", cause) for cause, group in file.calm.items() for form in group]
    forms += [(form, label, None) for label, group in (("neutral", file.neutral), ("positive", file.positive)) for form in group]
    chance = random.Random(seed)  # noqa: S311 (not a secret)
    made = []
    for form, label, cause in forms:
        fillings = {_fill(form, file.slots, chance) for _ in range(per_form)}
        made += [ServiceSentence(text=text, label=label, cause=cause, form=form) for text in sorted(fillings)]
    return made


def _fill(form: str, slots: dict[str, list[str]], chance: random.Random) -> str:
    """Inside out: a brace that holds a slot's name is filled from it, one that holds alternatives takes one of them."""

    def choose(match: re.Match[str]) -> str:
        options = match.group(1).split("|")
        chosen: str = chance.choice(slots[options[0]] if len(options) == 1 else options)
        return chosen

    text = form
    while _INNERMOST.search(text):
        text = _INNERMOST.sub(choose, text)
    return " ".join(text.split())
