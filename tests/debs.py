"""The Debian packages in clean roots: `python -m tests.debs FOLDER`, as root; FOLDER holds what `make deb` left.

amd64: installed in a fresh Debian, set up, and timed to the first event of a line of its own (a null sink of PulseAudio, a real mosquitto);
then upgraded, removed and purged, and looked over each time. arm64 (where its package is there): unpacked into a fresh Debian for ARM, and
run under qemu. Takes minutes and the network; what does not hold ends it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.broker import Broker
from tests.paths import ROOT
from tests.pulse import PulseAudio
from tests.telling import Subscriber, until

CONFIG = "/etc/undertone/undertone.yaml"
# What is there before `undertone setup`.
_EXAMPLE = "usr/lib/undertone/share/undertone/undertone.yaml"
CALL = ROOT / "tests/demo/call.wav"
# What a box has that its tap needs: here PulseAudio stands in for a sound card.
_SOUND = "libasound2-plugins"
# The command with every known answer checked and no time budget: an emulator is slower than any board.
_UNTIMED = """
import sys
from edge.bundle import golden
check = golden.check
golden.check = lambda path, compute, budget_ms: check(path, compute, budget_ms=1e9)
from edge.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@dataclass(slots=True)
class Clean:
    """A Debian below `path`. `steps` is how long each thing took."""

    path: Path
    steps: dict[str, float] = field(default_factory=dict)

    def command(self, *command: str, **env: str) -> list[str]:
        """What runs `command` in it, with nothing of this machine's environment but the way to the network."""
        passed = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        told = (
            passed
            | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
            | env
        )
        return ["chroot", str(self.path), "/usr/bin/env", "-i", *(f"{name}={value}" for name, value in told.items()), *command]

    def run(self, *command: str, fails: bool = False, **env: str) -> str:
        """What it prints; it must work, or fail where that is wanted."""
        done = subprocess.run(self.command(*command, **env), capture_output=True, text=True, check=False)
        assert bool(done.returncode) == fails, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """What is done meanwhile is the step."""
        began = time.monotonic()
        yield
        self.steps[step] = time.monotonic() - began
        print(f"  {self.steps[step]:6.1f} s  {step}", flush=True)

    def there(self, *paths: str) -> list[str]:
        """Which of these are there."""
        return [path for path in paths if os.path.lexists(self.path / path.lstrip("/"))]


@contextmanager
def fresh(scratch: Path, architecture: str, *more: str) -> Iterator[Clean]:
    """A Debian of this machine's release, as debootstrap's minimum; for another processor unpacked alone."""
    release = next(
        line.partition("=")[2] for line in Path("/etc/os-release").read_text().splitlines() if line.startswith("VERSION_CODENAME=")
    )
    own = architecture == subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    root = scratch / architecture
    variant = "minbase" if own else "extract"
    command = ["mmdebstrap", "--quiet", f"--variant={variant}", f"--architectures={architecture}", f"--include={','.join(more)}"]
    print(f"{architecture}: a fresh {release}", flush=True)
    subprocess.run([*command, release, str(root)], check=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    mounts = [("proc", root / "proc"), ("tmpfs", root / "dev/shm")] if own else []
    for kind, place in mounts:
        place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", kind, kind, str(place)], check=True)
    try:
        yield Clean(root)
    finally:
        for _, place in reversed(mounts):
            subprocess.run(["umount", str(place)], check=True)


def install(root: Clean, packages: list[Path]) -> str:
    """As a technician does; apt brings what they depend on."""
    (root.path / "debs").mkdir(exist_ok=True)
    for package in packages:
        shutil.copy(package, root.path / "debs")
    return root.run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *(f"/debs/{package.name}" for package in packages))


