"""A rollout to boxes that a scripted bus plays: in which order, how far, and what it makes of those that say nothing."""

from collections.abc import Callable

import msgspec
import pytest

from convert.fleet.fleet import Box
from convert.fleet.rollout import Parcel, Rollout, chosen, share_of
from convert.fleet.stage import Stage
from edge.values import ModelKind

PARCEL = Parcel(kind=ModelKind.VOICE, label="voice-2.0.0", version="2.0.0", sha256="ab" * 32, data=b"x" * 300_000, expires_at=None)
# A box's answer to the command at an offset: its action, or how many bytes it has.
Answer = Callable[[Box, int], str | int | None]


def boxes(count: int) -> list[Box]:
    return [Box(site="leeds", device=f"box-{n:04}", name=f"box-{n:04}", state="online") for n in range(count)]


def takes_it(_box: Box, offset: int) -> str | int:
    return 262_144 if offset == 0 else "kept"


class ScriptedBus:
    """Each look at the news takes a second and brings the answer to one command; `window` commands may be unanswered."""

    def __init__(self, answer: Answer, *, window: int = 20) -> None:
        self.now, self.connections, self.sent = 1000.0, 1, list[tuple[str, int]]()
        self._answer, self._window, self._waiting = answer, window, list[tuple[Box, int]]()

    @property
    def room(self) -> bool:
        return len(self._waiting) < self._window

    def send(self, box: Box, body: bytes) -> None:
        offset = msgspec.json.decode(body)["offset"]
        self.sent.append((box.device, offset))
        self._waiting.append((box, offset))

    def news(self, _wait_s: float) -> list[tuple[Box, dict[str, object]]]:
        self.now += 1.0
        if not self._waiting or (said := self._answer(*self._waiting[0])) is None:
            self._waiting = self._waiting[1:]
            return []
        box, _ = self._waiting.pop(0)
        action, figures = ("receiving", {"offset": float(said)}) if isinstance(said, int) else (said, {})
        return [(box, {"transfer": PARCEL.sha256, "action": action, "figures": figures, "reason": None})]


class Groups:
    """Remembers whose turn came."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []

    def begins(self, title: str, group) -> None:
        self.begun.append((title, len(group)))

    def news(self, box: Box) -> None:
        """Nobody watches."""

    def ends(self, title: str, group) -> None:
        """Nobody watches."""


def roll_out(bus: ScriptedBus, group: list[Box], canaries: int, **more) -> tuple[bool, Groups]:
    groups = Groups()
    rollout = Rollout(bus, PARCEL, group, groups, silent_s=60.0, clock=lambda: bus.now)
    return rollout.run(canaries, wait_s=100_000.0, **more), groups


def test_canaries_go_first_and_the_rest_follows_wave_by_wave():
    bus, all_ = ScriptedBus(takes_it), boxes(25)
    good, groups = roll_out(bus, all_, 2, wave=10)
    assert good
    assert groups.begun == [("canaries", 2), ("wave 1 of 3", 10), ("wave 2 of 3", 10), ("wave 3 of 3", 3)]
    assert len(bus.sent) == 50
    assert {box.stage for box in all_} == {Stage.KEPT}


@pytest.mark.parametrize("word", ["refused", "rolled_back"])
def test_a_canary_that_will_not_have_it_leaves_every_other_box_untouched(word):
    bus, all_ = ScriptedBus(lambda box, _: word if box.device == "box-0001" else "kept"), boxes(25)
    good, _ = roll_out(bus, all_, 2, wave=10)
    assert not good
    assert {device for device, _ in bus.sent} == {"box-0000", "box-0001"}
    assert {box.stage for box in all_[2:]} == {Stage.WAITING}


def test_a_wave_in_which_too_many_will_not_have_it_is_the_last_and_one_box_in_ten_stops_nothing():
    def bad(box: Box, _offset: int) -> str:
        return "refused" if box.device in refusing else "kept"

    refusing = {"box-0003"}
    _, groups = roll_out(ScriptedBus(bad), boxes(30), 0, wave=10)
    assert len(groups.begun) == 3
    refusing |= {"box-0004", "box-0005"}
    all_ = boxes(30)
    _, groups = roll_out(ScriptedBus(bad), all_, 0, wave=10)
    assert groups.begun == [("wave 1 of 3", 10)]
    assert {box.stage for box in all_[10:]} == {Stage.WAITING}


def test_a_box_whose_turn_comes_late_is_not_silent():
    bus, all_ = ScriptedBus(takes_it, window=1), boxes(100)
    good, _ = roll_out(bus, all_, 0)
    assert good
    assert bus.now > 1000.0 + 3 * 60.0


def test_a_box_that_was_asked_and_never_answers_is_silent_however_often_it_is_asked():
    bus, all_ = ScriptedBus(lambda box, _: None if box.device == "box-0000" else "kept"), boxes(3)
    good, _ = roll_out(bus, all_, 0)
    assert not good
    assert [box.stage for box in all_] == [Stage.SILENT, Stage.KEPT, Stage.KEPT]
    assert all_[0].again > 0
    assert bus.now < 1000.0 + 2 * 60.0


def test_after_the_connection_came_back_boxes_are_asked_again_for_what_they_said_meanwhile():
    def answer(_box: Box, _offset: int) -> str | None:
        if bus.connections == 1:
            # It has it, and its word goes to nobody.
            bus.connections = 2
            return None
        return "kept"

    bus = ScriptedBus(answer)
    good, _ = roll_out(bus, boxes(1), 1)
    assert good
    assert bus.sent == [("box-0000", 0), ("box-0000", 0)]


def test_canaries_are_of_every_site_and_devices_are_chosen_by_pattern():
    made = [
        Box(site=site, device=device, name=f"{site}/{device}")
        for site, device in [("york", "desk-1"), ("leeds", "desk-1"), ("leeds", "lab"), ("york", "desk-2"), ("leeds", "desk-2")]
    ]
    assert [box.name for box in chosen(made, ["desk-*"])] == ["leeds/desk-1", "york/desk-1", "leeds/desk-2", "york/desk-2"]


@pytest.mark.parametrize(("wanted", "count"), [("5%", 1), ("10%", 2), ("0", 0), ("3", 3), ("100", 20)])
def test_canaries_are_a_share_rounded_up_or_a_number(wanted, count):
    assert share_of(wanted, 20) == count
