"""Commands about a box find its configuration by one rule where nobody names it."""

import errno
from pathlib import Path

import pytest

from edge.__main__ import main

CANNOT_DO_WITHOUT = ["run", "status", "erase --all"]
WORK_WITHOUT = ["doctor", "info", "model list", "model verify", "model pin voice", "model rollback voice"]
WRITES = ["setup --yes --no-speech --no-doctor"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return tmp_path


@pytest.mark.parametrize("command", [*CANNOT_DO_WITHOUT, *WORK_WITHOUT, *WRITES])
def test_the_configuration_in_this_folder_is_meant_where_none_is_named(here, capsys, command):
    (here / "undertone.yaml").write_text("site: le/eds\n")
    assert main(command.split()) == 2
    assert "undertone.yaml: key 'site': 'le/eds'" in capsys.readouterr().err


@pytest.mark.parametrize("command", CANNOT_DO_WITHOUT)
def test_where_there_is_none_who_cannot_do_without_says_how_to_get_one(here, capsys, command):
    assert main(command.split()) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said == "undertone: undertone.yaml: no such file; give --config FILE, or let `undertone setup --config undertone.yaml` write it"


@pytest.mark.parametrize("command", CANNOT_DO_WITHOUT)
def test_a_folder_that_this_user_may_not_look_into_is_told_in_a_line(here, capsys, monkeypatch, command):
    def refuse(path, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(Path, "read_text", refuse)
    assert main(command.split()) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "undertone.yaml: this user may not read it; " in said


@pytest.mark.parametrize(("user", "place"), [(0, "/etc/undertone/undertone.yaml"), (1000, "for this user: undertone.yaml")])
@pytest.mark.parametrize("command", [*CANNOT_DO_WITHOUT, *WORK_WITHOUT, *WRITES])
def test_every_help_says_where_that_is(here, capsys, monkeypatch, command, user, place):
    monkeypatch.setattr("os.geteuid", lambda: user)
    with pytest.raises(SystemExit):
        main([*command.split(" --")[0].split(), "--help"])
    assert place in " ".join(capsys.readouterr().out.split())


def test_a_command_about_recordings_takes_no_configuration_that_is_not_named(here):
    (here / "undertone.yaml").write_text("site: le/eds\n")
    assert main(["words", "--json", "thank you"]) == 0
