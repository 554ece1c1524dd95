"""Which sound card a name in the configuration means: found by what stays the same when it is plugged elsewhere, never by index.

A device's identity, the best that it has:
    serial:4F2A81            the USB serial number: the same device in any port
    alsa:Device              the card's ALSA id, where no other card's looks alike
    usb:1-1.3                the USB port, for twins without serial numbers
    name:pulse               PortAudio's name, for what is no card (PulseAudio, PipeWire)
`/1` after any of them is the card's second capture device. `auto` is the likeliest line tap.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.capture.last_words import last_words
from edge.errors import Problem, SourceError

# PortAudio opens every device that there is to list them; a broken one may hang it.
_LIST_TIMEOUT_S = 20
# Names of things with a microphone that is surely no phone line.
_NOT_A_LINE = re.compile(r"cam|headset|keyboard|microphone|hdmi|loopback", re.IGNORECASE)
_LIKE_A_LINE = re.compile(r"line|tap|phone|tel|call|record|adapter|usb audio|audio device|codec", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What PortAudio says of one input."""

    index: int
    name: str
    channels: int
    rate: int
    default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One input. `names` are all the identities it answers to, best first; `usb` tells a USB card."""

    index: int
    name: str
    channels: int
    rate: int
    default: bool
    usb: bool
    names: tuple[str, ...]

    @property
    def identity(self) -> str:
        """What to put in the configuration."""
        return self.names[0]


def listing() -> list[Device]:
    """Every input of this machine, asked for in a child process. Raises SourceError where it cannot be listed."""
    # Not at the top: a capture child needs neither, and each thing that it imports keeps a line deaf for longer.
    import json
    import subprocess

    command = [sys.executable, "-m", "edge.capture.child", "list"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIST_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            "the sound system does not answer", remedy="unplug the sound card, plug it in again, and try once more"
        ) from error
    if done.returncode < 0:
        # PortAudio ends itself by an assertion where ALSA points to a sound server that is not there.
        raise SourceError(
            f"PortAudio crashed looking for devices (signal {-done.returncode})", remedy="does the sound server that ALSA names run?"
        )
    if done.returncode:
        problem = last_words(done.stderr)
        raise SourceError.of(problem or Problem(what=f"the sound system failed (exit code {done.returncode})", remedy="is ALSA set up?"))
    return identify([Raw(**told) for told in json.loads(done.stdout)])


def identify(raws: Sequence[Raw], root: Path = Path("/")) -> list[Device]:
    """`raws` with their identities, from /sys below `root`."""
    ids = {raw.index: _identities(raw.name, root) for raw in raws}
    every = [name for names in ids.values() for name in names]
    return [
        Device(
            index=raw.index,
            name=raw.name,
            channels=raw.channels,
            rate=raw.rate,
            default=raw.default,
            usb=any(name.startswith("usb:") for name in ids[raw.index]),
            # What two devices share names neither of them.
            names=tuple(n for n in ids[raw.index] if every.count(n) == 1) or (f"name:{raw.name}",),
        )
        for raw in raws
    ]


def find(wanted: str, devices: Sequence[Device], channels: int) -> Device:
    """The device that `wanted` means: an identity, `auto`, or a part of a name. Raises SourceError, saying what there is."""
    if not devices:
        raise SourceError("no sound card found", remedy="plug the line tap in (undertone devices lists what is there)")
    if wanted == "auto":
        return _likeliest(devices, channels)
    exact = [device for device in devices if wanted in device.names or wanted in (device.name, f"name:{device.name}")]
    tail = wanted.partition(":")[2] or wanted
    loose = [device for device in devices if tail.lower() in device.name.lower()] if ":" not in wanted else []
    for candidates in (exact, loose):
        if candidates:
            return candidates[0]
    there = ", ".join(device.identity for device in devices)
    raise SourceError(f"device '{wanted}' is not there", remedy=f"plug it in, or use one of: {there}")


def _likeliest(devices: Sequence[Device], channels: int) -> Device:
    def score(device: Device) -> tuple[bool, int, bool]:
        likeness = bool(_LIKE_A_LINE.search(device.name)) - 2 * bool(_NOT_A_LINE.search(device.name))
        return device.channels >= channels, 4 * device.usb + likeness, device.default

    best = max(devices, key=score)
    # Without a card that looks like a tap, what the system was told to record from is the better guess.
    default = next((device for device in devices if device.default), None)
    return best if best.usb and not _NOT_A_LINE.search(best.name) else default or best


def _identities(name: str, root: Path) -> list[str]:
    """Identities of the device that PortAudio calls `name`, best first; what is no ALSA card has only its name."""
    where = re.search(r"\(hw:(\d+),(\d+)\)", name)
    if where is None:
        return [f"name:{name}"]
    card, number = where.groups()
    suffix = "" if number == "0" else f"/{number}"
    found = []
    usb = _usb_folder(root / "sys/class/sound" / f"card{card}")
    if usb is not None and (serial := _read(usb / "serial")):
        found.append(f"serial:{serial}{suffix}")
    alsa_id = _read(root / "sys/class/sound" / f"card{card}" / "id")
    # ALSA numbers twins by the order they were plugged in (Device, Device_1), so their ids name nobody for sure.
    if alsa_id and not _has_twin(root, alsa_id):
        found.append(f"alsa:{alsa_id}{suffix}")
    if usb is not None:
        found.append(f"usb:{usb.name}{suffix}")
    elif alsa_id and f"alsa:{alsa_id}{suffix}" not in found:
        found.append(f"alsa:{alsa_id}{suffix}")
    return [*found, f"name:{name}"]


def _has_twin(root: Path, alsa_id: str) -> bool:
    stem = re.sub(r"_\d+$", "", alsa_id)
    ids = [_read(folder / "id") for folder in (root / "sys/class/sound").glob("card*")]
    return sum(re.sub(r"_\d+$", "", other) == stem for other in ids) > 1


def _usb_folder(card: Path) -> Path | None:
    """The USB device that holds the card: the nearest folder above it that has a vendor id. None for a card inside the box."""
    try:
        folder = (card / "device").resolve(strict=True)
    except OSError:
        return None
    return next((parent for parent in (folder, *folder.parents) if (parent / "idVendor").exists()), None)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
