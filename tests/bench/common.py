"""The baseline that hobby projects ship: librosa features into a Keras MLP, whole file, then VADER on the transcript.

A worker (tests.bench.turns) in an environment of its own (librosa, tensorflow, nltk): CALL VADER_FOLDER
"""

import sys
from collections.abc import Callable

import keras
import librosa
import nltk
import numpy as np
from nltk.sentiment.vader import SentimentIntensityAnalyzer

from tests.bench.turns import serve


def features(pcm: np.ndarray, rate: int) -> np.ndarray:
    """Zero crossings, RMS and 20 MFCC, flattened: (n,)."""
    return np.hstack(
        [
            librosa.feature.zero_crossing_rate(pcm).ravel(),
            librosa.feature.rms(y=pcm).ravel(),
            librosa.feature.mfcc(y=pcm, sr=rate).ravel(),
        ]
    )


def load(call: str, vader: str) -> Callable[[], None]:
    """One 3 s clip: features, `predict`, and VADER on a sentence."""
    nltk.data.path.insert(0, vader)
    analyser = SentimentIntensityAnalyzer(lexicon_file="sentiment/vader_lexicon/vader_lexicon.txt")
    pcm, rate = librosa.load(call, sr=22_050, duration=3.0, offset=5.0)
    shape = features(pcm, rate).shape
    model = keras.Sequential([
        keras.layers.Input(shape), keras.layers.Dense(256, "relu"), keras.layers.Dense(128, "relu"), keras.layers.Dense(7, "softmax"),
    ])  # fmt: skip

    def once() -> None:
        model.predict(features(pcm, rate)[None], verbose=0)
        analyser.polarity_scores("i have been waiting for forty minutes and nobody called me back")

    return once


if __name__ == "__main__":
    serve(lambda: load(*sys.argv[1:]), times=5)
