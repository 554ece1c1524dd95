"""The unit and its installer: sandboxed, staged, repeated, removed."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests import sandbox
from tests.paths import ROOT
from tests.pulse import PulseAudio

HERE = ROOT
UNIT = HERE / "systemd/undertone.service"

needs_systemd_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here")


def test_the_unit_is_fed_by_progress_keeps_no_core_and_hands_secrets_over_as_credentials():
    text = UNIT.read_text()
    for line in ("Type=notify", "ExecReload=/bin/kill -HUP $MAINPID", "WatchdogSec=30",
                 "LimitCORE=0", "MemorySwapMax=0", "StateDirectory=undertone", "DynamicUser=yes",
                 "LoadCredential=mqtt-password:/etc/undertone/mqtt-password"):  # fmt: skip
        assert f"\n{line}\n" in text


@needs_systemd_analyze
def test_the_unit_is_exposed_by_1_5_at_most():
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure, done.stderr
    assert float(exposure.group(1)) <= 1.5
    assert done.returncode == 0


@needs_systemd_analyze
def test_systemd_understands_every_line_of_the_unit(tmp_path):
    # verify wants the program to exist; everything else it says counts.
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/undertone/current/bin/undertone", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60, check=False)
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []


needs_sandbox = pytest.mark.skipif(sandbox.why_not() is not None, reason=str(sandbox.why_not()))


def sandboxed(*command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "tests.sandbox", str(UNIT), *command]
    return subprocess.run(program, env=env, cwd=HERE, capture_output=True, text=True, timeout=120, check=False)


@needs_sandbox
def test_the_sandbox_of_the_tests_refuses_what_the_unit_refuses():
    done = sandboxed(sys.executable, "-c", "import os; os.chroot('/')")
    assert "Operation not permitted" in done.stderr


@needs_sandbox
def test_a_device_is_heard_under_the_units_filter(tmp_path):
    listen = (
        "from edge.capture.source import open_source; from edge.config import SourceConfig;"
        "source = open_source(SourceConfig(device='auto'), 2, print); blocks = source.blocks();"
        "print(sum(len(next(blocks).pcm) for _ in range(40)) > 0); source.close()"
    )
    with PulseAudio.start(tmp_path) as pulse:
        done = sandboxed(sys.executable, "-c", listen, env=pulse.env)
    assert done.stdout.split() == ["up", "True"], done.stderr


@needs_sandbox
def test_the_box_judges_and_keeps_under_the_units_filter(tmp_path):
    code = (
        "from edge.doctor import bus, host, judges; from edge.config import Config;"
        f"config = Config(state_dir={str(tmp_path)!r});"
        "found = [host.disk(config), bus.outbox(config), judges.voice(config), judges.recogniser(config), judges.words(config)];"
        "print([one for one in found if one.outcome == 'failed'])"
    )
    done = sandboxed(sys.executable, "-c", code)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """An unpacked release: the source without what is made of it."""
    folder = tmp_path_factory.mktemp("release")
    made = shutil.ignore_patterns("__pycache__", "*.part", "vosk-*")
    for name in ("edge", "models", "systemd"):
        shutil.copytree(HERE / name, folder / name, ignore=made)
    for name in ("pyproject.toml", "constraints.txt", "Makefile", "README.md", "LICENSE"):
        shutil.copy(HERE / name, folder)
    return folder


def install(release: Path, root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    # The program's own parts are what is installed here; what it stands on is in this environment already.
    env = os.environ | {"UNDERTONE_UV_OPTIONS": "--no-deps"}
    command = ["bash", str(release / "systemd/install.sh"), "--root", str(root), "--python", sys.executable, "--no-speech", *more]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def staged(release, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    done = install(release, root)
    if re.search(r"(?i)failed to fetch|could not connect|connection error|no matching distribution found for uv", done.stderr):
        pytest.skip(f"the installer needs a package index, and there is none: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return root


def test_the_installer_stages_program_unit_and_configuration(staged):
    assert (staged / "etc/systemd/system/undertone.service").read_bytes() == UNIT.read_bytes()
    assert oct((staged / "etc/undertone/mqtt-password").stat().st_mode & 0o777) == "0o600"
    assert "site: site" in (staged / "etc/undertone/undertone.yaml").read_text()
    assert (staged / "opt/undertone/current/bin/undertone").exists()
    assert not (staged / "opt/undertone/current/bin/undertone-convert").exists()
    packages = next((staged / "opt/undertone/current/lib").glob("python3*/site-packages"))
    assert not (packages / "convert").exists()
    # Everything beside the code that the program reads.
    data = [path.relative_to(HERE) for path in (HERE / "edge").rglob("*") if path.suffix in {".yaml", ".txt", ".html", ".css", ".json"}]
    assert [path for path in data if not (packages / path).exists()] == []


def test_the_installed_program_runs(staged):
    env = os.environ | {"PYTHONPATH": sysconfig.get_path("purelib")}
    program = staged / "opt/undertone/current/bin/undertone"
    done = subprocess.run([program, "--version"], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("undertone ")


def test_the_written_configuration_is_one_that_undertone_takes(staged):
    from edge.config import load_config

    config = load_config(staged / "etc/undertone/undertone.yaml")
    assert config.lines[0].source.device == "auto"
    assert config.state_dir == "/var/lib/undertone"


def test_installing_again_changes_nothing_and_keeps_the_configuration(release, staged):
    config, secret = staged / "etc/undertone/undertone.yaml", staged / "etc/undertone/mqtt-password"
    config.write_text("site: leeds\n")
    secret.write_text("hush")
    before = (staged / "opt/undertone/current").resolve()
    done = install(release, staged)
    assert done.returncode == 0
    assert "is there already" in done.stdout
    assert (staged / "opt/undertone/current").resolve() == before
    assert (config.read_text(), secret.read_text()) == ("site: leeds\n", "hush")


def test_uninstalling_keeps_what_the_site_wrote_and_purging_leaves_nothing(release, staged):
    (staged / "var/lib/undertone").mkdir(parents=True)
    assert install(release, staged, "--uninstall").returncode == 0
    left = sorted(str(path.relative_to(staged)) for path in staged.rglob("*") if path.is_file() or path.is_symlink())
    assert left == ["etc/undertone/mqtt-key", "etc/undertone/mqtt-password", "etc/undertone/undertone.yaml"]
    assert install(release, staged, "--uninstall", "--purge").returncode == 0
    assert [path for path in staged.rglob("*") if not path.is_dir()] == []
    assert not (staged / "var/lib/undertone").exists()
    assert install(release, staged, "--uninstall").returncode == 0


@pytest.mark.parametrize(("more", "code", "says"), [
    (["--nonsense"], 2, "unknown option '--nonsense'"),
    (["--source", "/nowhere"], 2, "not the Undertone source"),
    (["--python", "/bin/false"], 1, "not usable"),
])  # fmt: skip
def test_wrong_use_is_told_in_a_line_and_touches_nothing(release, tmp_path, more, code, says):
    done = install(release, tmp_path, *more)
    assert done.returncode == code
    assert says in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
