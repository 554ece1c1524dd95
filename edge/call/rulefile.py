"""What is wrong in a rules file, where, and what to do about it: one line for its author."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import yaml

from edge.call import conditions
from edge.errors import ConfigError
from edge.yamlfile import did_you_mean, located

_CONDITIONS = tuple(kind for kind in vars(conditions).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct))


def explain(message: str, kinds: Sequence[type[msgspec.Struct]]) -> tuple[str, str]:
    """Msgspec's `message` as the key it is about (`rules[0].when`, "" for the whole) and what is wrong, with a remedy."""
    where, what, unknown = located(message)
    if unknown is None:
        return where, f"{what[:1].lower()}{what[1:]}; `undertone rules --help` and docs/rules.md say what it takes"
    known = sorted({name.rstrip("_") for kind in (*kinds, *_CONDITIONS) for name in kind.__struct_fields__})
    hint = did_you_mean(unknown, known, "docs/rules.md lists what there is")
    return ".".join(part for part in (where, unknown) if part), f"unknown key; {hint}"


def refusal(path: Path, where: str, message: str) -> ConfigError:
    """The error for key `where` of the rules file at `path`, with its line where the key can be found."""
    line = _line(path, where)
    return ConfigError(f"{path}:{f' line {line}:' if line else ''} key '{where or '(top)'}': {message}")


def _line(path: Path, where: str) -> int | None:
    """The line of `where` in the YAML file, or of the nearest thing around it."""
    # As edge.yamlfile reads it: what one of the two YAML parsers takes, the other may refuse.
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
