"""What commands that explain calls share: tables for a terminal or a file, and telling recordings from files of events."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from edge.capture.recording import Recording

# A table in a file or a mail is read without a window around it.
_PIPED_WIDTH = 160


def terminal() -> "Console":
    """The terminal; wide where nobody's window is the limit."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=_PIPED_WIDTH, highlight=False)


def table_of(title: str, *columns: str) -> "Table":
    """An empty table; long cells are folded."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def events_of(source: "Recording") -> list[bytes] | None:
    """The lines of a file, or of what came through a pipe, that holds JSON lines of events; None for anything else: a recording."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return [*file] if file.peek(1)[:1] == b"{" else None
    return source.data.splitlines() if source.data.startswith(b"{") else None
