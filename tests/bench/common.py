"""The baseline that hobby projects ship: librosa features into a Keras MLP, whole file, then VADER on the transcript.

Runs in an environment of its own (librosa, tensorflow, nltk): python common.py RUNS CALL VADER_FOLDER
"""

import json
import sys
import time

import keras
import librosa
import nltk
import numpy as np
from nltk.sentiment.vader import SentimentIntensityAnalyzer


def features(pcm: np.ndarray, rate: int) -> np.ndarray:
    """Zero crossings, RMS and 20 MFCC, flattened: (n,)."""
    return np.hstack(
        [
            librosa.feature.zero_crossing_rate(pcm).ravel(),
            librosa.feature.rms(y=pcm).ravel(),
            librosa.feature.mfcc(y=pcm, sr=rate).ravel(),
        ]
    )


def main() -> None:
    """Print CPU seconds for one 3 s clip, RUNS times, after a warm-up."""
    runs, call, vader = int(sys.argv[1]), sys.argv[2], sys.argv[3]
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

    once()
    cpu, wall = [], []
    for _ in range(runs):
        cpu0, wall0 = time.process_time(), time.perf_counter()
        once()
        cpu.append(time.process_time() - cpu0)
        wall.append(time.perf_counter() - wall0)
    print(json.dumps({"cpu_s": cpu, "wall_s": wall}))


if __name__ == "__main__":
    main()
