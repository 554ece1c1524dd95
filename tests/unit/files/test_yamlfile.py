"""YAML that is small on paper and without end in memory is refused in one line."""

import pytest

from edge.errors import ConfigError
from edge.files.yamlfile import read_yaml

_LAUGHS = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]", *(f"a{n}: &a{n} [" + f"*a{n - 1}, " * 9 + "x]" for n in range(1, 10))])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (_LAUGHS, "values by aliases"),
        (_LAUGHS.replace("[", "{k: [").replace("]", "]}"), "values by aliases"),
        ("a: &a [*a]", "stands within itself"),
        ("a: &a {b: [1, {c: *a}]}", "stands within itself"),
        ("[" * 5000, "nested too deeply"),
    ],
)
def test_what_never_ends_is_refused(tmp_path, text, what):
    path = tmp_path / "site.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=what):
        read_yaml(path)


def test_aliases_as_people_write_them_are_read(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text("a: &a [1, 2]\nb: *a\nc: &c {<<: {d: *a}}\ne: *c\nf: &s text\ng: *s\n")
    assert read_yaml(path) == {"a": [1, 2], "b": [1, 2], "c": {"d": [1, 2]}, "e": {"d": [1, 2]}, "f": "text", "g": "text"}
