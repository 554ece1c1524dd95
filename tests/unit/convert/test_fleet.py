"""How the connection to the boxes begins, at a broker that is played: refusals that pass, and those that do not."""

import itertools

import pytest

from convert.fleet import fleet as module
from convert.fleet.fleet import Fleet
from edge.config import MqttConfig
from edge.errors import BusError
from edge.mqtt.incoming import Lost, Reason, Subscribed
from edge.mqtt.limits import Limits
from edge.values import ModelKind

UNSPECIFIED, NOT_AUTHORIZED = Reason(code=0x80, name="Unspecified error"), Reason(code=0x87, name="Not authorized")


class Played:
    """A clock that waits move on, and links that hear `answers`, one after the other; of the last one there is no end."""

    def __init__(self, monkeypatch, *answers) -> None:
        self.now, self.opened = 1000.0, 0
        self._answers = itertools.chain(answers, itertools.repeat(answers[-1]))
        monkeypatch.setattr(module, "Link", self._link)
        monkeypatch.setattr(module.random, "uniform", lambda _least, most: most)
        monkeypatch.setattr(module, "time", self)

    def monotonic(self) -> float:
        self.now += 0.1
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def _link(self, _config, *, inbox, **_more):
        self.opened += 1
        inbox.put(next(self._answers))
        return PlayedLink()


class PlayedLink:
    """Takes all."""

    def open(self) -> Limits:
        return Limits()

    def subscribe(self, *filters: str) -> None:
        """The answer is there already."""

    def close(self) -> None:
        """It is no more."""


def fleet() -> Fleet:
    return Fleet(MqttConfig(url="mqtt://broker.example"), ["leeds"], ModelKind.VOICE, client_id="undertone-push-test")


def hear_it_out(boxes: Fleet) -> None:
    for _ in range(10_000):
        boxes.news(0.0)


@pytest.mark.parametrize("first", [Subscribed(refusal=UNSPECIFIED), Lost(reason=None)], ids=["refused", "lost"])
def test_a_cluster_that_refuses_at_first_is_asked_again(monkeypatch, first):
    played, boxes = Played(monkeypatch, first, first, first, Subscribed(refusal=None)), fleet()
    boxes.open()
    assert (played.opened, boxes.connections) == (4, 1)


def test_a_broker_that_refuses_for_a_minute_has_an_access_list_that_says_so(monkeypatch):
    played = Played(monkeypatch, Subscribed(refusal=UNSPECIFIED))
    with pytest.raises(BusError, match="let this user read info, state and model"):
        fleet().open()
    assert 1060.0 < played.now < 1080.0
    assert played.opened > 5


def test_a_broker_that_says_not_authorized_is_asked_once(monkeypatch):
    played = Played(monkeypatch, Subscribed(refusal=NOT_AUTHORIZED))
    with pytest.raises(BusError, match=r"Not authorized.*let this user read info, state and model"):
        fleet().open()
    assert played.opened == 1


def test_a_broker_that_takes_connections_and_drops_each_is_given_up(monkeypatch):
    played = Played(monkeypatch, Lost(reason=None, fault="closed"))
    with pytest.raises(BusError, match="closed"):
        fleet().open()
    assert played.now < 1080.0


def test_one_that_was_granted_before_may_be_refused_for_ten_minutes_and_no_longer(monkeypatch):
    played, boxes = Played(monkeypatch, Subscribed(refusal=None), Lost(reason=None), Subscribed(refusal=NOT_AUTHORIZED)), fleet()
    boxes.open()
    boxes._come_back(BusError("lost", where="broker", remedy="none"))
    began = played.now
    with pytest.raises(BusError, match="let this user read"):
        hear_it_out(boxes)
    assert 590.0 < played.now - began < 620.0
