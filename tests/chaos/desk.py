"""Kill the recovery desk at random instants between broker and commit, and count cases and answers."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.broker import Broker
from tests.chaos.table import Row, Scale
from tests.desk_process import DeskProcess, until
from tests.scripted_box import ScriptedBox

_CALLS_A_KILL = 4
_PATIENCE_S = 120.0


def section(folder: Path, scale: Scale) -> Iterator[Row]:
    """Rows of the fault table."""
    kills = scale.of(50, 2)
    with Broker(folder, persistent=True) as broker, DeskProcess(folder / "desk", broker.url) as desk:
        box = ScriptedBox(url=broker.url)
        chance, api = random.Random(scale.seed), desk.api()
        calls = [box.call(random.Random(n), customer_ref=f"K-{n}") for n in range(kills * _CALLS_A_KILL)]
        claimed: dict[int, str] = {}
        for kill in range(kills):
            teller = threading.Thread(target=_tell, args=(box, calls[kill * _CALLS_A_KILL : (kill + 1) * _CALLS_A_KILL]))
            teller.start()
            # Anywhere from before the first event of the group to after its last.
            time.sleep(chance.uniform(0.0, 0.4))
            for case in api.get("/api/cases", params={"state": "open", "limit": 3}).json()["cases"]:
                answer = api.post(f"/api/cases/{case['id']}/claim", json={})
                if answer.status_code == 200:
                    claimed[case["id"]] = case["call"]
            desk.kill()
            teller.join()
            desk.start()
        began = time.monotonic()
        expected = sorted(call[0]["data"]["call"] for call in calls)
        until(lambda: len(_cases(api)) >= len(expected), _PATIENCE_S * scale.slack)
        well = time.monotonic() - began
        found = _cases(api)
        until(
            lambda: len({body["alert"] for topic, body in box.commands if topic == "alert/ack"}) >= len(claimed), _PATIENCE_S * scale.slack
        )
        lost, doubled = len(set(expected) - {case["call"] for case in found}), len(found) - len({case["call"] for case in found})
        forgotten = [case for case in found if case["id"] in claimed and case["owner"] != "program"]
        box.close()
    yield Row(
        fault="the desk is killed",
        done=f"{kills} times by kill -9 while {len(calls)} calls were told and {len(claimed)} cases claimed",
        result=f"{len(found)} cases of {len(expected)} calls: {lost} lost, {doubled} doubled; {len(forgotten)} claims forgotten",
        good=not (lost or doubled or forgotten),
        well_again_s=well,
    )


def _tell(box: ScriptedBox, calls: list[list[dict[str, object]]]) -> None:
    for call in calls:
        box.tell(*call)


def _cases(api: httpx.Client) -> list[dict[str, object]]:
    return api.get("/api/cases", params={"limit": 500}).json()["cases"]
