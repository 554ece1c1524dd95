"""The doctor looks at the box itself: clock, disk, memory, rights."""

import os
import resource
import stat
import time
from pathlib import Path

from edge.clock import believable, now, time_synced
from edge.config import Config, absent_files
from edge.doctor import finding
from edge.doctor.finding import Finding, Outcome, failed, good, look, skipped
from edge.files.durable import how_to_write
from edge.service.resources import memory_available_mb, resources
from edge.service.status import read_running

# Beside the outbox: logs, a model to be installed, and room for the file system itself.
_SPARE_MB = 200
# Python and the models, and a recogniser for each channel whose words are wanted: 283 + 68 MB over a call of a minute; four lines with
# calls of up to ten minutes hold 600 to 680 MB (measured by `make bench` and `make soak`).
_BASE_MB, _RECOGNISER_MB = 300, 120
# An SD card that takes longer than this for one small write delays every event.
_SLOW_SYNC_S = 0.5


def clock() -> Finding:
    """Whether the wall clock can be believed: every event carries it."""
    says = now()
    if not believable():
        return failed(f"the clock says {says}", "set up time synchronisation: timedatectl set-ntp true")
    if not time_synced():
        remedy = "timedatectl set-ntp true; until then events say time_synced: false"
        return look(f"{says}, but nothing here says that it is synchronised", remedy)
    return good(f"{says}, synchronised")


def load() -> Finding:
    """Whether other programs leave the box to its work: where they do not, whatever is slow is so for that."""
    says = finding.load()
    if os.getloadavg()[0] > len(os.sched_getaffinity(0)):
        return look(
            f"{says}: other programs keep this box busy",
            "end those that are not Undertone's, and look again: what is slow or late below may be so for that alone",
        )
    return good(says)


def files(config: Config) -> Finding:
    """Whether each file that the configuration names is there: the service does not start without."""
    absent = list(absent_files(config))
    if absent:
        return failed("; ".join(error.problem.fault for error in absent), absent[0].problem.remedy or "give the path of the file")
    return good("every recording, key and secret that the configuration names is there")


def disk(config: Config) -> Finding:
    """Writes and fsyncs in the state directory, and measures the room that is left."""
    folder = Path(config.state_dir)
    probe = folder / f".doctor-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with probe.open("wb") as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
        took_s = time.monotonic() - began
        probe.unlink()
    except OSError as error:
        return failed(f"{folder}: {error.strerror}", how_to_write(error))
    free_mb = resources(folder).disk_free_mb
    says = f"{folder}: written and synced in {took_s * 1000:.0f} ms, {free_mb:.0f} MB free"
    needed_mb = config.outbox_max_mb + _SPARE_MB
    if free_mb < needed_mb:
        return failed(says, f"make room: outbox_max_mb is {config.outbox_max_mb}, so {needed_mb} MB are needed")
    if took_s > _SLOW_SYNC_S:
        return look(says, "the disk is slow or worn; use another SD card or an SSD")
    return good(says)


def memory(config: Config) -> Finding:
    """Whether what the lines need is there."""
    available_mb = memory_available_mb()
    needed_mb = _BASE_MB + _RECOGNISER_MB * max(1, sum(len(line.recognised) * line.most_calls for line in config.lines))
    says = f"{available_mb:.0f} MB available, about {needed_mb} MB needed"
    return good(says) if available_mb >= needed_mb else failed(says, "end other programs, configure fewer lines, or use a bigger box")


def permissions(config: Config) -> Finding:
    """Whether this user may use sound cards, and nobody else may read the secrets."""
    closed = [str(node) for node in Path("/dev/snd").glob("pcm*c") if not os.access(node, os.R_OK | os.W_OK)]
    if closed:
        return failed(f"may not use {closed[0]}", "put this user into the group audio: usermod -aG audio USER, then log in again")
    for key in ("password_file", "key"):
        name = getattr(config.mqtt, key)
        if name is None:
            continue
        path = Path(name)
        try:
            mode = path.stat().st_mode
            path.open("rb").close()
        except OSError as error:
            return failed(f"mqtt.{key}: {path}: {error.strerror}", "give the path of a file that this user can read")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            return look(f"mqtt.{key}: {path}: others may read it", f"chmod 600 {path}")
    if resource.getrlimit(resource.RLIMIT_CORE)[0] != 0 and os.environ.get("INVOCATION_ID"):
        return look("core dumps are on for the service: they would hold what was said", "LimitCORE=0 in the unit, as shipped")
    return good(f"user {os.getuid()} may use what it needs; secrets are its own" if config.mqtt.password_file else "may use what it needs")


def service(config: Config | None) -> Finding:
    """What a service that runs now says of itself; where none does, whether systemd knows it."""
    status = None if config is None else read_running(Path(config.state_dir))
    if status is not None and status.problems:
        wrong = "; ".join(one.fault for one in status.problems)
        remedy = next((one.remedy for one in status.problems if one.remedy), None)
        return Finding(outcome=Outcome.LOOK, says=f"runs, {status.state.state}: {wrong}", remedy=remedy)
    if status is not None:
        return good(f"runs, {status.state.state}, lines: {', '.join(f'{name} {how}' for name, how in status.state.lines.items())}")
    if not Path("/run/systemd/system").exists():
        return skipped("it does not run, and there is no systemd here")
    # As systemd/install.sh and as the Debian package put it.
    units = (Path(folder, "undertone.service") for folder in ("/etc/systemd/system", "/usr/lib/systemd/system"))
    unit = next((unit for unit in units if unit.exists()), None)
    if unit is None:
        return skipped("the unit is not installed (systemd/install.sh)")
    return look(f"{unit} is installed, and the service does not run with this configuration", "systemctl enable --now undertone")
