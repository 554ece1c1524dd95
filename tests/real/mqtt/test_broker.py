"""The broker configuration as shipped: what each user may, and the bridge to a centre."""

import re
import subprocess
from queue import SimpleQueue

import pytest

from edge.config import MqttConfig
from edge.mqtt.incoming import Acknowledged, Message, Subscribed, Will
from edge.mqtt.link import Link
from tests.broker import Broker
from tests.paths import ROOT
from tests.telling import PATIENCE_S

SHIPPED = ROOT / "systemd" / "mosquitto"
BOXES = {"leeds/desk-1": "a", "leeds/desk-2": "b"}
# Everybody else whom the shipped ACL knows.
OTHER_USERS = re.findall(r"(?m)^user (\S+)$", (SHIPPED / "acl").read_text())
USERS = BOXES | {user: f"secret-{user}" for user in OTHER_USERS}
MINE, OTHERS = "undertone/v1/leeds/desk-1", "undertone/v1/leeds/desk-2"


def shipped(name: str, **replaced: str) -> str:
    """A shipped file as it is, but for addresses and folders."""
    text = (SHIPPED / name).read_text()
    for old, new in replaced.items():
        assert old in text, f"{name} no longer says {old}"
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """mosquitto with the lines of undertone.conf that do not name a place of the machine, and with the shipped ACL."""
    lines = [line for line in shipped("undertone.conf").splitlines() if not line.startswith(("#", "listener"))]
    ours = [
        line
        for line in lines
        if "/etc/" not in line and "/var/" not in line and not line.startswith(("allow_", "max_queued_messages", "persistence"))
    ]
    folder = tmp_path_factory.mktemp("broker")
    with Broker(folder, passwords=USERS, acl=shipped("acl"), tls=True, extra="\n".join(ours)) as running:
        yield running


class Client:
    def __init__(self, broker, user, **given):
        (broker.folder / "pw").write_text(USERS.get(user, "wrong"))
        self.inbox = SimpleQueue()
        config = MqttConfig(url=broker.url, username=user, password_file=str(broker.folder / "pw"), ca=str(broker.authority.ca))
        self.link = Link(config, client_id=given.pop("client_id", user), inbox=self.inbox, **given)
        self.link.open()

    def next(self, kind):
        while not isinstance(heard := self.inbox.get(timeout=PATIENCE_S), kind):
            pass
        return heard

    def alert(self):
        """The topic of the next alert; what else may be read is passed over."""
        while "/alert/" not in (topic := self.next(Message).topic):
            pass
        return topic

    def may_write(self, topic, *, retain=False):
        self.link.publish(topic, b"{}", retain=retain)
        return self.next(Acknowledged).refusal is None

    def may_read(self, topic):
        self.link.subscribe(topic)
        return self.next(Subscribed).refusal is None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.goodbye()
        self.link.close()


def test_a_box_writes_its_own_topics(broker):
    with Client(broker, "leeds/desk-1") as box:
        assert box.may_write(f"{MINE}/call/line-1/started")
        assert box.may_write(f"{MINE}/state", retain=True)


@pytest.mark.parametrize(
    "topic",
    [f"{OTHERS}/call/line-1/started", f"{OTHERS}/state", "undertone/v1/york/desk-1/state", "undertone-cmd/v1/leeds/desk-2/call/x/end"],
)
def test_a_box_writes_nobody_elses_topics(broker, topic):
    with Client(broker, "leeds/desk-1") as box:
        assert not box.may_write(topic, retain=topic.endswith("state"))


def test_a_box_hears_its_own_commands_and_nobody_elses(broker):
    with Client(broker, "leeds/desk-1") as box, Client(broker, "recovery") as team:
        assert box.may_read("undertone-cmd/v1/leeds/desk-1/#")
        # mosquitto 2.0 grants any subscription and then withholds what may not be read.
        box.may_read("undertone-cmd/v1/leeds/desk-2/#")
        box.may_read("undertone/v1/#")
        assert team.may_write("undertone-cmd/v1/leeds/desk-2/alert/ack")
        assert team.may_write("undertone-cmd/v1/leeds/desk-1/alert/ack")
        heard = [box.next(Message).topic]
        while heard[-1] != "undertone-cmd/v1/leeds/desk-1/alert/ack":
            heard.append(box.next(Message).topic)
        # Of its own events it may read two, for its doctor.
        assert set(heard[:-1]) <= {f"{MINE}/state", f"{MINE}/selftest"}


def test_a_box_cannot_take_over_anothers_session(broker):
    with Client(broker, "leeds/desk-2") as victim, Client(broker, "leeds/desk-1", client_id="leeds/desk-2"):
        assert victim.may_write(f"{OTHERS}/health")


