"""The issue's quick net, for comparison: log-mel at 8 kHz in plain numpy into a separable CNN of about 35,000 parameters, int8.

A worker (tests.bench.turns); argument: CALL. The net is not trained: its weights do not change what it costs.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from keras import layers

from convert.voice.network import to_int8
from edge.capture.wavfile import read_clip
from edge.signal.resample import resample
from tests.bench.turns import serve

_RATE, _WINDOW, _HOP, _BANDS, _SECONDS = 8000, 200, 80, 40, 3
_WIDTHS = (24, 48, 72, 100)


def features(pcm: np.ndarray) -> np.ndarray:
    """25 ms windows every 10 ms, 40 triangular mel bands, dB: the usual front end."""
    pieces = np.lib.stride_tricks.sliding_window_view(pcm.astype(np.float64), _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(pieces * np.hanning(_WINDOW), 256)) ** 2
    edges = 700 * np.expm1(np.linspace(0, 1127 * np.log1p(4000 / 700), _BANDS + 2) / 1127)
    hz = np.arange(129)[:, None] * _RATE / 256
    triangles = np.maximum(0, np.minimum((hz - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - hz) / (edges[2:] - edges[1:-1])))
    return (10 * np.log10(power @ triangles + 1e-6)).astype(np.float32)


def net(frames: int) -> keras.Model:
    """Four separable 3x3 blocks, each halving time and bands, and the mean over what is left."""
    x = sound = layers.Input((frames, _BANDS, 1))
    for width in _WIDTHS:
        x = layers.SeparableConv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.SeparableConv2D(width, 3, padding="same", strides=2, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model(sound, layers.Dense(7)(layers.GlobalAveragePooling2D()(x)))


def load(call: str) -> Callable[[], None]:
    """3 s of sound: features and inference."""
    pcm, rate = read_clip(Path(call))
    clip = resample(pcm, rate)[: _SECONDS * 16_000 : 2]
    found = features(clip)
    interpreter = Interpreter(model_content=to_int8(net(len(found)), found[None, ..., None] / 60), num_threads=1)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    scale, zero = given["quantization"]

    def once() -> None:
        window = np.clip(np.rint(features(clip)[None, ..., None] / 60 / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(given["index"], window)
        interpreter.invoke()

    return once


if __name__ == "__main__":
    serve(lambda: load(sys.argv[1]), times=50)
