"""systemd/nats as shipped: who may write and hear what, as with mosquitto's access list."""

import time
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest

from tests.nats import needs_limits
from tests.nats_cluster import PASSWORD, NatsCluster
from tests.telling import until

pytestmark = needs_limits
BOXES = ["leeds/desk-014", "leeds/desk-015"]
PROGRAMS = ["recovery", "watch", "operator", "switchboard", "technician", "quality", "billing"]
EVENT, WORDS, ALERT = "undertone/v1/leeds/desk-014/call/line-1/started", "undertone/v1/leeds/desk-014/text/line-1", "alert/billing"
ALERT = f"undertone/v1/leeds/desk-014/{ALERT}"
COMMANDS = {
    "alert/ack": {"recovery", "operator", "billing"},
    "feedback/alert": {"recovery", "operator"},
    "call/line-1/context": {"recovery", "switchboard"},
    "call/line-1/end": {"switchboard"},
    "customer/erase": {"recovery"},
    "model/install": {"technician"},
}
HEARS = {
    EVENT: {"recovery", "watch", "quality"},
    WORDS: {"quality"},
    ALERT: {"recovery", "watch", "quality", "billing"},
    "undertone/v1/leeds/desk-014/reply": {"recovery", "watch", "operator", "switchboard", "technician", "quality"},
}


class Client:
    """One user, and the topics of what it was given."""

    def __init__(self, broker: NatsCluster, user: str) -> None:
        self.heard: list[str] = []
        self.answers: list[bool] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=user.replace("/", "-"), protocol=mqtt.MQTTv311)
        self._client.username_pw_set(user, PASSWORD)
        self._client.tls_set(str(broker.authority.ca))
        self._client.on_message = lambda _c, _d, message: self.heard.append(message.topic)
        self._client.on_subscribe = lambda _c, _d, _m, reasons, _p: self.answers.extend(not reason.is_failure for reason in reasons)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def subscribe(self, *filters: str) -> list[bool]:
        """Which of them the broker grants."""
        self.answers.clear()
        self._client.subscribe([(one, 1) for one in filters])
        until(lambda: len(self.answers) == len(filters))
        return list(self.answers)

    def publish(self, topic: str) -> None:
        """Until it is acknowledged: 3.1.1 acknowledges what it drops, too."""
        self._client.publish(topic, b"{}", qos=1).wait_for_publish(20)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        # A circle would leave its sockets to whatever order the collector takes.
        self._client.on_message = self._client.on_subscribe = None


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[NatsCluster]:
    with NatsCluster(tmp_path_factory.mktemp("nats"), [*BOXES, *PROGRAMS]) as running:
        yield running


@pytest.fixture(scope="module")
def users(broker) -> Iterator[dict[str, Client]]:
    made = {name: Client(broker, name) for name in [*BOXES, *PROGRAMS]}
    yield made
    for client in made.values():
        client.close()


def test_only_a_box_writes_events_and_only_its_own_and_each_program_hears_what_it_may(users):
    filters = {"billing": ["undertone/v1/+/+/alert/billing"], **{key: ["undertone/v1/#"] for key in ("recovery", "watch", "quality")}}
    for name in PROGRAMS:
        assert all(users[name].subscribe(*filters.get(name, ["undertone/v1/+/+/reply"])))
    for name in [*PROGRAMS, "leeds/desk-015"]:
        users[name].publish(EVENT)
    for topic in HEARS:
        users["leeds/desk-014"].publish(topic)
    for name in PROGRAMS:
        may = sorted(topic for topic, who in HEARS.items() if name in who)
        until(lambda name=name, may=may: len(users[name].heard) >= len(may))
    # Whatever else came would come now.
    time.sleep(0.5)
    for name in PROGRAMS:
        assert sorted(users[name].heard) == sorted(topic for topic, who in HEARS.items() if name in who), name


def test_a_program_gives_the_commands_that_are_its_own(users):
    box = users["leeds/desk-014"]
    assert box.subscribe("undertone-cmd/v1/leeds/desk-014/#") == [True]
    assert users["leeds/desk-015"].subscribe("undertone-cmd/v1/leeds/desk-014/#") == [False]
    for name in [*PROGRAMS, "leeds/desk-015"]:
        box.heard.clear()
        for command in COMMANDS:
            users[name].publish(f"undertone-cmd/v1/leeds/desk-014/{command}")
        may = sorted(f"undertone-cmd/v1/leeds/desk-014/{command}" for command, who in COMMANDS.items() if name in who)
        until(lambda may=may: len(box.heard) >= len(may))
        time.sleep(0.1)
        assert sorted(box.heard) == may, name


def test_nobody_subscribes_to_what_is_not_theirs(users):
    assert users["billing"].subscribe("undertone/v1/+/+/alert/sales") == [False]
    assert users["operator"].subscribe("undertone/v1/#") == [False]
    assert users["recovery"].subscribe("undertone/v1/+/+/text/#") == [False]
    # The doctor looks whether another box has this one's name.
    assert users["leeds/desk-014"].subscribe("undertone/v1/leeds/desk-014/state") == [True]
    assert users["leeds/desk-015"].subscribe("undertone/v1/leeds/desk-014/state") == [False]
