"""The scripted calls through the whole pipeline: `python -m tests.calls.alerts [NAME...]` prints what alerts and events come of them."""

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge.call.rules.rule_set import load_rules
from tests.calls.measure import suite
from tests.calls.told import Told, agents_judged, comparable, differences, invalid, nobodys, tell

# Compared in chunks of 7 and 200 ms, and the one that is also played in real time: alerts, two sides at once, two calls, a leak.
CHUNKED = ("regulator", "break_in_both_ways", "back_to_back_with_busy", "furious_agent_calm_customer")
REALTIME = "regulator"


@dataclass(slots=True, kw_only=True)
class Count:
    """Alerts of one rule: as expected, opened though nobody expected them, expected and not opened, allowed by `may`."""

    true: int = 0
    false: int = 0
    missed: int = 0
    allowed: int = 0

    @property
    def precision(self) -> float | None:
        """The share of alerts that were right; None where there was none to judge."""
        return self.true / (self.true + self.false) if self.true + self.false else None

    @property
    def recall(self) -> float | None:
        """The share of expected alerts that came; None where none was expected."""
        return self.true / (self.true + self.missed) if self.true + self.missed else None


def counts(all_told: Iterable[Told]) -> dict[str, Count]:
    """For each shipped rule, its alerts against what the suite expects. A second alert of a rule in a recording is a false one."""
    found = {rule.id: Count() for rule in load_rules(None).rules}
    for told in all_told:
        expect = suite()[told.name]["expect"]
        opened = told.opened
        for rule, count in found.items():
            wanted, may = rule in expect.get("alerts", ()), rule in expect.get("may", ())
            right = min(opened[rule], 1)
            count.true += right * wanted
            count.allowed += right * (may and not wanted)
            count.false += opened[rule] - right * (wanted or may)
            count.missed += wanted and not right
    return found


def calm(all_told: Iterable[Told]) -> tuple[int, float]:
    """Alerts opened in, and hours of, the recordings for which none is expected and none allowed."""
    quiet = [told for told in all_told if not any(suite()[told.name]["expect"].get(key) for key in ("alerts", "may"))]
    return sum(told.opened.total() for told in quiet), sum(told.recording.seconds for told in quiet) / 3600


def report(all_told: list[Told]) -> Iterator[str]:
    """The figures of the suite, line by line."""
    yield f"{'rule':28}{'true':>6}{'false':>6}{'missed':>7}{'allowed':>8}{'precision':>11}{'recall':>8}"
    for rule, count in counts(all_told).items():
        precision, recall = ("-" if share is None else f"{share:.2f}" for share in (count.precision, count.recall))
        yield f"{rule:28}{count.true:6}{count.false:6}{count.missed:7}{count.allowed:8}{precision:>11}{recall:>8}"
    alerts, hours = calm(all_told)
    yield f"calm: {alerts} alerts in {hours:.2f} h of recordings that expect none: {alerts / hours if hours else 0:.1f} an hour"
    yield f"readings of agents' utterances: {sum(map(agents_judged, all_told))} in {_of_role(all_told, 'agent')}"
    yield f"customer utterances where no customer speaks: {sum(map(nobodys, all_told))} in {_of_role(all_told, 'customer')}"
    wrong = [problem for told in all_told for problem in invalid(told)]
    yield f"events against their schemas: {len(wrong)} wrong in {sum(len(told.bodies) for told in all_told)}"
    yield from wrong[:10]
    apart = [difference for told in all_told for difference in differences(told)]
    yield f"verdicts recomputed from their JSON: {len(apart)}, largest difference {max(apart, default=0):.1e}"


def _of_role(all_told: Iterable[Told], role: str) -> int:
    return sum(data["role"] == role for told in all_told for data in told.data("call.utterance"))


def _line(told: Told) -> str:
    heard = Counter(data["role"] for data in told.data("call.utterance"))
    said = ", ".join(f"{role} {count}" for role, count in sorted(heard.items()))
    return f"{told.name:40}{said:28}{' '.join(told.opened) or '-'}"


def _main(names: list[str]) -> None:
    began, all_told = time.process_time(), []
    for name in names or suite():
        all_told.append(tell(name))
        print(_line(all_told[-1]), flush=True)
    print(*report(all_told), sep="\n", flush=True)
    by_name = {told.name: comparable(told) for told in all_told}
    for name in (name for name in CHUNKED if name in by_name):
        same = [comparable(tell(name, chunk_ms=chunk_ms)) == by_name[name] for chunk_ms in (7, 200)]
        print(f"{name}: events the same in chunks of 7 ms {same[0]}, of 200 ms {same[1]}", flush=True)
    if REALTIME in by_name:
        print(f"{REALTIME}: events the same in real time {comparable(tell(REALTIME, realtime=True)) == by_name[REALTIME]}")
    print(f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.calls.alerts", description=__doc__)
    parser.add_argument("calls", nargs="*", metavar="NAME", help="calls of tests/calls/suite.yaml (default: all)")
    _main(parser.parse_args().calls)
