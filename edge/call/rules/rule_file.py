"""What is wrong in a rules file, where, and what to do about it: one line for its author."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import yaml

from edge.call.rules import conditions
from edge.errors import ConfigError, Key
from edge.files.misfit import did_you_mean, located

_CONDITIONS = tuple(kind for kind in vars(conditions).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct))


def misfit(error: Exception, kinds: Sequence[type[msgspec.Struct]]) -> ConfigError:
    """What msgspec's `error` says of a rules file, for its author."""
    key, what, unknown = located(str(error))
    if unknown is None:
        return ConfigError(
            what[:1].lower() + what[1:], where=Key(key), remedy="`undertone rules --help` and docs/rules.md say what it takes"
        )
    known = sorted({name.rstrip("_") for kind in (*kinds, *_CONDITIONS) for name in kind.__struct_fields__})
    remedy = did_you_mean(unknown, known, "docs/rules.md lists what there is")
    return ConfigError("unknown key", where=Key(".".join(part for part in (key, unknown) if part)), remedy=remedy)


def placed(mistake: ConfigError, path: Path) -> ConfigError:
    """`mistake` with the file that it is in, and the line where its key can be found."""
    key = mistake.problem.where or ""
    return ConfigError.of(replace(mistake.problem, path=path, line=_line(path, key), where=Key(key or "(top)")))


def _line(path: Path, where: str) -> int | None:
    """The line of `where` in the YAML file, or of the nearest thing around it."""
    # As edge.files.yamlfile reads it: what one of the two YAML parsers takes, the other may refuse.
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    line = None
    for step in re.findall(r"[^.\[\]]+", where):
        if isinstance(node, yaml.SequenceNode) and step.isdecimal() and int(step) < len(node.value):
            node = node.value[int(step)]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == step]
            if not found:
                return line
            line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line
