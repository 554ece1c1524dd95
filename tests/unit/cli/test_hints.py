"""Remedies and hints name the box's configuration: without it a command would look at, or fill, the caller's own home."""

import re
from pathlib import Path

import pytest

from edge.__main__ import build_parser, main
from edge.asr.vosk_model import MODEL_NAME
from edge.cli.fetch_model import _target
from edge.errors import for_box


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("run `undertone fetch-model`", "run `undertone fetch-model --config /etc/u.yaml`"),
        ("run `undertone fetch-model --from FILE`", "run `undertone fetch-model --config /etc/u.yaml --from FILE`"),
        ("`undertone model rollback voice` takes it back", "`undertone model rollback --config /etc/u.yaml voice` takes it back"),
        ("undertone model rollback voice, or take another", "undertone model rollback --config /etc/u.yaml voice, or take another"),
        ("pinned until `undertone model pin vosk --off`", "pinned until `undertone model pin --config /etc/u.yaml vosk --off`"),
        ("`undertone model install F --config FILE` on a box", "`undertone model install F --config FILE` on a box"),
        ("undertone doctor --bench --lines 4 --config x.yaml", "undertone doctor --bench --lines 4 --config x.yaml"),
        ("undertone devices lists what is there", "undertone devices lists what is there"),
        ("see undertone-convert sign --help", "see undertone-convert sign --help"),
    ],
)
def test_a_command_about_a_box_gets_its_configuration_once(written, meant):
    assert for_box(written, Path("/etc/u.yaml")) == meant
    assert for_box(meant, Path("/etc/u.yaml")) == meant
    assert for_box(written, None) == written


def test_a_path_with_spaces_and_backslashes_can_be_pasted():
    assert for_box("undertone doctor", Path("/a b/\\1.yaml")) == "undertone doctor --config '/a b/\\1.yaml'"


@pytest.mark.parametrize("command", ["fetch-model", "model rollback voice", "model pin vosk --off", "model list", "doctor", "status"])
def test_what_is_printed_can_be_given(command):
    build_parser().parse_args(for_box(f"undertone {command}", Path("box.yaml")).split()[1:])


def test_an_error_about_a_box_names_its_configuration_in_the_remedy(tmp_path, capsys):
    path = tmp_path / "box.yaml"
    path.write_text("mode: words\nstate_dir: state\n")
    missing = tmp_path / "missing"
    path.write_text(f"mode: words\nstate_dir: state\nmodels: {{vosk: {missing}}}\n")
    assert main(["info", "--config", str(path)]) == 1
    assert f"undertone fetch-model --config {path}" in capsys.readouterr().err


def test_fetch_model_fills_what_the_boxs_configuration_names(tmp_path):
    def target(text: str) -> Path:
        (tmp_path / "box.yaml").write_text(text)
        return _target(build_parser().parse_args(["fetch-model", "--config", str(tmp_path / "box.yaml")]))

    assert target("state_dir: state") == tmp_path / "state/models/vosk"
    assert target("models: {vosk: speech}") == tmp_path / "speech"
    (tmp_path / MODEL_NAME).mkdir()  # half a model of ours: it is brought again there
    assert target(f"models: {{vosk: {MODEL_NAME}}}") == tmp_path / MODEL_NAME
    (tmp_path / "larger/am").mkdir(parents=True)  # another model of the site's own is not overwritten
    assert target("state_dir: state\nmodels: {vosk: larger}") == tmp_path / "state/models/vosk"


@pytest.mark.parametrize(
    "command",
    [
        "model pin voice --to foo",
        "model pin voice --to 1.4",
        "model pin voice --to ../1.4.0",
        "doctor --bench --lines 0",
        "doctor --lines -3",
        "doctor --lines x",
    ],
)
def test_a_value_that_can_mean_nothing_is_refused_before_anything_is_done(command, capsys):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(command.split())
    assert ended.value.code == 2
    assert command.split()[-1] in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("command", ["explain {}", "rules try shipped {}", "report {} page.html"])
def test_a_folder_in_a_files_place_is_called_one(command, tmp_path, capsys):
    assert main(command.format(tmp_path).split()) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert re.search("a folder", told)
    assert "Errno" not in told


def test_a_recording_in_the_place_of_events_is_called_no_text(tmp_path, capsys):
    (tmp_path / "call.wav").write_bytes(b"RIFF\xff\xfe")
    assert main(["report", str(tmp_path / "call.wav"), str(tmp_path / "page.html")]) == 1
    assert "call.wav: is no UTF-8 text; give a file" in capsys.readouterr().err


def test_a_file_without_events_makes_no_page(tmp_path, capsys):
    (tmp_path / "none.jsonl").touch()
    assert main(["report", str(tmp_path / "none.jsonl"), str(tmp_path / "page.html")]) == 1
    assert "none.jsonl: holds no events; give a file" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()
