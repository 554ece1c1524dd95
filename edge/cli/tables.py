"""What commands that explain calls share: tables for a terminal or a file, and telling recordings from files of events."""

from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

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


def holds_events(path: Path) -> bool:
    """Whether the file at `path` holds JSON lines of events; if not, it is taken for a recording. Raises UsageError where there is none."""
    if path.is_dir():
        raise UsageError("is a folder", path=path, remedy="name the recordings or files of events in it")
    if not path.is_file():
        raise UsageError("no such file", path=path, remedy="give recordings, or files of events as `undertone replay --json` prints them")
    with path.open("rb") as file:
        return file.read(1) == b"{"
