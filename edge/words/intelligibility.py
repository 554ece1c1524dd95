"""Whether what a caller says is understood: by the recogniser's own doubt, how likely its words are, and how fast they come.

A recogniser writes its own language whatever it hears. Of French, laughter or a bad line it makes many short words that it doubts and that
nobody says on a service call. An utterance of n words says

    log_odds = sqrt(min(n, 16)) * (bias + weights . (confidence, surprise, rate within 3 and 7))

and counts where `before + log_odds >= 0`; `before` is what the call has said so far, so that a "yes" is believed of a caller who was
understood. It fades, and it is bounded, for telephones are handed on. docs/verdict.md does the arithmetic again.
"""

import math
from collections.abc import Sequence
from statistics import fmean

from edge.values import SAMPLE_RATE, Intelligibility, Utterance, Word
from edge.words.surprise import service_calls

# Fitted by logistic regression on English calls against six other languages (docs/words-experiments.md). The spread of confidences added
# nothing.
BIAS = -2.846
CONFIDENCE, SURPRISE, RATE = 5.774, -0.091, -0.286
# Slower is the speaker's own pace, and no sign of anything; faster speaks nobody, it is a clock that was cut.
SLOWEST, FASTEST = 3.0, 7.0
# Words of one utterance share its noise and its speaker: their evidence grows with the root of their number, and not for ever.
MOST_WORDS = 16
# Most calls are understood: so much is known before the first word.
BEGINNING = 2.0
# Ten utterances leave a third; and six nats either way are turned round by two or three plain utterances.
KEPT, BOUND = 0.9, 6.0
# Finer than any use: what the event carries is what was reckoned with.
_DECIMALS = 4
# Shorter voice makes a rate of anything.
_LEAST_VOICED_S = 0.3


class CallIntelligibility:
    """Follows the customer of one call. Owned by one thread."""

    def __init__(self) -> None:
        self._before = BEGINNING

    def judge(self, words: Sequence[Word], utterance: Utterance) -> Intelligibility | None:
        """Whether the `words` heard in `utterance` were understood, by what is known now; None where there are none."""
        if not words:
            return None
        confidence = round(fmean(word.confidence for word in words), _DECIMALS)
        surprise = round(service_calls().surprise([word.text for word in words]), _DECIMALS)
        rate = round(len(words) / max(_LEAST_VOICED_S, utterance.voiced_samples / SAMPLE_RATE), _DECIMALS)
        each = BIAS + CONFIDENCE * confidence + SURPRISE * surprise + RATE * min(FASTEST, max(SLOWEST, rate))
        log_odds = round(math.sqrt(min(len(words), MOST_WORDS)) * each, _DECIMALS)
        found = Intelligibility(
            words=len(words), confidence=confidence, surprise=surprise, rate=rate, log_odds=log_odds, before=self._before,
            understood=self._before + log_odds >= 0,
        )  # fmt: skip
        self._before = round(max(-BOUND, min(BOUND, KEPT * (self._before + log_odds))), _DECIMALS)
        return found
