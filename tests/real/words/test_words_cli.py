"""`undertone words` as a person and a script use it."""

import json
import subprocess
import sys

import pytest

from edge.__main__ import main


def run(*arguments: str, given: str | bytes = "") -> subprocess.CompletedProcess:
    raw = given.encode() if isinstance(given, str) else given
    return subprocess.run([sys.executable, "-m", "edge", "words", *arguments], input=raw, capture_output=True, check=False)


def lines(done: subprocess.CompletedProcess) -> list[dict]:
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_one_sentence_as_json(capsys):
    assert main(["words", "I have been on hold for 40 minutes and nobody answers", "--json"]) == 0
    (judged,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert judged["text"] == "I have been on hold for 40 minutes and nobody answers"
    assert judged["label"] == "negative"
    assert judged["p_negative"] > 0.5
    assert judged["cause"] == "unreachable"
    assert judged["route"]
    assert {"redacted", "drivers"} <= judged.keys()
    assert judged["drivers"][0]["weight"] < 0


def test_one_sentence_for_a_person(capsys):
    assert main(["words", "my card number is 4111 1111 1111 1111 and you overcharged me"]) == 0
    shown = capsys.readouterr().out
    assert "negative" in shown
    assert "about: billing" in shown
    assert "4111" not in shown


@pytest.mark.parametrize("nothing", ["yes", "okay", "uh huh yeah"])
def test_what_says_nothing_is_neutral_at_the_prior_of_calls_not_of_tweets(capsys, nothing):
    assert main(["words", nothing, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["label"], said["p_negative"], said["reason"]) == ("neutral", 0.25, "too_short")


def test_a_pipe_gives_a_line_for_each_line():
    text = "yes\n\nthank you so much\nwhere is my refund it has been six weeks\n"
    judged = lines(run("-", "--json", given=text))
    assert [item["text"] for item in judged] == text.split("\n")[:4]
    assert [item["reason"] for item in judged] == ["too_short", "no_words", None, None]
    assert len({tuple(item) for item in judged}) == 1
    assert all(item["label"] in ("negative", "neutral", "positive") and 0 <= item["p_negative"] <= 1 for item in judged)


def test_bytes_that_are_no_text_are_no_traceback():
    done = run("--json", given=b"\xff\xfe on hold\r\n\x00\n")
    assert len(lines(done)) == 2
    assert done.stderr == b""


def test_a_file_is_read_line_by_line(tmp_path, capsys):
    path = tmp_path / "lines.txt"
    path.write_text("this is appalling\nwhat time do you open\n", encoding="utf-8")
    assert main(["words", "--file", str(path), "--json"]) == 0
    assert [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()] == ["negative", "neutral"]


@pytest.mark.parametrize(
    ("data", "line"), [("caf\xe9\n".encode("latin-1"), 1), (b"fine\n\nnot \xff fine\n", 3), ("hallo\n".encode("utf-16"), 1)]
)
def test_a_file_that_is_not_utf_8_is_refused_with_its_line_before_anything_is_judged(tmp_path, capsys, data, line):
    path = tmp_path / "lines.txt"
    path.write_bytes(data)
    assert main(["words", "--file", str(path), "--json"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"undertone: {path}: line {line}: is not UTF-8; save it as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 FILE > new.txt\n"


@pytest.mark.parametrize("data", [b"", b"\n", b"one\r\ntwo", b"one\ntwo\n", "zw\u2028ei\n\n".encode()])
def test_a_file_has_the_lines_that_a_pipe_of_it_has(tmp_path, data):
    (tmp_path / "lines.txt").write_bytes(data)
    by_file = run("--file", str(tmp_path / "lines.txt"), "--json", "--no-model")
    assert by_file.returncode == 0, by_file.stderr
    assert by_file.stdout == run("-", "--json", "--no-model", given=data).stdout


def test_wrong_use_is_one_line_with_the_remedy(tmp_path, capsys):
    for arguments in (
        ["words", "--file", str(tmp_path / "none.txt")],
        ["words", "hello", "--file", "x"],
        ["words", "x", "--model", str(tmp_path)],
    ):
        assert main(arguments) in (1, 2)
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "; " in error


def test_a_number_of_any_length_is_judged(capsys):
    assert main(["words", "my number is " + "1" * 5000]) == 0
    assert "1111" not in capsys.readouterr().out


def test_a_line_that_no_utterance_could_fill_is_refused_in_one_line_and_the_others_are_judged(tmp_path):
    (tmp_path / "lines.txt").write_text("i am angry\n" + "i am angry " * 2000 + "\nthank you\n")
    done = subprocess.run(
        [sys.executable, "-m", "edge", "words", "--file", tmp_path / "lines.txt", "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["i am angry", "thank you"]
    assert done.stderr == "undertone words: line 2: 22,000 characters, 10,000 at most: a line is one utterance; break it up\n"
