"""Where things are in the tree, for tests at any depth of it."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
# Before a program that works for long: cases that play sound at its own pace run beside it, and go first.
PATIENT = ("nice", "-n", "10")