def refused(broker, user, topic):
    """Whether the broker takes no message of `user` on `topic`, as mosquitto_pub is told."""
    command = ["mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", str(broker.port), "--cafile", str(broker.authority.ca), "--insecure",
               "-u", user, "-P", USERS[user], "-q", "1", "-t", topic, "-m", "{}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return "Not authorized" in done.stderr


@pytest.mark.parametrize("user", OTHER_USERS)
def test_only_a_box_writes_events(broker, user):
    # The bridge brings its site's events; every other name is nobody's site.
    sites = ("york", user) if user == "bridge-leeds" else (user, "leeds", "york")
    topics = [
        f"undertone/v1/{site}/desk-1/{topic}" for site in sites for topic in ("alert/billing", "call/line-1/started", "alerts", "state")
    ]
    assert [topic for topic in (*topics, f"undertone/v1/{user}/alert/alert/billing") if not refused(broker, user, topic)] == []


@pytest.mark.parametrize("user", OTHER_USERS)
def test_only_a_box_answers_on_response_topics(broker, user):
    readers = ("switchboard", user)
    sites = ("york", user) if user == "bridge-leeds" else ("leeds", user)
    topics = [
        f"undertone-reply/{reader}/{rest}" for reader in readers for rest in (*(f"{site}/desk-1/7" for site in sites), f"{user}/7", "7")
    ]
    assert [topic for topic in topics if not refused(broker, user, topic)] == []


def test_a_box_answers_in_its_own_name_only_and_whoever_asked_alone_hears_it(broker):
    for rest in ("switchboard/leeds/desk-2/7", "switchboard/7", "leeds/desk-1/7"):
        assert refused(broker, "leeds/desk-1", f"undertone-reply/{rest}")
    with Client(broker, "leeds/desk-1") as box, Client(broker, "switchboard") as asker, Client(broker, "recovery") as other:
        for reader in (asker, other):
            reader.may_read("undertone-reply/#")
            reader.may_read(f"{MINE}/reply")
        assert box.may_write("undertone-reply/switchboard/leeds/desk-1/7")
        assert box.may_write(f"{MINE}/reply")
        assert asker.next(Message).topic == "undertone-reply/switchboard/leeds/desk-1/7"
        assert other.next(Message).topic == f"{MINE}/reply"


def test_a_sub_team_and_who_answers_by_hand_may_answer_and_no_more(broker):
    mine = "undertone-cmd/v1/leeds/desk-1"
    assert not refused(broker, "billing", f"{mine}/alert/ack")
    assert not refused(broker, "operator", f"{mine}/alert/close")
    assert not refused(broker, "recovery", f"{mine}/call/line-1/context")
    assert not refused(broker, "recovery", f"{mine}/customer/erase")
    assert refused(broker, "operator", f"{mine}/customer/erase")
    assert refused(broker, "billing", f"{mine}/model/install")
    assert refused(broker, "watch", f"{mine}/alert/ack")
    assert refused(broker, "recovery", f"{mine}/call/line-1/end")


def test_a_sub_team_gets_its_alerts_only_and_words_go_to_who_may_read_them(broker):
    with (
        Client(broker, "leeds/desk-1") as box,
        Client(broker, "billing") as billing,
        Client(broker, "recovery") as team,
        Client(broker, "quality") as quality,
    ):
        for reader in (billing, team, quality):
            reader.may_read("undertone/v1/#")
        for topic in ("text/line-1", "alert/shipping", "alert/billing"):
            assert box.may_write(f"{MINE}/{topic}")
        assert billing.next(Message).topic == f"{MINE}/alert/billing"
        # Whatever is retained of other cases comes first.
        assert [team.alert() for _ in range(2)] == [f"{MINE}/alert/shipping", f"{MINE}/alert/billing"]
        heard = [quality.next(Message).topic]
        while heard[-1] != f"{MINE}/alert/billing":
            heard.append(quality.next(Message).topic)
        assert f"{MINE}/text/line-1" in heard


def test_the_will_is_said_when_a_box_dies_and_not_when_it_says_goodbye(broker):
    will = Will(topic=f"{MINE}/state", body=b'{"state": "lost"}')
    with Client(broker, "quality") as reader:
        with Client(broker, "leeds/desk-1", will=will) as box:
            assert box.may_write(f"{MINE}/state", retain=True)
        with Client(broker, "leeds/desk-1", will=will) as box:
            reader.may_read(f"{MINE}/state")
            assert reader.next(Message).payload == b"{}"
            box.link.close()
            assert reader.next(Message).payload == b'{"state": "lost"}'


def test_everything_of_a_site_crosses_the_shipped_bridge_and_commands_come_back(tmp_path, broker):
    port = broker.url.rpartition(":")[2]
    bridge = shipped(
        "bridge.conf",
        **{
            "central.example:8883": f"127.0.0.1:{port}",
            "/etc/mosquitto/undertone/central-ca.pem": str(broker.authority.ca),
            "CHANGE-ME": USERS["bridge-leeds"],
        },
    )
    with Broker(tmp_path, extra=bridge) as site, Client(broker, "quality") as centre, Client(broker, "recovery") as team:
        centre.may_read("undertone/v1/leeds/desk-9/#")
        inbox = SimpleQueue()
        box = Link(MqttConfig(url=site.url), client_id="box", inbox=inbox)
        box.open()
        box.subscribe("undertone-cmd/v1/leeds/desk-9/#")
        box.publish("undertone/v1/leeds/desk-9/alert/billing", b"{}")
        assert centre.next(Message).topic == "undertone/v1/leeds/desk-9/alert/billing"
        team.may_write("undertone-cmd/v1/leeds/desk-9/alert/ack")
        while not isinstance(heard := inbox.get(timeout=PATIENCE_S), Message):
            pass
        assert heard.topic == "undertone-cmd/v1/leeds/desk-9/alert/ack"
        box.close()
