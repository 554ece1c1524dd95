"""What `undertone status` says of a real service: from memory, and at once when it is gone."""

import json
import subprocess
import sys

from edge.files.memory import in_memory
from tests.real.service.test_app import QUIET_LINE, one_line, talks
from tests.service import Service


def shown(box: Service) -> tuple[int, dict]:
    command = [sys.executable, "-m", "edge", "status", "--json", "--config", str(box.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)


def test_status_is_found_in_memory_and_a_killed_service_does_not_run_a_moment_later(tmp_path):
    with Service(tmp_path, one_line("mqtt://127.0.0.1:9", talks(QUIET_LINE))) as box:
        place = (box.state_dir / "status.json").resolve()
        assert in_memory(place), "this machine has neither /run nor /dev/shm in memory"
        _, alive = shown(box)
        assert (alive["running"], alive["alive"]) == (True, True)
        box.process.kill()
        box.wait()
        code, gone = shown(box)
        assert (code, gone["running"], gone["alive"]) == (1, False, False)
        assert gone["age_s"] < 60
        box.start()
        box.until(lambda status: status["state"]["boot"] == gone["state"]["boot"] + 1)
        assert box.stop() == 0
        code, stopped = shown(box)
        assert (code, stopped["state"]["state"], stopped["running"]) == (1, "stopped", False)
        assert not (box.state_dir / "status.json").is_symlink()
        assert not place.exists()
