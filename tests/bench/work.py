"""One measured piece of work in a process of its own: loads first, then does it N times, and prints CPU seconds as JSON.

python -m tests.bench.work NAME RUNS [ARGUMENT...]
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def replay(call: str, mode: str = "both", agent_words: str = "") -> Callable[[], Any]:
    """The whole way of a two-channel call at default settings; with `agent_words` both sides are recognised."""
    import msgspec

    from edge.config import Config, LineConfig, SourceConfig
    from edge.engines import load_engines
    from edge.replay import replay as through
    from edge.values import Mode, Role

    config = msgspec.structs.replace(Config(), mode=Mode(mode))
    line = LineConfig(name="line-1", source=SourceConfig(file=call), channels=(Role.CUSTOMER, Role.AGENT), agent_words=bool(agent_words))
    engines = load_engines(config)
    return lambda: sum(1 for _ in through(Path(call), line=line, config=config, engines=engines))


def bare_vosk(call: str, channels: str = "1") -> Callable[[], Any]:
    """The baseline: a loop that feeds whole channels of the same call to a KaldiRecognizer, 0.25 s at a time."""
    import vosk

    from edge.config import Config
    from edge.words.voskmodel import find_vosk

    vosk.SetLogLevel(-1)
    model = vosk.Model(str(find_vosk(Config())))
    pcm = np.concatenate(list(_sixteen_kilohertz(call)))

    def work() -> None:
        for channel in range(int(channels)):
            recogniser = vosk.KaldiRecognizer(model, 16_000)
            recogniser.SetWords(True)  # noqa: FBT003 (vosk's signature)
            for start in range(0, len(pcm), 4000):
                recogniser.AcceptWaveform(pcm[start : start + 4000, channel].tobytes())
            recogniser.FinalResult()

    return work


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
    return lambda: [model.read(customer) for _ in range(50)]


def words(_: str) -> Callable[[], Any]:
    """Our whole words path on 12 sentences of a service call."""
    from edge.config import Config
    from edge.engines import load_judge

    judge = load_judge(Config())
    return lambda: [judge.judge_text(text) for text in _SENTENCES * 20]


def vader(_: str) -> Callable[[], Any]:
    """NLTK's VADER on the same 12 sentences."""
    from edge.words.sentiment import Vader

    analyser = Vader()
    return lambda: [analyser.plain(text) for text in _SENTENCES * 20]


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


def main() -> None:
    """Load, run N times, print."""
    name, runs, *arguments = sys.argv[1:]
    begun = time.process_time()
    work = globals()[name](*arguments)
    load_s = time.process_time() - begun
    loaded_mb = _memory_mb()
    work()  # warm
    cpu, wall = [], []
    for _ in range(int(runs)):
        cpu0, wall0 = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - cpu0)
        wall.append(time.perf_counter() - wall0)
    print(json.dumps({"cpu_s": cpu, "wall_s": wall, "load_s": load_s, "loaded_mb": loaded_mb, "peak_mb": _memory_mb()}))


if __name__ == "__main__":
    main()