def first_event(root: Clean, packages: list[Path]) -> None:
    """From the packages to what a central system gets of a call on the line."""
    folder = root.path / "box"
    folder.mkdir()
    with Broker(folder) as broker, PulseAudio.start(folder) as pulse, Subscriber(broker.url) as central:
        sound = {name: pulse.env[name].replace(str(root.path), "") for name in ("PULSE_SERVER", "PULSE_COOKIE", "ALSA_CONFIG_PATH")}
        sound |= {"PULSE_SOURCE": "phone.monitor"}
        with root.timed("apt-get update"):
            root.run("apt-get", "update", "--quiet")
        with root.timed("apt-get install ./undertone*.deb"):
            install(root, packages)
        with root.timed("undertone setup, with the doctor"):
            said = root.run("undertone", "setup", "--yes", "--site", "leeds", "--device", "box-7", "--url", broker.url, **sound)
        shown = " ".join(said.split())
        for found in ("gives its known answers", "fitted to service calls", "a plain complaint is negative", "read back as it was sent"):
            assert found in shown, f"{found}:\n{said}"
        service = subprocess.Popen(root.command("undertone", "run", "--config", CONFIG, **sound), stderr=(root.path / "journal").open("w"))
        try:
            with root.timed("undertone run, to the first sound"):
                until(lambda: "line.first_sound" in (root.path / "journal").read_text(), 60)
            player = pulse.play(CALL, latency_ms=50)
            with root.timed("a call, to its first event"):
                until(lambda: central.events("call.started"), 60)
            with root.timed("and to the first verdict on what was said"):
                until(lambda: [one for one in central.events("call.utterance") if one["data"]["words"]], 60)
            player.terminate()
            player.wait()
        finally:
            service.terminate()
            assert service.wait(20) == 0
    print(f"  {sum(root.steps.values()):6.1f} s  from a fresh machine to the first verdict on its own line", flush=True)


def look_over(root: Clean) -> None:
    """What the package promises of what it put there."""
    assert root.run("dpkg", "--verify", "undertone") == "", "no file of the package was changed, and no compiled file added"
    assert root.run("dpkg-query", "--show", "--showformat=${Conffiles}", "undertone") == "", "dpkg asks about nothing that setup writes"
    assert root.run("find", "/usr/lib/undertone", "-not", "-user", "root", "-o", "-type", "f", "-perm", "/022") == ""
    assert root.run("stat", "--format=%a", "/etc/undertone/mqtt-password", "/etc/undertone/mqtt-key").split() == ["600", "600"]
    assert root.run("undertone", "--version").strip() == "undertone 0.1.0"
    assert "ExecStart=/usr/bin/undertone run" in root.run("cat", "/usr/lib/systemd/system/undertone.service")
    assert '"p_negative"' in root.run("undertone", "words", "--json", "nobody helps me i am really angry")


def newer(package: Path, folder: Path) -> Path:
    """The same package with a higher version, one file more, and another configuration to begin with."""
    tree = folder / "newer"
    subprocess.run(["dpkg-deb", "-R", str(package), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace("Version: ", "Version: 9."))
    (tree / "usr/share/doc/undertone/NEWS").write_text("newer\n")
    with (tree / _EXAMPLE).open("a") as example:
        example.write("keep_days: 7\n")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(folder)], check=True, capture_output=True)
    return next(folder.glob("undertone_9.*.deb"))


