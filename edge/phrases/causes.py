"""What a complaint is about, and which team it goes to: cue phrases joined with a learned model's probabilities.

The taxonomy is data (`causes.yaml`); a site's own file adds codes and cues and maps codes to its routes.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from edge.config import Name
from edge.errors import ConfigError, Key
from edge.phrases.automaton import PatternIndex
from edge.phrases.pattern import Pattern
from edge.phrases.phrase_file import check_entries, parse
from edge.values import Cause

SHIPPED = Path(__file__).with_name("causes.yaml")

# A runner-up less likely than this says nothing.
_ALTERNATIVE_FLOOR = 0.1
# The learned model knows one trade: its word may move a code by e^3 = 20 times, not veto what the cues say.
_LEARNED_CLIP = 3.0
# Many phrases of one complaint say the same thing; beyond e^6 they add no certainty.
_CUES_CLIP = 6.0
# "it's", "he's", "who's", "that's" are not owners.
_SHORT = 6
_ROUTE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]


class CauseConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One code: what it means, whose it is, and the phrases that point to it (natural-log odds)."""

    code: Name
    route: Name
    definition: str
    examples: list[str] = []
    prior: Share = 0.05
    learned_prior: Share | None = None
    airline: list[str] = []
    cues: dict[str, float] = {}


class CausesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The form of causes.yaml and of a site's file: there `routes` and `cues` change shipped codes, `causes` adds or replaces some."""

    version: str
    classes: dict[str, list[str]] = {}
    causes: list[CauseConfig] = []
    routes: dict[str, str] = {}
    cues: dict[str, dict[str, float]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """A phrase that pointed to `code`, and how strongly (log-odds)."""

    phrase: str
    code: str
    weight: float


class Causes:
    """The compiled taxonomy. Immutable after `load`; safe from any thread."""

    def __init__(self, *, version: str, causes: Mapping[str, CauseConfig], classes: Mapping[str, Sequence[str]]) -> None:
        self.version = version
        self.codes: Mapping[str, CauseConfig] = causes
        self._pointing: dict[str, list[tuple[str, float]]] = {}
        for cause in causes.values():
            for phrase, weight in cause.cues.items():
                self._pointing.setdefault(phrase, []).append((cause.code, weight))
        self._index = PatternIndex(Pattern.parse(phrase, classes) for phrase in self._pointing)
        self._log_prior = {code: math.log(cause.prior) for code, cause in causes.items()}
        self._learned_prior = {code: cause.learned_prior for code, cause in causes.items()}

    @classmethod
    def load(cls, site: Path | None = None) -> "Causes":
        """The shipped taxonomy with the site's file laid over it. Raises ConfigError naming file, key and remedy."""
        shipped = parse(SHIPPED, CausesFile)
        files = [(SHIPPED, shipped)] if site is None else [(SHIPPED, shipped), (site, parse(site, CausesFile))]
        causes: dict[str, CauseConfig] = {}
        classes: dict[str, list[str]] = {}
        for path, file in files:
            classes |= file.classes
            causes |= {cause.code: cause for cause in file.causes}
            for code, route in file.routes.items():
                if not _ROUTE.match(route):
                    raise ConfigError(
                        f"'{route}' is part of an MQTT topic",
                        path=path,
                        where=Key(f"routes.{code}"),
                        remedy="use letters, digits, . _ and -",
                    )
                causes[code] = msgspec.structs.replace(_known(causes, code, path, "routes"), route=route)
            for code, cues in file.cues.items():
                known = _known(causes, code, path, "cues")
                causes[code] = msgspec.structs.replace(known, cues={**known.cues, **cues})
            for cause in causes.values():
                check_entries(cause.cues, _CUES_CLIP, classes, path, f"causes.{cause.code}.cues")
        return cls(version="+".join(file.version for _, file in files), causes=causes, classes=classes)

    @property
    def airline(self) -> Mapping[str, str]:
        """Label of the airline corpus -> code."""
        return {label: cause.code for cause in self.codes.values() for label in cause.airline}

    def route(self, code: str) -> str:
        """The route of `code`."""
        return self.codes[code].route

    def cues(self, tokens: Sequence[str]) -> list[Cue]:
        """The cue phrases in lower-case `tokens` in the order of the sentence. Cues add up, those inside one another too."""
        # "the heating's off" is about the heating.
        tokens = [token.removesuffix("'s") if len(token) > _SHORT else token for token in tokens]
        return [
            Cue(phrase=match.name, code=code, weight=weight)
            for match in self._index.every(tokens)
            for code, weight in self._pointing[match.name]
        ]

    def probabilities(self, tokens: Sequence[str], learned: Mapping[str, float] | None = None) -> dict[str, float]:
        """Code -> probability, sum 1, likeliest first.

        log p_c = log prior_c + cues_c + clip(log(learned_c / learned_prior_c)): the learned model's own prior is taken out, and a
        code that it was never taught gets nothing from it, for or against.
        """
        odds = self._odds(self.cues(tokens), learned)
        total = sum(odds.values())
        return dict(sorted(((code, odd / total) for code, odd in odds.items()), key=lambda pair: -pair[1]))

    def _odds(self, cues: Sequence[Cue], learned: Mapping[str, float] | None) -> dict[str, float]:
        """Code -> probability but for a common factor."""
        pointed: dict[str, float] = {}
        for cue in cues:
            pointed[cue.code] = pointed.get(cue.code, 0.0) + cue.weight
        scores = dict(self._log_prior)
        for code, weight in pointed.items():
            scores[code] += min(weight, _CUES_CLIP)
        for code, p in (learned or {}).items():
            prior = self._learned_prior.get(code)
            if prior is not None:
                llr = math.log(max(p, 1e-9) / prior)
                scores[code] += max(-_LEARNED_CLIP, min(_LEARNED_CLIP, llr))
        top = max(scores.values())
        return {code: math.exp(score - top) for code, score in scores.items()}

    def judge(self, tokens: Sequence[str], learned: Mapping[str, float] | None = None) -> Cause | None:
        """The likeliest cause of the complaint in `tokens`, with a runner-up of at least 0.1; None where there are no words.

        `learned` maps codes to probabilities of a learned model. Without cues and without `learned` the code is "unclear".
        """
        if not tokens:
            return None
        cues = self.cues(tokens)
        odds = self._odds(cues, learned)
        total = sum(odds.values())
        code = max(odds, key=odds.__getitem__) if cues or learned is not None else "unclear"
        p = odds.pop(code) / total
        runner_up = max(odds, key=odds.__getitem__, default=None)
        alternative = runner_up if runner_up is not None and odds[runner_up] / total >= _ALTERNATIVE_FLOOR else None
        return Cause(code=code, p=p, alternative=alternative, route=self.route(code))


def _known(causes: Mapping[str, CauseConfig], code: str, path: Path, key: str) -> CauseConfig:
    if code not in causes:
        raise ConfigError(
            "no such code",
            path=path,
            where=Key(f"{key}.{code}"),
            remedy=f"known codes: {', '.join(causes)}; add a new one under 'causes'",
        )
    return causes[code]
