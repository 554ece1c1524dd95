"""A worker: inferences of a TFLite file with whichever runtime this Python has. Argument: MODEL."""

import sys
from collections.abc import Callable

import numpy as np

from tests.bench.turns import serve

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    from tflite_runtime.interpreter import Interpreter


def load(model: str) -> Callable[[], None]:
    """One inference."""
    interpreter = Interpreter(model, num_threads=1)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    sample = np.random.default_rng(0).integers(-128, 127, given["shape"]).astype(given["dtype"])

    def once() -> None:
        interpreter.set_tensor(given["index"], sample)
        interpreter.invoke()

    return once


if __name__ == "__main__":
    serve(lambda: load(sys.argv[1]), times=200)
