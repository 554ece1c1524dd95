"""Files that a command line names are looked at before any work, and each kind of fault has one exit code in every command."""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from edge.__main__ import build_parser, main
from edge.capture.recording import recording
from edge.cli.files import input_bundle, input_file, output_file, output_folder
from edge.errors import InputError, UsageError

# By command and option, a command line: PLACE is written to; JUNK is no recording, no events and no rules, so that any work would fail.
WRITTEN = {
    "replay --report": "replay JUNK --report PLACE",
    "baseline learn --out": "baseline learn JUNK --out PLACE",
    "doctor --bundle": "doctor --config NONE --bundle PLACE",
    "report HTML": "report JUNK PLACE",
    "schema --out": "schema nothing --out PLACE",
    "setup --config": "setup --yes --no-speech --no-doctor --url nonsense:// --config PLACE",
    "fetch-model --to": "fetch-model --from JUNK --to PLACE",
}
# What is made with the folder above it.
FOLDERS = ("schema --out", "setup --config", "fetch-model --to")
# By command and option, a command line that reads NAMED.
READ = {
    "replay FILE": "replay NAMED",
    "replay --baseline": "replay JUNK --baseline NAMED",
    "listen --ca": "listen --url mqtts://127.0.0.1:1 --ca NAMED",
    "listen --cert": "listen --url mqtts://127.0.0.1:1 --cert NAMED",
    "listen --key": "listen --url mqtts://127.0.0.1:1 --key NAMED",
    "listen --password-file": "listen --username me --password-file NAMED",
    "voice FILE": "voice NAMED",
    "voice --model": "voice JUNK --model NAMED",
    "words --file": "words --file NAMED",
    "words --model": "words hello --model NAMED",
    "baseline learn CALL": "baseline learn NAMED --out out",
    "rules check FILE": "rules check NAMED",
    "rules try FILE": "rules try NAMED JUNK",
    "rules try RECORDING_OR_EVENTS": "rules try shipped NAMED",
    "rules try --against": "rules try shipped JUNK --against NAMED",
    "explain CALL_OR_EVENTS": "explain NAMED",
    "report EVENTS": "report NAMED out",
    "report --recording": "report JUNK out --recording NAMED",
    "model verify WHAT": "model verify NAMED",
    "model install FILE": "model install NAMED",
    "fetch-model --from": "fetch-model --from NAMED --to out",
    "setup --ca": "setup --yes --no-speech --no-doctor --url mqtts://127.0.0.1 --config box.yaml --ca NAMED",
    "run --config": "run --config NAMED",
    "listen --config": "listen --config NAMED",
    "replay --config": "replay JUNK --config NAMED",
    "words --config": "words hello --config NAMED",
    "baseline learn --config": "baseline learn JUNK --out out --config NAMED",
    "doctor --config": "doctor --config NAMED",
    "status --config": "status --config NAMED",
    "rules check --config": "rules check --config NAMED",
    "rules try --config": "rules try shipped JUNK --config NAMED",
    "explain --config": "explain JUNK --config NAMED",
    "report --config": "report JUNK out --config NAMED",
    "model list --config": "model list --config NAMED",
    "model verify --config": "model verify --config NAMED",
    "model install --config": "model install JUNK --config NAMED",
    "model rollback --config": "model rollback voice --config NAMED",
    "model pin --config": "model pin voice --config NAMED",
    "fetch-model --config": "fetch-model --config NAMED",
    "erase --config": "erase --all --config NAMED",
    "info --config": "info --config NAMED",
}
# Loads the net before it looks at a recording: among the real ones (tests/real/cli/test_recordings.py).
_LOADS = ("replay FILE", "voice FILE")
# A folder is a bundle, too.
_BUNDLES = ("voice --model", "words --model", "model verify WHAT", "model install FILE")
_METAVARS = {"FILE", "HTML", "DIR", "FOLDER", "PEM", "CONFIG", "CALL", "EVENTS", "CALL_OR_EVENTS", "RECORDING_OR_EVENTS", "OTHER", "WHAT"}


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


def options() -> Iterator[str]:
    """Each option and argument of each command that names a file."""
    for parser in parsers(build_parser()):
        for action in parser._actions:
            if action.metavar in _METAVARS or action.type is Path:
                yield f"{parser.prog.removeprefix('undertone ')} {action.option_strings[0] if action.option_strings else action.metavar}"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write anywhere, so it is nobody meanwhile; anybody else stays."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def there(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "JUNK").write_text("neither sound nor events\n")
    return tmp_path


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder for all to see in which nobody may write, with a file in it that its owner alone may read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "locked"
        folder.mkdir()
        (folder / "secret").write_text("x")
        (folder / "secret").chmod(0)
        folder.chmod(0o555)
        Path(name).chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_every_option_that_names_a_file_is_in_one_of_the_tables():
    assert set(options()) == set(WRITTEN) | set(READ)


@pytest.mark.parametrize("option", WRITTEN)
@pytest.mark.parametrize("fault", ["no folder", "below a file", "a folder"])
def test_a_file_that_cannot_be_written_is_found_before_any_work(there, capsys, option, fault):
    place = {"no folder": "missing/x", "below a file": "JUNK/x", "a folder": "."}[fault]
    if fault != "below a file" and option in FOLDERS:
        pytest.skip("makes its folder, or is one")
    assert main([place if word == "PLACE" else word for word in WRITTEN[option].split()]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    named = there / "JUNK" if option in FOLDERS else place if fault == "a folder" else Path(place).parent
    assert said.startswith(f"undertone: {named}: ")
    assert sorted(path.name for path in there.iterdir()) == ["JUNK"]


@pytest.mark.parametrize("option", [option for option in READ if option not in _LOADS])
@pytest.mark.parametrize("fault", ["missing", "a folder"])
def test_a_file_to_read_that_is_not_one_is_wrong_use_in_every_command(there, capsys, option, fault):
    if fault == "a folder" and option in _BUNDLES:
        pytest.skip("a folder is a bundle")
    named = {"missing": "nowhere", "a folder": "folder"}[fault]
    (there / "folder").mkdir()
    assert main([named if word == "NAMED" else word for word in READ[option].split()]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if named in line and "; " in line], told
    assert "Errno" not in "".join(told)
    assert not (there / "out").exists()


@pytest.mark.parametrize("look", [output_file, output_folder])
@pytest.mark.parametrize("place", ["x", "secret"])
def test_a_place_that_this_user_may_not_write_in_is_refused(locked, look, place):
    with as_nobody(), pytest.raises(UsageError, match=r"cannot be written; give a place of your own|is a file"):
        look(locked / place)


@pytest.mark.parametrize("look", [input_file, input_bundle, lambda text: recording(Path(text))])
def test_a_file_that_this_user_may_not_read_is_refused(locked, look):
    with as_nobody(), pytest.raises(InputError, match="secret: Permission denied; check the path"):
        look(str(locked / "secret"))


@pytest.mark.parametrize("look", [input_file, input_bundle, output_file, output_folder])
def test_what_lies_in_a_folder_that_this_user_may_not_enter_is_refused(locked, look):
    locked.chmod(0)
    with as_nobody(), pytest.raises(UsageError, match=r"[Pp]ermission denied; "):
        look(str(locked / "x" / "y"))


@pytest.mark.parametrize("place", ["/dev/null", "new"])
def test_a_device_and_a_new_file_can_be_written(there, place):
    assert output_file(place) == Path(place)
    with suppress(FileExistsError):
        (there / "new" / "er").mkdir(parents=True)
    assert output_folder("new/er/est") == Path("new/er/est")
