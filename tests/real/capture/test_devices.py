"""A sound card is found by what stays the same when it is plugged elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.capture.devices import Raw, find, identify
from edge.capture.last_words import last_words, say
from edge.errors import Problem, SourceError
from tests.pulse import SILENCED, PulseAudio, without_sound_card


def card(root, number, alsa_id, *, usb=None, serial=None):
    """A card as Linux shows it in /sys/class/sound."""
    sound = root / f"sys/class/sound/card{number}"
    sound.mkdir(parents=True)
    (sound / "id").write_text(f"{alsa_id}\n")
    where = root / (f"sys/devices/pci0/usb1/{usb}/{usb}:1.0" if usb else f"sys/devices/platform/audio{number}")
    where.mkdir(parents=True)
    (sound / "device").symlink_to(where)
    if usb:
        (where.parent / "idVendor").write_text("0d8c\n")
    if serial:
        (where.parent / "serial").write_text(f"{serial}\n")


def raw(index, name, channels=2, *, default=False):
    return Raw(index=index, name=name, channels=channels, rate=48_000, default=default)


def test_the_same_device_in_another_port_with_another_index_is_found_by_its_serial(tmp_path):
    card(tmp_path / "before", 1, "Tap", usb="1-1.2", serial="4F2A81")
    card(tmp_path / "after", 3, "Tap_1", usb="1-1.4", serial="4F2A81")
    before = identify([raw(1, "Line Tap: USB Audio (hw:1,0)")], tmp_path / "before")
    after = identify([raw(0, "HDA: ALC (hw:0,0)"), raw(5, "Line Tap: USB Audio (hw:3,0)")], tmp_path / "after")
    assert before[0].identity == "serial:4F2A81"
    assert find("serial:4F2A81", after, 2).index == 5


def test_a_card_without_serial_is_named_by_its_alsa_id(tmp_path):
    card(tmp_path, 1, "Device", usb="1-1.2")
    device = identify([raw(0, "USB Audio Device: - (hw:1,0)")], tmp_path)[0]
    assert device.names == ("alsa:Device", "usb:1-1.2", "name:USB Audio Device: - (hw:1,0)")
    assert device.usb


def test_twins_without_serials_are_told_apart_by_port_alone(tmp_path):
    card(tmp_path, 1, "Device", usb="1-1.2")
    card(tmp_path, 2, "Device_1", usb="1-1.3")
    twins = identify([raw(0, "USB: - (hw:1,0)"), raw(1, "USB: - (hw:2,0)")], tmp_path)
    assert [twin.identity for twin in twins] == ["usb:1-1.2", "usb:1-1.3"]
    assert find("usb:1-1.3", twins, 1).index == 1


def test_twins_that_share_a_serial_are_not_named_by_it(tmp_path):
    card(tmp_path, 1, "Device", usb="1-1.2", serial="000000")
    card(tmp_path, 2, "Device_1", usb="1-1.3", serial="000000")
    twins = identify([raw(0, "USB: - (hw:1,0)"), raw(1, "USB: - (hw:2,0)")], tmp_path)
    assert [twin.identity for twin in twins] == ["usb:1-1.2", "usb:1-1.3"]


def test_the_second_input_of_a_card_has_an_identity_of_its_own(tmp_path):
    card(tmp_path, 1, "Four", usb="1-1", serial="A1")
    both = identify([raw(0, "Four: in (hw:1,0)"), raw(1, "Four: in (hw:1,1)")], tmp_path)
    assert [device.identity for device in both] == ["serial:A1", "serial:A1/1"]


def test_auto_takes_the_usb_line_before_a_webcam_and_the_built_in_card(tmp_path):
    card(tmp_path, 0, "PCH")
    card(tmp_path, 1, "C920", usb="1-1", serial="CAM")
    card(tmp_path, 2, "Tap", usb="1-2", serial="TAP")
    there = identify(
        [
            raw(0, "HDA Intel PCH: ALC (hw:0,0)", default=True),
            raw(1, "HD Pro Webcam: USB Audio (hw:1,0)"),
            raw(2, "Tap: USB Audio (hw:2,0)"),
        ],
        tmp_path,
    )
    assert find("auto", there, 2).identity == "serial:TAP"


def test_auto_without_a_usb_line_takes_what_the_system_records_from(tmp_path):
    there = identify([raw(0, "pulse", 32), raw(1, "default", 32, default=True)], tmp_path)
    assert find("auto", there, 2).identity == "name:default"


def test_a_device_may_be_named_by_a_part_of_its_name(tmp_path):
    there = identify([raw(0, "pulse", 32), raw(1, "Sennheiser SP 10 (hw:7,0)")], tmp_path)
    assert find("sennheiser", there, 1).index == 1


def test_a_device_that_is_not_there_is_told_with_what_is(tmp_path):
    there = identify([raw(0, "pulse", 32)], tmp_path)
    with pytest.raises(SourceError, match=r"'serial:99' is not there; plug it in, or use one of: name:pulse"):
        find("serial:99", there, 1)
    with pytest.raises(SourceError, match="no sound card found"):
        find("auto", [], 1)


def test_the_last_words_of_a_program_are_its_last_line():
    assert last_words("ALSA lib: noise\nthe trunk hung up\n\n") == Problem(what="the trunk hung up")
    assert last_words("") is None


@pytest.mark.parametrize(
    "error",
    [
        SourceError("the device stopped", where="serial:4F2A81"),
        SourceError("no such file", path=Path("a.wav"), remedy="check the path; look twice"),
    ],
)
def test_the_last_words_of_a_child_of_ours_are_what_it_said_whole(error, capfd):
    say(error)
    said = capfd.readouterr().err
    assert last_words(f"ALSA lib: noise\n{said}") == error.problem
    # Cut by the pipe's buffer, it is a line like any other.
    assert last_words(said[:35]) == Problem(what=said[:35])


def devices(env, *more):
    command = [sys.executable, "-m", "edge", "devices", *more]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_devices_lists_a_real_input_with_the_identity_to_configure(tmp_path):
    with PulseAudio.start(tmp_path) as pulse:
        shown, told = devices(pulse.env), devices(pulse.env, "--json")
    assert shown.returncode == 0
    assert "name:default" in shown.stdout
    assert {row["identity"] for row in json.loads(told.stdout)} >= {"name:default", "name:pulse"}
    assert [row["identity"] for row in json.loads(told.stdout) if row["auto"]] == ["name:default"]


@without_sound_card
def test_devices_without_a_sound_card_says_so_in_one_line_and_exits_1():
    done = devices(os.environ | SILENCED)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no sound card" in done.stderr


def test_devices_where_portaudio_crashes_says_so_in_one_line_and_exits_1(tmp_path):
    # An ALSA without any name makes PortAudio end itself by an assertion.
    nothing = tmp_path / "asound.conf"
    nothing.write_text("\n")
    done = devices(os.environ | {"ALSA_CONFIG_PATH": str(nothing)})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
