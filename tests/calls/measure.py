"""What the segmenter makes of the scripted calls, against the truth: `python -m tests.calls.measure [NAME...]` prints the table."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from edge.segment.segmenter import Segmenter
from edge.signal.resample import frames
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Activity, CallClosed, CallOpened, ClosedBy, Role, SegmentEvent, ToneHeard, Utterance
from tests.calls.build import Recording, Spoken, build
from tests.calls.drawn import dialogue, waiting

SUITE = Path(__file__).with_name("suite.yaml")
# As edge.call.turns counts it: silence on all channels from 5 s on.
DEAD_AIR_S = 5.0
# One speaker's pieces with less than this between them are one stretch of speech: the hangover, and what TTS clips at ends.
_JOIN_S = 0.8
# How far apart two dead airs may begin and still be the same one.
_SAME_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One scripted call through the segmenter, compared with the truth. Errors in seconds, signed: late is positive."""

    name: str
    utterances: dict[str, int]
    tones: tuple[str, ...]
    calls: tuple[tuple[float, float, str], ...]
    calls_wanted: tuple[tuple[float, float, str], ...]
    call_errors: tuple[float, ...]
    turn_errors: tuple[float, ...]
    turns_missed: tuple[str, ...]
    turns_invented: int
    interruptions: tuple[int, int, int]
    dead_airs: tuple[int, int, int]
    segment_events: tuple[SegmentEvent, ...] = field(repr=False)


@cache
def suite() -> dict[str, Mapping[str, Any]]:
    """The scripts by name."""
    return {call["name"]: call for call in yaml.safe_load(SUITE.read_text(encoding="utf-8"))["calls"]}


def drawn() -> dict[str, Mapping[str, Any]]:
    """Dialogues that no hand has picked."""
    return {call["name"]: call for call in (dialogue(seed) for seed in range(1, 9))}


def idle_line(minutes: float) -> dict[str, int]:
    """What comes of `minutes` of music, tones and announcements alone: customer utterances in an open call, calls opened by them."""
    counts = {"utterances": 0, "calls": 0, "seconds": 0}
    for seed, plan in enumerate(("us", "uk", "eu"), start=1):
        recording = build(waiting(seed, minutes * 20, plan))
        counts["seconds"] += round(recording.seconds)
        # A busy or dial tone would close the open call: each is opened again at once.
        in_call, on_hook = Segmenter(roles=recording.roles, tone_plan=plan), Segmenter(roles=recording.roles, tone_plan=plan)
        for frame in frames(recording.blocks()):
            if not in_call.in_call:
                list(in_call.open_call())
            counts["utterances"] += sum(isinstance(event, Utterance) for event in in_call.feed(frame))
            counts["calls"] += sum(isinstance(event, CallOpened) for event in on_hook.feed(frame))
    return counts


def segment(
    recording: Recording, *, chunk_ms: int = 20, idle_s: float = 30.0, tones: str = "us", command: bool = False
) -> list[SegmentEvent]:
    """Everything that happens in `recording`; with `command`, the call is opened by one."""
    segmenter = Segmenter(roles=recording.roles, idle_s=idle_s, tone_plan=tones)
    segment_events = list(segmenter.open_call()) if command else []
    for frame in frames(recording.blocks(chunk_ms)):
        segment_events += segmenter.feed(frame)
    return [*segment_events, *segmenter.close_call(ClosedBy.END_OF_RECORDING)]


def find(script: Mapping[str, Any], *, chunk_ms: int = 20) -> Found:
    """Build the call, segment it, compare."""
    recording = build(script)
    segment_events = segment(recording, chunk_ms=chunk_ms, idle_s=script.get("idle_s", 30.0), tones=script.get("tones", "us"))
    heard = [event for event in segment_events if isinstance(event, Utterance)]
    mixed = recording.roles == (Role.MIXED,)
    calls = _calls(segment_events)
    wanted = _calls_wanted(script, recording)
    errors, missed, invented = _turn_errors(recording, heard, mixed=mixed)
    return Found(
        name=script["name"],
        utterances={role.value: sum(u.role is role for u in heard) for role in recording.roles},
        tones=tuple(sorted({h.name for h in segment_events if isinstance(h, ToneHeard)})),
        calls=calls,
        calls_wanted=wanted,
        call_errors=tuple(got - want for a, b in zip(calls, wanted, strict=False) for got, want in zip(a[:2], b[:2], strict=True)),
        turn_errors=errors,
        turns_missed=missed,
        turns_invented=invented,
        interruptions=_interruptions(recording, heard),
        dead_airs=_dead_airs(segment_events, recording, wanted),
        segment_events=tuple(segment_events),
    )


def f1(counts: Iterable[tuple[int, int, int]]) -> float:
    """F1 from (hits, misses, false alarms), summed; 1.0 where there was nothing to find and nothing was found."""
    hits, misses, false = np.sum(np.array(list(counts)), axis=0)
    return float(2 * hits / (2 * hits + misses + false)) if hits + misses + false else 1.0


def _calls(segment_events: Iterable[SegmentEvent]) -> tuple[tuple[float, float, str], ...]:
    starts = [h.start / SAMPLE_RATE for h in segment_events if isinstance(h, CallOpened)]
    ends = [h for h in segment_events if isinstance(h, CallClosed)]
    return tuple((start, closed.end / SAMPLE_RATE, closed.closed_by) for start, closed in zip(starts, ends, strict=True))


