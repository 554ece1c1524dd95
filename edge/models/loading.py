"""What judges calls, brought from the disk: at the box's start, and anew where its configuration changes while it runs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec

from edge.call.engines import Engines
from edge.call.rules.rule_set import RuleBook
from edge.config import Config, load_config
from edge.errors import Problem
from edge.models.kinds import ROWS

# What is looked at as each call begins. The rest is held by threads, devices and connections: it waits for a restart.
CHANGEABLE = ("privacy", "rules", "lexicon", "causes", "keywords", "fusion", "keep_days")


def load_engines(config: Config) -> Engines:
    """Everything that judges, as `config` says.

    A missing speech recogniser is not an error: the box then works with the voice alone and says so (`missing`). A model
    that is there and damaged is: ModelError.
    """
    with ThreadPoolExecutor(1) as beside:
        # Half of a start is hashing and loading the recogniser's 71 MB, which needs no interpreter lock.
        waiting = {kind: beside.submit(row.load, config) for kind, row in ROWS.items() if not row.swaps}
        loaded = {kind: row.load(config) for kind, row in ROWS.items() if row.swaps}
        loaded |= {kind: future.result() for kind, future in waiting.items()}
    parts = {name: part for one in loaded.values() for name, part in one.parts.items()}
    engines = Engines(
        **parts,
        rules=_rules(config).current,
        infos={ROWS[kind].part: one.info for kind, one in loaded.items()},
        missing={branch: why for one in loaded.values() for branch, why in one.missing.items()},
    )
    return replace(engines, missing={**engines.missing, **_other_languages(engines, config)})


def _other_languages(engines: Engines, config: Config) -> dict[str, Problem]:
    """For each line whose recogniser writes a language that the words model does not know: voice alone."""
    found = {}
    for line in config.lines:
        recogniser, language = engines.recogniser_of(line.name)
        if recogniser is not None and language != engines.judge.language:
            what = f"its recogniser writes '{language}' and the words model knows '{engines.judge.language}': working with the voice alone"
            found[f"words {line.name}"] = Problem(what=what, where=line.name, remedy="bring a words model of that language (CONTRIBUTING)")
    return found


def changed(path: Path, now: Config) -> tuple[Config, list[str]]:
    """`now` with what can change as `path` says, and the keys there that wait for a restart. Raises ConfigError."""
    wanted = load_config(path)
    taken = msgspec.structs.replace(now, **{key: getattr(wanted, key) for key in CHANGEABLE})
    return taken, [key for key in Config.__struct_fields__ if getattr(taken, key) != getattr(wanted, key)]


def reconfigured(engines: Engines, config: Config) -> Engines:
    """`engines` with the site's own words, codes, keywords, rules and weights as `config` says. Raises ConfigError, ModelError."""
    for row in ROWS.values():
        if row.site_settings:
            engines = row.renew(engines, config)
    return replace(engines, rules=_rules(config).current)


def _rules(config: Config) -> RuleBook:
    return RuleBook(Path(config.rules) if config.rules else None)
