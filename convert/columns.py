"""CSV files as people and spreadsheets write them: what is missing in one is told by its name."""

import csv
from pathlib import Path

from edge.errors import UsageError
from edge.files.text import unread


def read_columns(path: Path, *columns: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of the CSV at `path` (UTF-8, the first line names its columns) with their line numbers, "" where a row is too short.

    Raises UsageError naming the file and what is wrong: it cannot be read, lacks one of `columns`, or holds no row.
    """
    remedy = f"give a UTF-8 CSV whose first line is '{','.join(columns)}'"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            rows, found = [(reader.line_num, row) for row in reader], list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(unread(error), path=path, remedy=remedy) from error
    if missing := [name for name in columns if name not in found]:
        there = f"its columns: {', '.join(found)}" if found else "it is empty"
        raise UsageError(f"no column {' or '.join(missing)} ({there})", path=path, remedy=remedy)
    if not rows:
        raise UsageError("holds no row below its first line", path=path, remedy="write one below it for each")
    return rows