def life(root: Clean, package: Path, scratch: Path) -> None:
    """Upgraded, removed, put back, purged."""
    state, kept = "/var/lib/undertone/outbox.sqlite", "/etc/undertone/mqtt-password"
    (root.path / kept.lstrip("/")).write_text("hush\n")
    written = (root.path / CONFIG.lstrip("/")).read_text()
    upgrade = newer(package, scratch)
    with root.timed("upgraded"):
        said = install(root, [upgrade])
    assert "Configuration file" not in said, said
    assert root.run("dpkg-query", "--show", "--showformat=${Version}", "undertone").startswith("9.")
    assert (root.path / CONFIG.lstrip("/")).read_text() == written
    assert root.there(state, "/usr/share/doc/undertone/NEWS") == [state, "/usr/share/doc/undertone/NEWS"]
    with root.timed("removed"):
        root.run("apt-get", "remove", "--quiet", "--yes", "undertone")
    gone = ("/usr/bin/undertone", "/usr/lib/undertone", "/usr/lib/systemd/system/undertone.service")
    assert root.there(*gone) == []
    assert root.there(CONFIG, kept, state) == [CONFIG, kept, state]
    with root.timed("put back"):
        install(root, [package])
    assert ((root.path / CONFIG.lstrip("/")).read_text(), (root.path / kept.lstrip("/")).read_text()) == (written, "hush\n")
    assert written != (root.path / _EXAMPLE).read_text()
    with root.timed("purged"):
        root.run("apt-get", "purge", "--quiet", "--yes", "undertone", "undertone-speech-en")
    left = root.run(
        "find", "/", "-xdev", "-iname", "*undertone*", "-not", "-path", "/debs/*", "-not", "-path", "/box/*", "-not", "-path", "/var/log/*"
    )
    assert left == "", f"left behind:\n{left}"
    (root.path / "opt/undertone").mkdir()
    (root.path / "opt/undertone/current").symlink_to("releases/1")
    refused = root.run("dpkg", "--install", f"/debs/{package.name}", fails=True)
    assert "install.sh --uninstall" in refused
    print("         refused beside what systemd/install.sh has set up", flush=True)


def emulated(root: Clean, package: Path) -> None:
    """What the wheels for ARM are worth, one process at a time: without binfmt nothing starts a child."""
    subprocess.run(["dpkg-deb", "-x", str(package), str(root.path)], check=True)
    shutil.copy("/usr/bin/qemu-aarch64-static", root.path)
    shutil.copy(CALL, root.path / "call.wav")
    python = ("/qemu-aarch64-static", "/usr/lib/undertone/bin/python", "-c")
    ours = (*python, _UNTIMED)
    with root.timed("undertone info"):
        assert "voice" in emulate(root, *ours, "info")
    with root.timed("undertone words"):
        assert '"negative"' in emulate(root, *ours, "words", "--json", "nobody helps me i am really angry")
    with root.timed("undertone voice"):
        assert '"p_negative"' in emulate(root, *ours, "voice", "--json", "/call.wav")
    with root.timed("Vosk and PyAudio load"):
        assert "0.2" in emulate(root, *python, "import vosk, pyaudio, soundfile, soxr; print(pyaudio.__version__)")


def emulate(root: Clean, *command: str) -> str:
    """What it prints."""
    done = subprocess.run(
        ["chroot", str(root.path), *command],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"},
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def why_not() -> str | None:
    """Why this machine cannot do it; None where it can."""
    missing = [name for name in ("mmdebstrap", "dpkg-deb", "chroot") if shutil.which(name) is None]
    return "not root" if os.geteuid() else f"not installed: {', '.join(missing)} (apt-get install mmdebstrap)" if missing else None


def main() -> int:
    """See above."""
    if reason := why_not():
        print(f"SKIPPED: the Debian packages were not tried: {reason}", file=sys.stderr)
        return 0
    folder = Path(sys.argv[1]).absolute()
    own, arm, speech = (sorted(folder.glob(f"undertone{name}.deb")) for name in ("_*_amd64", "_*_arm64", "-speech-en_*"))
    if not (own and speech):
        print(f"no packages in {folder}: make deb", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="undertone-debs-") as scratch:
        with fresh(Path(scratch), "amd64", "ca-certificates", _SOUND) as root:
            first_event(root, [own[-1], speech[-1]])
            look_over(root)
            life(root, own[-1], Path(scratch))
        if not arm or not Path("/usr/bin/qemu-aarch64-static").exists():
            print("SKIPPED: arm64: no package (make deb ARCH=arm64) or no qemu-user-static", file=sys.stderr)
            return 0
        with fresh(Path(scratch), "arm64", "python3", "python3-pyaudio", "libstdc++6", "libatomic1") as root:
            emulated(root, arm[-1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
