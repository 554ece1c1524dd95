"""What takes input from outside, each with good inputs to damage and with what is done with a damaged one.

A target's `try_one(data)` may raise edge.errors (one line each) and what its type documents (commands: Refused), nothing else.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from edge.call.rules.rule_set import SHIPPED as RULES
from edge.call.rules.rule_set import load_rules
from edge.config import load_config
from edge.phrases import causes, lexicon, lexicon_file
from edge.phrases.keywords import KeywordSpotter
from edge.values import Word
from tests.fuzz import stored, streams, switchboards
from tests.fuzz.mutate import damaged, document, nested

Make = Callable[[random.Random], bytes]
Try = Callable[[bytes], object]


@dataclass(frozen=True, kw_only=True)
class Target:
    """`share`: of 1,000 inputs, how many are this one's (by how much an input costs, and how far from trust it comes)."""

    share: int
    make: Make
    try_one: Try


def targets(folder: Path) -> dict[str, Target]:
    """All of them, with `folder` for their files."""
    return {
        "config": Target(share=150, make=_yaml(_CONFIGS), try_one=partial(_config, folder)),
        "rules": Target(share=60, make=_yaml((yaml.safe_load(RULES.read_text()), *_RULES)), try_one=partial(_file, folder, load_rules)),
        "lexicon": Target(
            share=60, make=_yaml(_LEXICONS), try_one=partial(_file, folder, _small(folder, lexicon_file, lexicon.Lexicon.load))
        ),
        "causes": Target(share=60, make=_yaml(_CAUSES), try_one=partial(_file, folder, _small(folder, causes, causes.Causes.load))),
        "wav": Target(share=30, make=partial(damaged, streams.recordings(folder)), try_one=partial(streams.wav, folder)),
        "pipe": Target(share=190, make=streams.stream, try_one=streams.pipe),
        "commands": Target(share=260, make=streams.said, try_one=streams.command),
        "audiosocket": Target(share=30, make=switchboards.audiosocket, try_one=switchboards.hear_audiosocket),
        "websocket": Target(share=30, make=switchboards.websocket, try_one=switchboards.hear_websocket),
        "bundle": Target(share=70, make=stored.bundle_parts(), try_one=partial(stored.bundle, folder)),
        "models": Target(share=10, make=stored.model_states, try_one=partial(stored.models, folder)),
        "archive": Target(share=40, make=stored.archives(folder), try_one=partial(stored.archive, folder)),
        "outbox": Target(share=10, make=partial(damaged, stored.outboxes(folder)), try_one=partial(stored.outbox, folder)),
    }


def _yaml(seeds: tuple[Any, ...]) -> Make:
    as_text = tuple(yaml.safe_dump(seed).encode() for seed in seeds)

    def make(chance: random.Random) -> bytes:
        kind = chance.random()
        if kind < 0.001:
            return nested(chance)
        return document(seeds, chance) if kind < 0.55 else damaged(as_text, chance)

    return make


def _file(folder: Path, load: Callable[[Path], object], data: bytes) -> None:
    path = folder / "fuzzed.yaml"
    path.write_bytes(data)
    load(path)


# --- configuration ---------------------------------------------------------------------------------------------------

_CONFIGS = (
    {
        "site": "leeds", "device": "desk-014", "mode": "both", "privacy": "quotes", "state_dir": "state", "outbox_max_mb": 5,
        "lines": [
            {"name": "line-1", "desk": "4711", "source": {"device": "auto", "rate": 16000}, "channels": ["customer", "agent"]},
            {"name": "line-2", "source": {"command": ["arecord", "-q"], "stall_s": 2.5}, "channels": ["mixed"], "idle_s": 6, "tones": "uk"},
            {"name": "line-3", "source": {"file": "a.wav", "realtime": False}, "agent_words": True},
        ],
        "mqtt": {
            "url": "mqtts://broker.example:8883", "ca": "ca.pem", "cert": "c.pem", "key": "k.pem", "username": "u", "password_file": "p",
            "prefix": "undertone/v1", "protocol": "3.1.1", "keepalive_s": 30,
        },
        "rules": "rules.yaml", "lexicon": "lexicon.yaml", "causes": "causes.yaml", "fusion": {"voice_weight": 0.4, "words_weight": 1.0},
        "keywords": [{"name": "cancel", "phrases": ["close my account", "i want to leave"]}],
        "models": {"voice": None, "allow_unsigned": False, "trusted_keys": ["site.pub"], "probation_calls": 3, "probation_hours": 1.5},
    },
    {"lines": [{"name": "a", "source": {"device": "auto"}}]},
)  # fmt: skip
_SENTENCE = tuple(
    Word(text=word, start=n * 16_000, end=n * 16_000 + 8_000, confidence=0.9)
    for n, word in enumerate(["please", "close", "uh", "my", "account", "i", "want", "to", "leave", "not", "working"])
)


def _config(folder: Path, data: bytes) -> None:
    path = folder / "fuzzed.yaml"
    path.write_bytes(data)
    KeywordSpotter(load_config(path).keywords).spot(_SENTENCE)


_RULES = (
    {
        "rules": [
            {
                "id": "a", "says": "Angry.", "severity": "low", "route": "cause", "withdraw": {"score": {"of": "mean", "at_least": 0.2}},
                "when": {"all": [{"words": {"p_negative_at_least": 0.7}}, {"not": {"fused": {"polarity_at_least": 0.1, "sustained": 2}}}]},
                "rises": [{"to": "high", "when": {"any": [{"keyword": "cancel"}]}}], "expires_min": 60, "cooldown_min": 2,
            }
        ],
        "budget": {"alerts_per_hour": 6, "raise_by": 0.25}, "default_route": "recovery",
    },
)  # fmt: skip

# --- words: a site's files, over a small shipped one (compiling the whole one for each input would take days) ---------------

_LEXICONS = (
    {
        "version": "site-1", "classes": {"unit": ["hours", "days"]}, "remove": [], "irony_openings": ["great"],
        "groups": [
            {"category": "waiting", "rated_by": "", "why": "", "entries": {"waiting _ <unit>": -1.5, "on hold": -1, "cancel*": -0.3}},
            {"category": "praise", "rated_by": "", "why": "", "entries": {"very|really good": 2.5, "nobody ~ called": -2, "the best?": 1}},
        ],
    },
)  # fmt: skip
_CAUSES = (
    {
        "version": "site-1", "classes": {"unit": ["hours", "days"]}, "routes": {"billing": "money"},
        "causes": [
            {"code": "billing", "route": "billing", "definition": "d", "prior": 0.2, "cues": {"charged twice": 2.0, "<number> fees": 1}}
        ],
        "cues": {"billing": {"refund|money": 1.5}},
    },
)  # fmt: skip


def _small(folder: Path, module: Any, load: Callable[[Path], object]) -> Callable[[Path], object]:
    """`load` over the first seed instead of the shipped file; the shipped one is loaded once, as it is."""
    load(module.SHIPPED)
    small = folder / f"shipped-{module.__name__}.yaml"
    small.write_text(yaml.safe_dump((_LEXICONS if module is lexicon_file else _CAUSES)[0]))

    def over_the_small_one(path: Path) -> None:
        shipped, module.SHIPPED = module.SHIPPED, small
        try:
            load(path)
        finally:
            module.SHIPPED = shipped

    return over_the_small_one
