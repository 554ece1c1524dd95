"""The measured pieces of work, each a worker (tests.bench.turns): python -m tests.bench.work NAME [ARGUMENT...]."""

import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.bench.turns import serve


def replay(call: str, agent_words: str = "") -> Callable[[], Any]:
    """The whole way of a two-channel call at default settings; with `agent_words` both sides are recognised."""
    from edge.call.replay import replay as through
    from edge.config import Config, LineConfig, SourceConfig
    from edge.models.loading import load_engines
    from edge.values import Role

    config = Config()
    line = LineConfig(name="line-1", source=SourceConfig(file=call), channels=(Role.CUSTOMER, Role.AGENT), agent_words=bool(agent_words))
    engines = load_engines(config)
    return lambda: sum(1 for _ in through(Path(call), line=line, config=config, engines=engines))


def unhurried_replay(call: str) -> Callable[[], Any]:
    """`replay` under valgrind, where everything takes fifty times as long: no model is refused as too slow for this box."""
    from edge.bundle import golden

    golden.time = SimpleNamespace(thread_time=float)
    return replay(call)


def bare_vosk(call: str, channel: str = "0") -> Callable[[], Any]:
    """The baseline: a loop that feeds a whole channel of the same call to a KaldiRecognizer, 0.25 s at a time, as it comes."""
    import vosk

    from edge.asr.vosk_model import find_vosk
    from edge.config import Config

    vosk.SetLogLevel(-1)
    model = vosk.Model(str(find_vosk(Config())))
    return lambda: _decode(vosk.KaldiRecognizer(model, 16_000), _channel(call, int(channel)))


def tuned_vosk(call: str, channel: str = "0") -> Callable[[], Any]:
    """The same loop with what we set in Vosk: the narrower beam, no dither, kernels for this processor."""
    from edge.asr.recogniser import Engine
    from edge.asr.vosk_model import find_vosk
    from edge.config import Config

    engine = Engine(find_vosk(Config()))
    return lambda: _decode(engine.channel()._open._vosk, _channel(call, int(channel)))


def _decode(recogniser: Any, pcm: np.ndarray) -> None:
    recogniser.SetWords(True)  # noqa: FBT003 (vosk's signature)
    for start in range(0, len(pcm), 4000):
        if recogniser.AcceptWaveform(pcm[start : start + 4000].tobytes()):
            recogniser.Result()
    recogniser.FinalResult()


@cache
def _channel(call: str, channel: int) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate(list(_sixteen_kilohertz(call)))[:, channel])


def voice(call: str) -> Callable[[], Any]:
    """Our whole voice path on one 3 s clip: PCM to calibrated reading."""
    from edge.bundle.store import find_bundle
    from edge.config import Config
    from edge.segment.crosstalk import customer_utterance
    from edge.values import FRAME_SAMPLES, Role, Utterance
    from edge.voice.emotion import EmotionModel

    model = EmotionModel.load(find_bundle("voice", Config()))
    pcm = _loudest_three_seconds(call)
    utterance = Utterance(
        channel=0,
        role=Role.CUSTOMER,
        start=0,
        end=len(pcm),
        speech_end=len(pcm),
        pcm=pcm,
        voiced=np.ones(len(pcm) // FRAME_SAMPLES, bool),
        turn=0,
    )
    customer = customer_utterance(utterance)
    assert customer is not None
    return lambda: model.read(customer)


def words(_: str) -> Callable[[], Any]:
    """Our whole words path on 12 sentences of a service call."""
    from edge.bundle.store import find_bundle
    from edge.config import Config
    from edge.words.branch import WordsJudge

    judge = WordsJudge.configured(Config(), find_bundle("words", Config()))
    return lambda: [judge.judge_text(text) for text in _SENTENCES]


def vader(_: str) -> Callable[[], Any]:
    """NLTK's VADER on the same 12 sentences."""
    from edge.words.sentiment import Vader

    analyser = Vader()
    return lambda: [analyser.plain(text) for text in _SENTENCES]


def _sixteen_kilohertz(call: str) -> Iterator[np.ndarray]:
    from edge.capture import wavfile
    from edge.signal.resample import frames

    for frame in frames(wavfile.blocks(Path(call))):
        yield frame.pcm.T


def _loudest_three_seconds(call: str) -> np.ndarray:
    customer = np.concatenate(list(_sixteen_kilohertz(call)))[:, 0]
    starts = range(0, len(customer) - 48_000, 16_000)
    best = max(starts, key=lambda start: float(np.square(customer[start : start + 48_000].astype(float)).sum()))
    return np.ascontiguousarray(customer[best : best + 48_000])


_SENTENCES = (
    "i have been waiting for forty minutes and nobody called me back",
    "i'd like to close my account please",
    "hello i am calling about my last bill",
    "it says i was charged twice for the same month",
    "no that is not what your colleague told me yesterday",
    "this is the third time i am calling about this",
    "yes the postcode is the one on the letter",
    "okay thank you that is very kind of you",
    "the internet has been down since monday and i work from home",
    "can you put me through to a supervisor please",
    "well that is great another hour on hold",
    "right so the refund will be there on friday then",
)


# What takes milliseconds is done so often for one figure.
_TIMES = {"voice": 50, "words": 20, "vader": 20}

if __name__ == "__main__":
    serve(lambda: globals()[sys.argv[1]](*sys.argv[2:]), times=_TIMES.get(sys.argv[1], 1))
