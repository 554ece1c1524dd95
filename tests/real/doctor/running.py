"""What a service that runs leaves for the doctor to read."""

import json
from pathlib import Path

import msgspec

from tests.unit.wire.test_schema import EVERYTHING


def service_says(config, problems=(), **changes) -> Path:
    """As a service that runs now would write it."""
    state = {"state": "online", "boot": 1, "since": None, "reasons": [], "lines": {"line-1": "up"}} | changes
    health = next(msgspec.to_builtins(event.data) for event in EVERYTHING if event.data.kind == "device.health")
    Path(config.state_dir).mkdir(exist_ok=True)
    status = Path(config.state_dir) / "status.json"
    status.write_text(
        json.dumps({"state": state, "problems": problems, "health": health, "connected": True, "bus_problem": None, "written_at": "now"})
    )
    return status
