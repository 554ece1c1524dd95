"""Every CSV that a technician gives is refused by the name of the column that it lacks, with those that it has."""

import pytest

from convert.columns import read_columns
from convert.fusion.labelled import _labels
from convert.sound.calls import read_calls
from convert.sound.corpora import read_csv
from convert.words.corpus import read_rows
from edge.errors import UsageError

READERS = {
    "clips": (read_csv, ("path", "label", "speaker")),
    "calls": (read_calls, ("path", "channels")),
    "labels": (_labels, ("call", "n", "label")),
    "complaints": (read_rows, ("id", "text", "label", "cause")),
}


@pytest.mark.parametrize(("kind", "column"), [(kind, column) for kind, (_, columns) in READERS.items() for column in columns])
def test_a_missing_column_is_named_and_so_are_those_that_are_there(tmp_path, kind, column):
    read, columns = READERS[kind]
    there = [name for name in columns if name != column]
    (tmp_path / "x.csv").write_text(f"{','.join(there)}\n{','.join('x' for _ in there)}\n")
    with pytest.raises(UsageError) as refused:
        read(tmp_path / "x.csv")
    assert str(refused.value) == (
        f"{tmp_path / 'x.csv'}: no column {column} (its columns: {', '.join(there)}); "
        f"give a UTF-8 CSV whose first line is '{','.join(columns)}'"
    )


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(("content", "says"), [
    (b"", "it is empty"),
    ("{}\n".format, "holds no row"),
    (b"\xff\xfe", "is no UTF-8 text"),
    (None, "cannot be read: No such file"),
])  # fmt: skip
def test_what_holds_nothing_is_refused_by_the_file_and_what_to_give(tmp_path, kind, content, says):
    read, columns = READERS[kind]
    if content is not None:
        (tmp_path / "x.csv").write_bytes(content if isinstance(content, bytes) else content(",".join(columns)).encode())
    with pytest.raises(UsageError, match=says) as refused:
        read(tmp_path / "x.csv")
    assert refused.value.problem.path == tmp_path / "x.csv"
    assert refused.value.problem.remedy


def test_a_row_that_is_too_short_has_nothing_there_and_its_line_is_known(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3\n")
    assert read_columns(tmp_path / "x.csv", "a", "b") == [(2, {"a": "1", "b": "2"}), (3, {"a": "3", "b": ""})]
