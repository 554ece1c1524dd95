"""Keywords and redaction on speech: synthesised by flite, through G.711 at 8 kHz, heard by Vosk.

    python -m tests.words.measure [--voices rms,slt]

Prints a keyword's recall and false alarms an hour, and how many number words of spoken identifiers redaction leaves standing.
Needs flite and the Vosk model (`undertone fetch-model`); takes a few minutes. Not a test: the figures are in docs/words.md.
"""

import argparse
import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from edge.asr.recogniser import Engine
from edge.asr.vosk_model import find_vosk
from edge.capture.wavfile import read_clip
from edge.config import Config, KeywordConfig
from edge.phrases.keywords import KeywordSpotter
from edge.redaction.redact import redact
from edge.redaction.spoken_numbers import NUMBER_WORDS
from edge.signal.pcm import mulaw
from edge.signal.resample import resample
from edge.values import SAMPLE_RATE, Pcm, Word
from tests.unit.redaction.made_identifiers import account, card, phone, pin

KEYWORDS = (
    KeywordConfig(name="leaving", phrases=("close my account", "cancel my contract", "switch provider")),
    KeywordConfig(name="manager", phrases=("speak to a manager", "supervisor")),
    KeywordConfig(name="legal", phrases=("small claims court", "my lawyer", "make a complaint")),
    KeywordConfig(name="money", phrases=("i want my money back", "refund")),
)
CARRIERS = (
    "hello {} please",
    "i have been waiting for two weeks and now i am going to {} tomorrow",
    "listen {} that is all i want to say to you today",
    "well um {} because this is the third time",
    "my husband told me yesterday that {} is the only way",
)
SERVICE = Path(__file__).with_name("service-dev.yaml")


def speak(text: str, voice: str, folder: Path) -> Pcm:
    """`text` as 16 kHz int16 that has been through a telephone."""
    wav = folder / "said.wav"
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(wav)], check=True, capture_output=True)
    pcm, rate = read_clip(wav)
    wide = resample(pcm, rate)
    # 8 kHz by every second sample after the resampler's own band limit would alias: resample twice instead.
    return resample(mulaw(_at_8k(wide)), 8000)


def _at_8k(pcm: Pcm) -> Pcm:
    import soxr

    return soxr.resample(pcm, SAMPLE_RATE, 8000)


def hear(engine: Engine, pcm: Pcm) -> tuple[Word, ...]:
    channel = engine.channel()
    channel.accept(0, pcm)
    return channel.finish()


def phrases() -> Iterator[tuple[str, str]]:
    for keyword in KEYWORDS:
        for phrase in keyword.phrases:
            for carrier in CARRIERS:
                yield keyword.name, carrier.format(phrase)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", default="rms,slt,awb")
    voices = parser.parse_args().voices.split(",")
    model = find_vosk(Config())
    if model is None:
        raise SystemExit("no Vosk model: run `undertone fetch-model`")
    engine, spotter = Engine(model), KeywordSpotter(KEYWORDS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = exact = said = 0
        for keyword, text in phrases():
            for voice in voices:
                words = hear(engine, speak(text, voice, folder))
                heard = " ".join(word.text for word in words)
                said += 1
                found += any(s.keyword == keyword for s in spotter.spot(words))
                exact += any(phrase in heard for k in KEYWORDS if k.name == keyword for phrase in k.phrases)
        print(f"keywords: {said} said, recall {found / said:.3f} (exact match alone {exact / said:.3f})")

        alarms, seconds = 0, 0.0
        for row in yaml.safe_load(SERVICE.read_text(encoding="utf-8")):
            if any(phrase in row["text"] for keyword in KEYWORDS for phrase in keyword.phrases):
                continue
            pcm = speak(row["text"], voices[0], folder)
            seconds += len(pcm) / SAMPLE_RATE
            alarms += len(spotter.spot(hear(engine, pcm)))
        print(f"false alarms: {alarms} in {seconds / 60:.1f} minutes of other service calls, {alarms * 3600 / seconds:.1f} an hour")

        rng = random.Random(7)
        numbers = left = 0
        for kind in (card, account, phone, pin):
            for _ in range(15):
                heard = " ".join(word.text for word in hear(engine, speak(kind(rng), rng.choice(voices), folder)))
                shown = redact(heard).split()
                numbers += sum(word in NUMBER_WORDS for word in heard.split())
                left += sum(word in NUMBER_WORDS for word in shown)
        print(f"identifiers: {left} of {numbers} number words heard were left standing ({left / numbers:.4f})")


if __name__ == "__main__":
    main()
