"""A configuration taken while the service runs (SIGHUP, `systemctl reload undertone`): what can change does, at each line's next call."""

from dataclasses import replace
from pathlib import Path

import msgspec

from edge.call.rules import RuleBook
from edge.config import Config, load_config
from edge.engines import Engines
from edge.loading import renewed

# What is looked at as each call begins. The rest is held by threads, devices and connections: it waits for a restart.
CHANGEABLE = ("privacy", "rules", "lexicon", "causes", "keywords", "fusion", "keep_days")


def changed(path: Path, now: Config) -> tuple[Config, list[str]]:
    """`now` with what can change as `path` says, and the keys there that wait for a restart. Raises ConfigError."""
    wanted = load_config(path)
    taken = msgspec.structs.replace(now, **{key: getattr(wanted, key) for key in CHANGEABLE})
    return taken, [key for key in Config.__struct_fields__ if getattr(taken, key) != getattr(wanted, key)]


def reconfigured(engines: Engines, config: Config) -> Engines:
    """`engines` with the site's own words, codes, keywords, rules and weights as `config` says. Raises ConfigError, ModelError."""
    engines = renewed(renewed(engines, "words", config), "fusion", config)
    return replace(engines, rules=RuleBook(Path(config.rules) if config.rules else None).current)
