"""Do words get lost where the endpointer cuts? Whole pipeline against bare Vosk, same calls: python -m tests.bench.wer SEED.

The call is drawn and spoken by synthesisers (tests/calls), in the telephone band, so that every word said is known. Both sides.
Prints words and errors as JSON.
"""

import json
import re
import sys
from collections.abc import Sequence

import numpy as np
import vosk

from edge.config import Config
from edge.segment.segmenter import Segmenter
from edge.signal.resample import frames
from edge.values import SpeechAudio, SpeechDropped, Utterance
from edge.words.recogniser import Engine
from edge.words.voskmodel import find_vosk
from tests.calls.build import Recording, build
from tests.calls.drawn import dialogue


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, deletions and insertions (Levenshtein, over words)."""
    row = list(range(len(heard) + 1))
    for n, word in enumerate(said, start=1):
        before, row[0] = row[0], n
        for m, other in enumerate(heard, start=1):
            before, row[m] = row[m], min(row[m] + 1, row[m - 1] + 1, before + (word != other))
    return row[-1]


def ours(recording: Recording, engine: Engine) -> list[list[str]]:
    """The words of each channel, in the order of time, through resampler, segmenter and recogniser."""
    channels = [engine.channel() for _ in recording.roles]
    heard: list[list[str]] = [[] for _ in recording.roles]
    segmenter = Segmenter(roles=recording.roles)
    happenings = [*segmenter.open_call()]
    for frame in frames(recording.blocks()):
        happenings += segmenter.feed(frame)
    for happening in [*happenings, *segmenter.close_call("end_of_recording")]:
        match happening:
            case SpeechAudio(channel=channel):
                channels[channel].accept(happening.start, happening.pcm)
            case SpeechDropped(channel=channel):
                channels[channel].drop()
            case Utterance(channel=channel):
                heard[channel] += [word.text for word in channels[channel].result()]
    return heard


def bare(recording: Recording, model: "vosk.Model") -> list[list[str]]:
    """The words of each channel, whole channels fed to a KaldiRecognizer."""
    pcm = np.concatenate([frame.pcm for frame in frames(recording.blocks())], axis=1)
    heard = []
    for channel in pcm:
        recogniser, text = vosk.KaldiRecognizer(model, 16_000), ""
        for start in range(0, len(channel), 4000):
            if recogniser.AcceptWaveform(channel[start : start + 4000].tobytes()):
                text += " " + json.loads(recogniser.Result())["text"]
        heard.append((text + " " + json.loads(recogniser.FinalResult())["text"]).split())
    return heard


def main() -> None:
    """Print errors and words."""
    vosk.SetLogLevel(-1)
    folder = find_vosk(Config())
    assert folder is not None, "no recogniser: run `undertone fetch-model`"
    engine, model = Engine(folder), vosk.Model(str(folder))
    recording = build(dialogue(int(sys.argv[1])))
    total = {"words": 0, "ours": 0, "bare": 0}
    for role, mine, theirs in zip(recording.roles, ours(recording, engine), bare(recording, model), strict=True):
        text = " ".join(turn.text for turn in recording.spoken if turn.role == role.value)
        said = re.sub(r"[^a-z' ]+", " ", text.lower()).split()
        total["words"] += len(said)
        total["ours"] += errors(said, mine)
        total["bare"] += errors(said, theirs)
    print(json.dumps(total))


if __name__ == "__main__":
    main()
