"""A rollout over a cluster and through a broker's death: ten boxes of ten sites, each with its own publisher, outbox, models and checks."""

import threading
import time
from contextlib import closing

import pytest

from convert.fleet.fleet import Fleet
from edge.config import MqttConfig
from edge.errors import BusError
from edge.values import ModelKind
from tests.bench.fleet.rollout import Boxes, roll_out
from tests.broker import Broker
from tests.nats import Nats, needs_nats
from tests.nets import SHIPPED, keys, tar, too_sure, voice

needs_voice = pytest.mark.skipif(not SHIPPED.is_dir(), reason="no voice model is shipped in this clone")


@needs_nats
@needs_voice
@pytest.mark.takes(28)
def test_over_a_cluster_a_bad_model_stops_at_the_canaries_and_a_good_one_comes_to_every_site(tmp_path):
    (tmp_path / "stranger").mkdir()
    foreign, _, _ = keys(tmp_path / "stranger")
    with Boxes(tmp_path, 10, 2, processes=1) as boxes:
        refused = roll_out(boxes, "foreign", tar(voice(tmp_path / "foreign", "9.0.0", foreign)), "--canary", "0", "--wave", "0")
        assert (refused.code, refused.stages, refused.untouched) == (1, {"refused": 10}, 0), refused.printed
        wrong = roll_out(boxes, "wrong", tar(voice(tmp_path / "wrong", "9.1.0", boxes.private, change=too_sure)), "--canary", "2")
        assert (wrong.code, wrong.stages, wrong.untouched) == (1, {"rolled_back": 2}, 8), wrong.printed
        good = roll_out(boxes, "good", tar(voice(tmp_path / "good", "9.2.0", boxes.private)), "--canary", "2", "--wave", "4")
        assert (good.code, good.stages) == (0, {"kept": 2, "probation": 8}), good.printed
        assert good.serving == {"voice-9.2.0": 10}


def test_a_broker_that_goes_away_is_come_back_to_and_its_boxes_are_heard_again(tmp_path):
    with Broker(tmp_path) as broker:
        fleet = Fleet(MqttConfig(url=broker.url), ["leeds"], ModelKind.VOICE, client_id="undertone-push-test")
        fleet.open()
        try:
            broker.kill()
            broker.start()
            until = time.monotonic() + 30
            while fleet.connections < 2 and time.monotonic() < until:
                fleet.news(0.2)
            assert fleet.connections == 2
        finally:
            fleet.close()


def who_may_hear(*topics: str) -> dict[str, object]:
    """Of NATS's configuration: the one user, and what it may subscribe to."""
    return {"authorization": {"users": [{"user": "technician", "password": "secret", "permissions": {"subscribe": list(topics)}}]}}


def fleet_of_the_technician(folder, broker: Nats) -> Fleet:
    secret = folder / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    config = MqttConfig(url=broker.url, username="technician", password_file=str(secret), protocol="3.1.1")
    return Fleet(config, ["leeds"], ModelKind.VOICE, client_id="undertone-push-test")


@needs_nats
def test_who_may_not_hear_boxes_is_told_so_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr("convert.fleet.fleet._GRANT_S", 2.0)
    with Nats(tmp_path, extra=who_may_hear("$MQTT.sub.>")) as broker:
        fleet = fleet_of_the_technician(tmp_path, broker)
        with closing(fleet), pytest.raises(BusError, match="let this user read info, state and model"):
            fleet.open()


@needs_nats
def test_who_is_refused_at_first_and_may_hear_boxes_soon_after_hears_them(tmp_path):
    with Nats(tmp_path, extra=who_may_hear("$MQTT.sub.>")) as broker:
        fleet = fleet_of_the_technician(tmp_path, broker)
        granting = threading.Timer(2.0, broker.reload, kwargs={"extra": who_may_hear("$MQTT.sub.>", "undertone.>")})
        granting.start()
        with closing(fleet):
            fleet.open()
        granting.join()
        assert fleet.connections == 1
        assert any("undertone" in line and "iolation" in line for line in broker.log), "it was granted at once"
