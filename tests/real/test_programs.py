"""The programs beside the tests: each is in CONTRIBUTING, and each starts."""

import re
import subprocess
import sys

import pytest

from tests.paths import ROOT, TESTS

LISTED = sorted(set(re.findall(r"`python -m (tests[.\w]*)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))))


@pytest.mark.parametrize("name", LISTED)
def test_a_program_starts_and_says_what_it_is_for(name):
    done = subprocess.run([sys.executable, "-m", name, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")
    assert len(done.stdout.splitlines()) > 3


def test_every_program_with_a_command_line_is_listed():
    sources = {
        path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py") if not path.name.startswith("test_")
    }
    found = {
        str(path.with_suffix("")).replace("/", ".").removesuffix(".__main__") for path, text in sources.items() if "ArgumentParser(" in text
    }
    assert found == set(LISTED)
