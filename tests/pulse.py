"""A sound card without hardware: a private PulseAudio daemon with null sinks, ended by its pid.

with PulseAudio.start(tmp_path) as pulse:
    pulse.play(wav)                         # paplay into the sink `phone`
    subprocess.run(..., env=pulse.env)      # whose ALSA `default` (so PortAudio's, so PyAudio's) is phone.monitor
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_ASOUNDRC = """\
</usr/share/alsa/alsa.conf>
pcm.!default {
  type pulse
}
ctl.!default {
  type pulse
}
"""

_PCM = """\
pcm.{name} {{
  type pulse
  hint {{
    show on
    description "{name}"
  }}
}}
"""


# What a program sees that finds no sound server; for tests of a box without a sound card.
SILENCED = {"ALSA_CONFIG_PATH": "/usr/share/alsa/alsa.conf", "PULSE_SERVER": "unix:/nonexistent", "XDG_RUNTIME_DIR": "/nonexistent"}
without_sound_card = pytest.mark.skipif(any(Path("/dev/snd").glob("pcm*")), reason="this machine has a sound card")


def why_not() -> str | None:
    """Why this machine cannot run a PulseAudio of its own; None where it can."""
    missing = [name for name in ("pulseaudio", "pactl", "paplay") if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (tests/system-packages.sh brings them)"
    plugins = list(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so"))
    return None if plugins else "libasound2-plugins is not installed (tests/system-packages.sh brings it)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseAudio:
    """One running daemon. `env` is what a program needs in its environment to use it."""

    process: subprocess.Popen[bytes]
    env: dict[str, str]

    @classmethod
    @contextmanager
    def start(
        cls, folder: Path, *, sinks: tuple[str, ...] = ("phone",), rate: int = 48_000, channels: int = 2, pcms: tuple[str, ...] = ()
    ) -> Iterator["PulseAudio"]:
        """Run a daemon with one null sink a name; the default source is the first one's monitor. Skips where it cannot.

        `pcms` are further ALSA names for it, in the order that PortAudio will number them. In a folder where one ran before,
        the new one is found at the same place.
        """
        if reason := why_not():
            pytest.skip(reason)
        home = folder / "pulse"
        home.mkdir(mode=0o700, exist_ok=True)
        socket, asoundrc = home / "native", home / "asound.conf"
        asoundrc.write_text(_ASOUNDRC + "".join(_PCM.format(name=name) for name in pcms))
        env = os.environ | {
            "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "XDG_CONFIG_HOME": str(home), "PULSE_SERVER": f"unix:{socket}",
            "PULSE_SOURCE": f"{sinks[0]}.monitor", "PULSE_SINK": sinks[0], "ALSA_CONFIG_PATH": str(asoundrc),
            "PULSE_COOKIE": str(home / "cookie"),
        }  # fmt: skip
        loads = [f"module-native-protocol-unix auth-anonymous=1 socket={socket}"]
        loads += [f"module-null-sink sink_name={sink} rate={rate} channels={channels}" for sink in sinks]
        arguments = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"]
        for load in loads:
            arguments += ["-L", load]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(arguments, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        pulse = cls(process=process, env=env)
        try:
            pulse._wait(home / "log")
            yield pulse
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def play(self, path: Path, sink: str | None = None, *, latency_ms: int | None = None) -> subprocess.Popen[bytes]:
        """Start playing `path` into a sink; the caller waits for it, or ends it.

        A null sink hands on what it is given as seldom as its player's latency lets it: by paplay's own every 2 s, where a sound
        card gives its first sound within tenths of a second.
        """
        how = [] if sink is None else [f"--device={sink}"]
        how += [] if latency_ms is None else [f"--latency-msec={latency_ms}"]
        return subprocess.Popen(["paplay", *how, str(path)], env=self.env)

    def control(self, *arguments: str) -> str:
        """What pactl answers: `control("load-module", "module-null-sink", "sink_name=other")`."""
        done = subprocess.run(["pactl", *arguments], env=self.env, capture_output=True, text=True, timeout=10, check=True)
        return done.stdout.strip()

    def _wait(self, log: Path) -> None:
        give_up = time.monotonic() + 15
        while subprocess.run(["pactl", "info"], env=self.env, capture_output=True, timeout=10, check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > give_up:
                pytest.fail(f"PulseAudio did not start: {log.read_text()}")
            time.sleep(0.05)
