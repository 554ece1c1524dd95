"""Nets that TensorFlow makes: Keras nets as a technician would have them, TFLite nets that a box refuses, the layers of a sentence net.

Made once for all workers, in a process of its own.

TensorFlow takes 7 s to load, is loud, and stays in memory.
"""

import fcntl
import subprocess
import sys
from pathlib import Path

import numpy as np

from convert.words.net_tables import Net, all_tables, quantise_net
from tests.paths import PATIENT, ROOT

DONE = "done"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def made_in(folder: Path) -> Path:
    """The folder with the nets, made by whoever asks first: softmax.keras, bands.keras, {float,ponderous,sentence}.tflite."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / DONE).exists():
            subprocess.run(
                [*PATIENT, sys.executable, "-m", "tests.keras_nets", folder], cwd=ROOT, check=True, capture_output=True, text=True
            )
    return folder


def chance_net() -> Net:
    """A sentence net of chance, quantised: the same one each time, whose layers are in sentence.tflite."""
    chance = np.random.default_rng(1)
    weights = {}
    for name, (shape, _) in all_tables(len(PIECES)).items():
        if not name.endswith("_scale"):
            weights[name] = chance.normal(0, 0.05, shape).astype(np.float32)
            if name.endswith("norm"):
                weights[name][0] += 1.0
    return quantise_net(weights, PIECES)


def _make(folder: Path) -> None:
    import keras
    import tensorflow as tf
    from keras import layers

    from convert.voice.network import to_int8
    from convert.words.network import exported
    from tests.nets import SHAPE

    def save(name: str, bands: int, outputs: int, activation: str | None) -> None:
        keras.utils.set_random_seed(1)
        first = layers.Conv2D(4, 5, strides=5, activation="relu")
        last = layers.Dense(outputs, activation=activation)
        keras.Sequential([layers.Input((SHAPE[0], bands, 1)), first, layers.Flatten(), last]).save(folder / f"{name}.keras")

    save("softmax", SHAPE[1], 7, "softmax")
    save("bands", 64, 7, None)
    net = keras.Sequential([layers.Input(SHAPE), layers.Flatten(), layers.Dense(7)])
    (folder / "float.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(net).convert())
    # An int8 net with our input and labels that is too slow for any box: no interpreter is quick at filters that are so wide.
    window = layers.Input(SHAPE)
    wide = layers.DepthwiseConv2D(31, padding="same", activation="relu")(layers.Conv2D(64, 3, padding="same")(window))
    sample = np.random.default_rng(1).uniform(-1, 1, (1, *SHAPE)).astype(np.float32)
    small = to_int8(keras.Model(window, layers.Dense(7)(layers.GlobalAveragePooling2D()(wide))), sample)
    (folder / "ponderous.tflite").write_bytes(small)
    (folder / "sentence.tflite").write_bytes(exported(chance_net()))


if __name__ == "__main__":
    _make(Path(sys.argv[1]))
    (Path(sys.argv[1]) / DONE).touch()
