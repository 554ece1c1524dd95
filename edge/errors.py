"""Every error that a user can cause, in one small tree.

    UndertoneError            exit code 1
    +-- UsageError            the command line or the configuration is wrong; exit code 2
    |   +-- ConfigError       a YAML file (configuration, rules, lexicon) cannot be taken
    |   +-- InputError        what the command line says to read is not there, or may not be read
    +-- SourceError           a recording or a device cannot be heard, or a file of events or text is none
    +-- ModelError            a model bundle is refused, or missing
    +-- BusError              the broker cannot be reached, or refuses us
    +-- StoreError            the state directory cannot be read or written

An error is data (Problem): what is wrong, in which file, on which line, where in it, and what to do. Whoever passes it on adds what it
knows (`at`, `moved`); who shows it makes a sentence of it (`str`). Nobody looks into a sentence.
What is not in this tree is a defect of ours and may show a traceback.
"""

import re
import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self


def one_line(text: str) -> str:
    """`text` with whatever would end or garble a line (line ends, control characters, lone surrogates) written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def counted(number: int, what: str) -> str:
    """1 call, 2,000 calls: so many of `what`, whose plural has an s."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


# Commands of ours that look at, or fill, what a box's configuration names: without it they would mean the caller's own home.
_OF_A_BOX = re.compile(
    r"(undertone (?:fetch-model|model (?:list|verify|install|rollback|pin)|setup|doctor|status|erase))\b(?![^`;,]*--config)"
)


def for_box(text: str, config: Path | None) -> str:
    """`text`, each command in it that is about a box with `--config` and the box's configuration (None: as it is)."""
    if config is None:
        return text
    return _OF_A_BOX.sub(lambda command: f"{command[1]} --config {shlex.quote(str(config))}", text)


class Key(str):
    """A `where` that is the key of a file (`lines[0].source.file`); a sentence says that it is one."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, as data.

    what: the fact, with the value that is wrong. path: the file or folder it is about. line: in that file, from 1.
    where: a Key of the file, or what else the fact is about if it is no file: an option, a device, a topic, the broker's address.
    remedy: what to do; None where whoever asked knows better.
    """

    what: str
    path: Path | None = None
    line: int | None = None
    where: str | None = None
    remedy: str | None = None

    @property
    def fault(self) -> str:
        """What is wrong and where, in one line, without the remedy. What it quotes of a file cannot make it two."""
        places = [
            "" if self.path is None else str(self.path),
            "" if self.line is None else f"line {self.line}",
            f"key '{self.where}'" if isinstance(self.where, Key) else self.where or "",
        ]
        return one_line(": ".join([*filter(None, places), self.what]))

    def as_json(self) -> str:
        """One line, for `from_json` in another process."""
        # Not at the top: each import of a capture child's keeps a line deaf for longer.
        import json

        return json.dumps(asdict(self) | {"key": isinstance(self.where, Key)}, default=str)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """What `as_json` gave. Raises ValueError for anything else."""
        import json

        try:
            data = json.loads(line)
            where = Key(data["where"]) if data["key"] else data["where"]
            return cls(
                what=data["what"], path=Path(data["path"]) if data["path"] else None, line=data["line"], where=where, remedy=data["remedy"]
            )
        except (KeyError, TypeError) as error:
            raise ValueError("no problem of ours") from error

    def within(self, where: str) -> "Problem":
        """The same, told of a part of the whole: `line-1: absent: `, then the fault."""
        return Problem(what=self.fault, where=where, remedy=self.remedy)

    def __str__(self) -> str:
        """The whole in one line: `file: line: key: what; remedy`."""
        return self.fault if self.remedy is None else f"{self.fault}; {one_line(self.remedy)}"


class UndertoneError(Exception):
    """A failure. What it takes is what its `problem` is made of."""

    exit_code = 1

    def __init__(
        self, what: str, *, path: Path | None = None, line: int | None = None, where: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(what)
        self.problem: Final = Problem(what=what, path=path, line=line, where=where, remedy=remedy)

    def __str__(self) -> str:
        """See Problem."""
        return str(self.problem)

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """The error that `problem` is."""
        return cls(problem.what, path=problem.path, line=problem.line, where=problem.where, remedy=problem.remedy)

    def at(self, *, path: Path | None = None, line: int | None = None, where: str | None = None) -> Self:
        """The same error with its place, as far as it did not know it: `raise error.at(path=path) from error`."""
        known = self.problem
        return self.of(
            replace(
                known,
                path=path if known.path is None else known.path,
                line=line if known.line is None else known.line,
                where=where if known.where is None else known.where,
            )
        )

    def moved(self, old: Path, new: Path) -> Self:
        """The same error; if it is about something in the folder `old`, it now names that in `new`, which its reader knows."""
        path = self.problem.path
        if path is None or not path.is_relative_to(old):
            return self
        return self.of(replace(self.problem, path=new / path.relative_to(old)))


class UsageError(UndertoneError):
    """The caller asked for something that cannot be."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file is wrong."""


class InputError(UsageError):
    """What the command line says to read is not there, or may not be read."""


class SourceError(UndertoneError):
    """A recording or a device cannot be heard, or a file of events or text is none."""


class ModelError(UndertoneError):
    """A model bundle is missing, damaged, or does not fit this box."""


class BusError(UndertoneError):
    """The broker cannot be reached, or refuses us."""


class StoreError(UndertoneError):
    """The state directory cannot be read or written."""
