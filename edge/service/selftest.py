"""Known sound through the real path, at start and on demand: a box that cannot judge says so before a customer notices.

voice        the serving bundle gives the answers that it gave where it was packed (golden vectors: made-up PCM to scores)
recogniser   decodes a made-up voice
words        a plain complaint is negative, plain thanks are positive
path         a made-up dialogue becomes one call: started, the customer judged, the agent never, summary
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from edge.bundle.store import require_bundle
from edge.call.baselines import Baselines
from edge.call.engines import Engines
from edge.call.line import Line
from edge.call.rules.alert_history import AlertHistory
from edge.config import Config, LineConfig, SourceConfig
from edge.errors import ModelError, UndertoneError, one_line
from edge.models.install import prove_folder
from edge.segment.synthetic import dialogue, speech
from edge.values import FRAME_SAMPLES, Absent, ClosedBy, Frame, Mode, ModelKind, Role
from edge.wire.codes import CheckOutcome
from edge.wire.commands import CallStart
from edge.wire.device import CheckData, SelfTest
from edge.wire.events import Event, Started, Summary, UtteranceHeard

_log = logging.getLogger("undertone.selftest")

_COMPLAINT = "this is the third time i call about the same bill and nobody helps me i am really angry"
_THANKS = "thank you so much that was wonderful and very kind of you"
# Two turns of the customer and one of the agent.
_DIALOGUE_S = 12.0
_GOOD = CheckData(outcome=CheckOutcome.GOOD)


def self_test(engines: Engines, config: Config) -> SelfTest:
    """Run every check with the models in service. Takes seconds; call it where nothing waits.

    `passed` where no check failed.
    """
    # Nothing that a made-up customer does counts: not for a model on probation, not for the alert budget, not for what a line is used to.
    engines = replace(engines, trials={}, alert_history=AlertHistory(), baselines=Baselines())
    every: dict[str, Callable[[Engines, Config], CheckData]] = {"voice": _voice, "recogniser": _recogniser, "words": _words, "path": _path}
    checks = {name: _run(check, engines, config) for name, check in every.items()}
    passed = not any(check.outcome is CheckOutcome.FAILED for check in checks.values())
    outcomes = " ".join(f"{name}={check.outcome} {name}_says={check.says!r}" for name, check in checks.items())
    _log.log(logging.INFO if passed else logging.ERROR, "selftest.%s %s", "passed" if passed else "failed", outcomes)
    return SelfTest(passed=passed, checks=checks)


class SelfTester:
    """Tests in a thread of its own, beside the calls. `tell` gets each result, in that thread."""

    def __init__(self, engines: Callable[[], Engines], config: Config, *, report: Callable[[SelfTest], None]) -> None:
        self._engines, self._config, self._report = engines, config, report
        self._asked = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="selftest", daemon=True)

    def start(self) -> None:
        """Begin, with a first test."""
        self.ask()
        self._thread.start()

    def ask(self) -> None:
        """Test now, or once more after the test that is running. For any thread."""
        self._asked.set()

    def stop(self, patience_s: float = 1.0) -> None:
        """Tell nothing any more; returns when the test is over, or patience is."""
        self._stopping = True
        self._asked.set()
        self._thread.join(patience_s)

    def _serve(self) -> None:
        while self._asked.wait() and not self._stopping:
            self._asked.clear()
            found = self_test(self._engines(), self._config)
            if not self._stopping:
                self._report(found)


def _run(check: Callable[[Engines, Config], CheckData], engines: Engines, config: Config) -> CheckData:
    try:
        return check(engines, config)
    except UndertoneError as error:
        return CheckData(outcome=CheckOutcome.FAILED, says=error.problem.fault, remedy=error.problem.remedy)
    except (ValueError, RuntimeError, OSError) as error:
        # Whatever a model library says when it cannot: this is the place to find it out.
        return CheckData(outcome=CheckOutcome.FAILED, says=one_line(str(error)))


def _skipped(why: str, remedy: str | None = None) -> CheckData:
    return CheckData(outcome=CheckOutcome.SKIPPED, says=why, remedy=remedy)


def _voice(engines: Engines, config: Config) -> CheckData:
    if engines.emotion is None:
        return _skipped("no voice in this mode")
    prove_folder(require_bundle(ModelKind.VOICE, config), config)
    return _GOOD


def _recogniser(engines: Engines, _config: Config) -> CheckData:
    if engines.recogniser is None:
        missing = engines.missing.get("words")
        return _skipped("no words in this mode") if missing is None else _skipped(missing.fault, missing.remedy)
    channel = engines.recogniser.channel()
    channel.accept(0, speech(2.0))
    channel.result()
    channel.finish()
    return _GOOD


def _words(engines: Engines, config: Config) -> CheckData:
    if config.mode is Mode.VOICE:
        return _skipped("no words in this mode")
    for text, sign in ((_COMPLAINT, -1), (_THANKS, 1)):
        reading = engines.judge.judge_text(text)
        if isinstance(reading, Absent):
            raise ModelError(f"nothing to say of a plain sentence ({reading.reason})")
        if sign * (reading.p_positive - reading.p_negative) <= 0:
            raise ModelError(f"a plain {'complaint' if sign < 0 else 'thank-you'} is judged {reading.p_positive - reading.p_negative:+.2f}")
    return _GOOD


def _path(engines: Engines, config: Config) -> CheckData:
    line = LineConfig(name="selftest", source=SourceConfig(device="none"), channels=(Role.CUSTOMER, Role.AGENT))
    call_line = Line(line=line, serving=lambda: (engines, config))
    events = [*call_line.handle_command(CallStart(line=line.name)).events, *_play(call_line), *call_line.end(ClosedBy.COMMAND)]
    utterances = [event.data for event in events if isinstance(event.data, UtteranceHeard)]
    customers = [one for one in utterances if one.role == "customer"]
    if not any(isinstance(event.data, Started) for event in events) or not any(isinstance(event.data, Summary) for event in events):
        raise ModelError("a made-up call has no beginning or no end")
    if not customers:
        raise ModelError("a made-up customer was not heard")
    if engines.emotion is not None and all(one.voice is None for one in customers):
        raise ModelError(f"a made-up customer's voice was not judged ({customers[0].voice_reason})")
    if any(one.voice is not None for one in utterances if one.role != "customer"):
        raise ModelError("an agent's voice was judged")
    return _GOOD


def _play(call_line: Line) -> Iterator[Event]:
    sound = dialogue(_DIALOGUE_S, 2)
    for start in range(0, sound.shape[1] - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        yield from call_line.process_frame(Frame(start=start, pcm=np.ascontiguousarray(sound[:, start : start + FRAME_SAMPLES])))
