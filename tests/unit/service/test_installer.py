"""What the installer checks before it changes anything, and that --purge leaves nothing, however often it is broken off."""

import os
import subprocess
from pathlib import Path

import pytest

from edge.config import load_config
from tests.paths import ROOT

INSTALLER = ROOT / "systemd/install.sh"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the installer wants root first")
# As a box has them; the private one is where systemd keeps the state of a dynamic user.
LEFT_BY_A_SERVICE = (
    "opt/undertone/releases/1/bin/undertone", "etc/undertone/undertone.yaml", "etc/undertone/mqtt-password",
    "var/lib/undertone/outbox.sqlite",
    "var/lib/private/undertone/outbox.sqlite", "etc/systemd/system/undertone.service", "etc/systemd/system/undertone.service.d/nice.conf",
    "etc/systemd/system/multi-user.target.wants/undertone.service", "usr/local/bin/undertone",
)  # fmt: skip


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | environment
    return subprocess.run(["bash", str(INSTALLER), *arguments], env=env, capture_output=True, text=True, timeout=60, check=False)


def installed(root: Path) -> Path:
    for name in LEFT_BY_A_SERVICE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    return root


def left(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


@pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="systemd runs here")
@as_root
def test_without_a_running_systemd_nothing_is_changed(tmp_path):
    # A Python that would pass and then sets nothing up: if the check were missing, the run would end at it.
    python = program(tmp_path / "python3", 'case "$*" in *base_prefix*) echo /usr ;; *venv*ensurepip*) exit 0 ;; *) exit 9 ;; esac')
    done = run(
        "--python",
        str(python),
        "--no-capture",
        "--no-speech",
        PATH=f"{program(tmp_path / 'systemctl', 'exit 1').parent}:{os.environ['PATH']}",
    )
    assert done.returncode == 1
    assert "systemd is installed and not running" in done.stderr
    assert "nothing was changed" in done.stderr
    assert not Path("/opt/undertone").exists()


@as_root
@pytest.mark.parametrize("home", ["/home/ann/.pyenv/versions/3.11.7", "/root/.local/share/uv/python", "/run/user/1000/x"])
def test_a_python_below_a_home_is_refused_before_anything_is_changed(tmp_path, home):
    python = program(tmp_path / "python3", f'case "$*" in *base_prefix*) echo {home} ;; *) exit 0 ;; esac')
    done = run("--python", str(python), "--no-capture")
    assert done.returncode == 1
    assert home in done.stderr
    assert "below a home" in done.stderr
    assert not Path("/opt/undertone").exists()


@pytest.mark.parametrize("systemctl", ["exit 0", "exit 1"], ids=["systemd runs", "systemd does not run"])
@pytest.mark.parametrize(
    "gone",
    [(), ("etc/systemd/system/undertone.service",), LEFT_BY_A_SERVICE[:5], LEFT_BY_A_SERVICE],
    ids=["whole", "no unit", "no files", "bare"],
)
def test_purge_leaves_nothing_and_may_be_given_again(tmp_path, systemctl, gone):
    root = installed(tmp_path / "root")
    for name in gone:
        (root / name).unlink()
    stand_in = str(program(tmp_path / "systemctl", systemctl))
    for _ in range(2):
        done = run("--root", str(root), "--uninstall", "--purge", UNDERTONE_SYSTEMCTL=stand_in)
        assert done.returncode == 0, done.stderr
        assert left(root) == []


def test_uninstalling_keeps_configuration_and_state(tmp_path):
    root = installed(tmp_path / "root")
    done = run("--root", str(root), "--uninstall", UNDERTONE_SYSTEMCTL=str(program(tmp_path / "systemctl", "exit 0")))
    assert done.returncode == 0, done.stderr
    assert "etc/undertone/undertone.yaml" in left(root)
    assert "var/lib/undertone/outbox.sqlite" in left(root)
    assert not [name for name in left(root) if name.startswith(("opt", "usr", "etc/systemd/system/undertone.service/"))]


# --- the Debian package (`make deb-check` tries it in a clean root) ---------------------------------------------------


def test_the_configuration_that_the_package_brings_is_one_and_is_what_setup_begins_with():
    shipped = load_config(ROOT / "systemd/deb/undertone.yaml")
    assert shipped.state_dir == "/var/lib/undertone"
    assert [line.source.device for line in shipped.lines] == ["auto"]


@pytest.mark.parametrize("script", ["build.sh", "preinst", "postinst", "prerm", "postrm"])
def test_the_packages_scripts_can_be_read_and_run(script):
    path = ROOT / "systemd/deb" / script
    assert os.access(path, os.X_OK)
    shell = path.read_text().splitlines()[0].rpartition("/")[2].split()[-1]
    assert subprocess.run([shell, "-n", str(path)], capture_output=True, check=False).returncode == 0


def test_the_package_and_the_unit_agree_on_where_the_program_is():
    unit, build = (ROOT / "systemd/undertone.service").read_text(), (ROOT / "systemd/deb/build.sh").read_text()
    assert "ExecStart=/opt/undertone/current/bin/undertone run" in unit
    assert "s|/opt/undertone/current/bin/undertone|/usr/bin/undertone|" in build
