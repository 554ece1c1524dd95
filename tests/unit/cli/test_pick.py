"""Which channels of a recording a person may pick."""

import pytest

from edge.__main__ import main


@pytest.mark.parametrize("command", [["replay"], ["voice"], ["baseline", "learn", "--out", "x"]], ids=lambda words: words[0])
@pytest.mark.parametrize(("pick", "says"), [
    ("1,1", "'1,1' names one channel twice; 1 takes it alone"), ("2, 02", "'2, 02' names one channel twice; 2 takes it alone"),
    ("0", "not one or two channel numbers from 1"), ("1,2,3", "not one or two channel numbers from 1"), ("", "not one or two"),
])  # fmt: skip
def test_what_is_no_pick_is_refused_in_a_line_and_one_channel_is_no_two(tmp_path, capsys, command, pick, says):
    with pytest.raises(SystemExit) as ended:
        main([*command, str(tmp_path / "call.wav"), "--pick", pick])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err.splitlines()[-1]
