"""Do words get lost where the endpointer cuts? Whole pipeline against bare Vosk, same calls: python -m tests.bench.wer SEED.

The call is drawn and spoken by synthesisers (tests/calls), in the telephone band, so that every word said is known. Both sides.
Prints words and errors as JSON.
"""

import json
import re
import sys

import numpy as np
import vosk

from convert.asr.spoken import distance
from edge.asr.recogniser import Engine
from edge.asr.vosk_model import find_vosk
from edge.config import Config
from edge.segment.segmenter import Segmenter
from edge.signal.resample import frames
from edge.values import ClosedBy, SpeechAudio, SpeechDropped, Utterance
from tests.calls.build import Recording, build
from tests.calls.drawn import dialogue


def ours(recording: Recording, engine: Engine) -> list[list[str]]:
    """The words of each channel, in the order of time, through resampler, segmenter and recogniser."""
    channels = [engine.channel() for _ in recording.roles]
    heard: list[list[str]] = [[] for _ in recording.roles]
    segmenter = Segmenter(roles=recording.roles)
    segment_events = [*segmenter.open_call()]
    for frame in frames(recording.blocks()):
        segment_events += segmenter.feed(frame)
    for event in [*segment_events, *segmenter.close_call(ClosedBy.END_OF_RECORDING)]:
        match event:
            case SpeechAudio(channel=channel):
                channels[channel].accept(event.start, event.pcm)
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
        total["ours"] += distance(said, mine)
        total["bare"] += distance(said, theirs)
    print(json.dumps(total))


if __name__ == "__main__":
    main()