def _calls_wanted(script: Mapping[str, Any], recording: Recording) -> tuple[tuple[float, float, str], ...]:
    spoken = sorted(recording.spoken, key=lambda turn: turn.start)
    wanted = []
    for first, last, closed_by in script["expect"].get("calls", [[0, len(spoken) - 1, "end_of_recording"]]):
        start = spoken[first].start
        if last == "tone":
            end = next(sound.start for sound in recording.played if sound.start > start and ".ringback" not in sound.kind)
        else:
            # A recording that simply ends was a call to its end; a call that was left ends with its last words.
            end = recording.seconds if closed_by == "end_of_recording" else max(turn.end for turn in spoken[first : last + 1])
        wanted.append((start, end, closed_by))
    return tuple(wanted)


def _stretches(recording: Recording, *, mixed: bool) -> list[Spoken]:
    stretches: list[Spoken] = []
    for turn in sorted(recording.spoken, key=lambda turn: (mixed or turn.role, turn.start)):
        before = stretches[-1] if stretches else None
        if before and (mixed or before.role == turn.role) and turn.start - before.end < _JOIN_S:
            stretches[-1] = Spoken(role=before.role, start=before.start, end=max(before.end, turn.end), text=before.text)
        else:
            stretches.append(turn)
    return stretches


def _turn_errors(recording: Recording, heard: list[Utterance], *, mixed: bool) -> tuple[tuple[float, ...], tuple[str, ...], int]:
    errors, missed, used = [], [], set()
    for turn in _stretches(recording, mixed=mixed):
        own = [
            u
            for u in heard
            if (mixed or u.role.value == turn.role) and u.start < turn.end * SAMPLE_RATE and u.speech_end > turn.start * SAMPLE_RATE
        ]
        if not own:
            missed.append(turn.text)
            continue
        used.update(id(u) for u in own)
        onset = own[0].start + int(np.argmax(own[0].voiced)) * FRAME_SAMPLES
        errors += [onset / SAMPLE_RATE - turn.start, own[-1].speech_end / SAMPLE_RATE - turn.end]
    return tuple(errors), tuple(missed), len(heard) - len(used)


def _interruptions(recording: Recording, heard: list[Utterance]) -> tuple[int, int, int]:
    wanted = [turn for turn in recording.spoken if turn.interrupts]
    got = [u for u in heard if u.interrupted]
    hits = sum(any(u.role.value == turn.role and abs(u.start / SAMPLE_RATE - turn.start) < _SAME_S for u in got) for turn in wanted)
    return hits, len(wanted) - hits, len(got) - hits


def _dead_airs(
    segment_events: list[SegmentEvent], recording: Recording, calls: tuple[tuple[float, float, str], ...]
) -> tuple[int, int, int]:
    sounds = [(t.start, t.end) for t in (*recording.spoken, *recording.played)]
    wanted = []
    for first, last, _ in calls:
        reached = first
        for start, end in sorted(sound for sound in sounds if sound[1] > first and sound[0] < last):
            if start - reached >= DEAD_AIR_S:
                wanted.append(reached)
            reached = max(reached, end)
    got = [start for start in _silences(segment_events) if not any(low <= start + 1.0 <= high for low, high in _waits(recording))]
    # The wait for idle_s at the end of a call that was left is no dead air in the call.
    got = [start for start in got if any(first <= start < last - DEAD_AIR_S for first, last, _ in _calls(segment_events))]
    hits = sum(any(abs(start - want) < _SAME_S for start in got) for want in wanted)
    return hits, len(wanted) - hits, len(got) - hits


def _waits(recording: Recording) -> list[tuple[float, float]]:
    return [(sound.start, sound.end) for sound in recording.played if not sound.kind.startswith(("hum", "burst", "knock"))]


def _silences(segment_events: list[SegmentEvent]) -> list[float]:
    silences, since = [], None
    for activity in (h for h in segment_events if isinstance(h, Activity)):
        if any(activity.speaking):
            since = None
            continue
        since = activity.start if since is None else since
        if activity.start + FRAME_SAMPLES - since == DEAD_AIR_S * SAMPLE_RATE:
            silences.append(since / SAMPLE_RATE)
    return silences


def _main(names: list[str]) -> None:
    found = [find(script) for name, script in {**suite(), **drawn()}.items() if not names or name in names]
    print(f"{'call':38}{'utterances':26}{'worst call, turn error s':>26}  misses  closed by, tones")
    for call in found:
        worst = [f"{max(map(abs, errors)):.2f}" if errors else "-" for errors in (call.call_errors, call.turn_errors)]
        said = ", ".join(f"{role} {count}" for role, count in call.utterances.items())
        closed = ", ".join(closed for _, _, closed in call.calls)
        bad = f"{len(call.turns_missed)}+{call.turns_invented}" + ("" if len(call.calls) == len(call.calls_wanted) else " CALLS")
        print(f"{call.name:38}{said:26}{' '.join(worst):>26}  {bad:7} {closed} {' '.join(call.tones)}")
    for title, errors in (("call", [e for c in found for e in c.call_errors]), ("turn", [e for c in found for e in c.turn_errors])):
        middle, most = np.percentile(np.abs(errors), [50, 95])
        print(f"{title} boundary error: p50 {middle:.3f} s, p95 {most:.3f} s, n {len(errors)}")
    print(f"interruptions F1 {f1(c.interruptions for c in found):.3f} {np.sum([c.interruptions for c in found], axis=0)}")
    if not names:
        print(f"30 minutes of music, tones and announcements: {idle_line(30)}")
    print(f"dead air F1 {f1(c.dead_airs for c in found):.3f} {np.sum([c.dead_airs for c in found], axis=0)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.calls.measure", description=__doc__)
    parser.add_argument("calls", nargs="*", metavar="NAME", help="calls of tests/calls/suite.yaml, or drawn ones (default: all)")
    _main(parser.parse_args().calls)
