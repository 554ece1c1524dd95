"""Asking on a terminal: a question, what stands already, and again where the answer cannot be."""

import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass

from edge.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks, or with `yes` takes what stands already."""

    yes: bool

    def text(
        self, question: str, option: str, *, given: str | None, default: str | None, fault: Callable[[str], str | None] = lambda _: None
    ) -> str | None:
        """`given` by `option`, else the answer, else `default`; None for an answer that is empty or "-". Raises UsageError."""
        if given is not None:
            if wrong := fault(given):
                raise UsageError(wrong, where=option, remedy="give another")
            return given or None
        while not self.yes:
            said = self.line(f"{question} [{default or '-'}]: ") or default
            if said in {None, "-"}:
                return None
            if not (wrong := fault(said)):
                return said
            print(f"  {wrong}")
        return default

    def sure(self, question: str) -> bool:
        """Yes, which is meant where nothing is said, or no."""
        while not self.yes:
            said = self.line(f"{question} [Y/n]: ").lower()
            if not said:
                return True
            if said in {"y", "yes", "n", "no"}:
                return said.startswith("y")
            print("  y or n")
        return True

    def secret(self, question: str) -> str | None:
        """What nobody shall see; None for as it is."""
        if self.yes:
            return None
        return (getpass.getpass(question) if sys.stdin.isatty() else self.line(question)) or None

    def line(self, question: str) -> str:
        """A line, without the spaces around it. Raises UsageError where nobody answers."""
        try:
            return input(question).strip()
        except EOFError as error:
            raise UsageError(
                "nobody answers", where="setup", remedy="run it in a terminal, or give --yes and the answers as options"
            ) from error
