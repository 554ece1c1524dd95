"""The layers of the sentence net: what training leaves, through TensorFlow's converter, in LiteRT, against the transformer on paper."""

import math
import threading

import numpy as np
import pytest

from edge.errors import ModelError
from edge.tflite.interpreter import SequenceNet
from edge.words.net import MOST_PIECES, WIDTH
from tests.keras_nets import chance_net
from tests.nets import NET, TENSORFLOW

pytestmark = pytest.mark.skipif(not TENSORFLOW, reason="tensorflow is not installed (`make setup`)")


@pytest.fixture(scope="module")
def net():
    return chance_net()


@pytest.fixture(scope="module")
def layers(keras_nets):
    return SequenceNet(keras_nets / "sentence.tflite", width=WIDTH, outputs=WIDTH)


def sentence(length: int) -> np.ndarray:
    return np.random.default_rng(length).normal(0, 0.1, (length, WIDTH)).astype(np.float32)


def plainly(net, x: np.ndarray) -> np.ndarray:
    """The transformer of Vaswani et al. 2017 with BERT's order of norms, in float64, one head and one place at a time."""
    from convert.words.net_tables import LAYERS, unquantised
    from convert.words.network import NORM_FLOOR

    own = {name: table.astype(np.float64) for name, table in unquantised(net).items()}

    def normed(row: np.ndarray, norm: np.ndarray) -> np.ndarray:
        return (row - row.mean()) / math.sqrt(row.var() + NORM_FLOOR) * norm[0] + norm[1]

    x = [normed(row, own["norm"]) for row in x.astype(np.float64)]
    for layer in range(LAYERS):
        asked = [row @ own[f"{layer}.asked"] + own[f"{layer}.asked_bias"] for row in x]
        after = []
        for at, row in enumerate(x):
            mixed = []
            for head in range(12):
                here = slice(32 * head, 32 * head + 32)
                keys, values = ([one[WIDTH * part :][here] for one in asked] for part in (1, 2))
                look = np.exp([asked[at][here] @ key / math.sqrt(32) for key in keys])
                mixed.append(np.average(values, axis=0, weights=look))
            mid = normed(row + np.concatenate(mixed) @ own[f"{layer}.mixed"] + own[f"{layer}.mixed_bias"], own[f"{layer}.mixed_norm"])
            up = mid @ own[f"{layer}.up"] + own[f"{layer}.up_bias"]
            up = 0.5 * up * (1 + np.tanh(math.sqrt(2 / math.pi) * (up + 0.044715 * up**3)))
            after.append(normed(mid + up @ own[f"{layer}.down"] + own[f"{layer}.down_bias"], own[f"{layer}.norm"]))
        x = after
    return np.mean(x, axis=0)


@pytest.mark.parametrize("length", [2, 7, 3, MOST_PIECES])
def test_the_layers_are_a_transformer(net, layers, length):
    expected = plainly(net, sentence(length))
    # What goes into a layer has 8 bits: its steps are a 255th of its range.
    assert layers(sentence(length)) == pytest.approx(expected, abs=0.02 * float(np.abs(expected).max()))


def test_three_threads_read_the_same(layers):
    alone = [layers(sentence(length)).tolist() for length in range(2, 20)]
    found: list[list[list[float]]] = []
    threads = [threading.Thread(target=lambda: found.append([layers(sentence(n)).tolist() for n in range(2, 20)])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 3


def test_a_net_of_another_kind_is_refused_by_name():
    with pytest.raises(ModelError, match=r"model\.tflite: is no float32 net of \(any, 384\) to \(1, 384\)"):
        SequenceNet(NET, width=WIDTH, outputs=WIDTH)


def test_damaged_layers_are_refused(tmp_path):
    (tmp_path / "net.tflite").write_bytes(b"TFL3 and nothing more")
    with pytest.raises(ModelError, match="no interpreter can run it"):
        SequenceNet(tmp_path / "net.tflite", width=WIDTH, outputs=WIDTH)
