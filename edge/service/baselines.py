"""What the box's lines are used to, kept in its state directory from call to call, and what a technician is told of it."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from edge.call.baselines import Baselines
from edge.errors import Problem, StoreError
from edge.voice import baseline_file
from edge.voice.baseline import LineBaseline
from edge.voice.emotion import EmotionModel

_log = logging.getLogger("undertone.baselines")

DRIFT_REMEDY = "check level, noise and tap of the line; where its callers are others now, it gets used to them by itself"


class KeptBaselines:
    """The lines' baselines in `state_dir`: read once, written after each call. A file that does not fit is refused by name.

    Without a voice model there is nothing to keep. Methods may be called from any thread.
    """

    def __init__(self, state_dir: Path, emotion: EmotionModel | None) -> None:
        self._path = state_dir / baseline_file.FILE
        self._writing = threading.Lock()
        self.refused: StoreError | None = None
        self.baselines = Baselines(self._read(emotion), keep=self._keep)

    def problems(self, lines: Iterable[str]) -> Iterator[Problem]:
        """What is wrong with what the lines are used to."""
        if self.refused is not None:
            yield Problem(what=self.refused.problem.fault, remedy="the shipped prior is used until a call has been learnt")
        known = self.baselines.known()
        for name in lines:
            if name in known and (drifted := drift_of(known[name])) is not None:
                yield Problem(what=drifted, where=name, remedy=DRIFT_REMEDY)

    def _read(self, emotion: EmotionModel | None) -> dict[str, LineBaseline]:
        if emotion is None:
            return {}
        try:
            return baseline_file.read(self._path, model=emotion.label)
        except FileNotFoundError:
            return {}
        except StoreError as error:
            self.refused = error
            _log.warning("baseline.refused reason=%r", str(error))
            return {}

    def _keep(self, known: Mapping[str, LineBaseline]) -> None:
        try:
            # Two lines' calls may end together: the later file holds both.
            with self._writing:
                baseline_file.write(self._path, self.baselines.known() | dict(known))
        except OSError as error:
            # What a line is used to can be learnt again; a full disk is told of elsewhere.
            _log.warning("baseline.unwritten error=%s", error)
        else:
            self.refused = None


def drift_of(line: LineBaseline) -> str | None:
    """What to say of a line whose last calls sound other than it is used to; None where they do not."""
    if line.drift is None:
        return None
    return f"the voices of the last calls lie {line.drift:+.1f} nats from what this line is used to ({line.calls} calls)"
