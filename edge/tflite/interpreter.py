"""TFLite nets. The only file that knows which interpreter is installed."""

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.bundle.manifest import Tensor
from edge.errors import ModelError

# LiteRT first: same API, and ten times as fast on the same int8 file (0.25 ms against 3.35 ms, measured).
_RUNTIMES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")


class Interpreter:
    """An int8 net: int8 windows in, int8 scores out. Safe to call from several threads; they take turns.

    Raises ModelError where no interpreter can infer, or where the file is no int8 net of one input and one output.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._cpu_s, self._windows = 0.0, 0
        self._net, self.runtime = _open(path)
        inputs, outputs = self._net.get_input_details(), self._net.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(
                f"has {len(inputs)} inputs and {len(outputs)} outputs, one of each is needed", path=path, remedy="convert the net again"
            )
        self._in, self._out = int(inputs[0]["index"]), int(outputs[0]["index"])
        self.input, self.output = _tensor(inputs[0]), _tensor(outputs[0])
        for name, tensor in (("input", self.input), ("output", self.output)):
            if tensor.dtype != "int8" or tensor.scale <= 0:
                raise ModelError(f"its {name} is {tensor.dtype}, not int8", path=path, remedy="convert it with `undertone-convert convert`")

    @property
    def window_ms(self) -> float | None:
        """Processor time of the calling threads a window so far, in milliseconds: a busy box does not make a net slow. None before any."""
        return self._cpu_s * 1000 / self._windows if self._windows else None

    def run(self, windows: NDArray[np.int8]) -> NDArray[np.float32]:
        """The net's real-valued scores, float32 (n, classes), of `windows`, int8 (n, ...) in the input's shape."""
        scores = np.empty((len(windows), self.output.shape[-1]), np.float32)
        with self._lock:
            began = time.thread_time()
            for place, window in enumerate(windows):
                self._net.set_tensor(self._in, window.reshape(self.input.shape))
                self._net.invoke()
                scores[place] = self._net.get_tensor(self._out)[0]
            self._cpu_s, self._windows = self._cpu_s + time.thread_time() - began, self._windows + len(windows)
        return np.asarray((scores - self.output.zero_point) * self.output.scale, np.float32)


class SequenceNet:
    """A net that reads sequences of any length. Safe to call from several threads; they take turns.

    Raises ModelError where no interpreter can infer, or where the file is no float32 net of one input (length, `width`) and one output
    (1, `outputs`).
    """

    def __init__(self, path: Path, *, width: int, outputs: int) -> None:
        self._lock = threading.Lock()
        self._net, _ = _open(path)
        self._width, self._length = width, 0
        inputs, results = self._net.get_input_details(), self._net.get_output_details()
        shapes = [(one["dtype"], tuple(one["shape_signature"])) for one in (*inputs, *results)]
        if shapes != [(np.float32, (-1, width)), (np.float32, (1, outputs))]:
            raise ModelError(f"is no float32 net of (any, {width}) to (1, {outputs})", path=path, remedy="take the bundle of this version")
        self._in, self._out = int(inputs[0]["index"]), int(results[0]["index"])

    def __call__(self, sequence: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the net makes of `sequence`, float32 (length, width), length >= 1: float32 (outputs,)."""
        with self._lock:
            if len(sequence) != self._length:
                self._net.resize_tensor_input(self._in, [len(sequence), self._width])
                self._net.allocate_tensors()
                self._length = len(sequence)
            self._net.set_tensor(self._in, sequence)
            self._net.invoke()
            return np.asarray(self._net.get_tensor(self._out)[0], np.float32)


def _open(path: Path) -> tuple[Any, str]:
    """The first interpreter that really infers: an import proves nothing (tflite-runtime imports beside NumPy 2 and then fails)."""
    failures = []
    for runtime in _RUNTIMES:
        try:
            module = import_module(runtime)
        except ImportError as error:
            failures.append(f"{runtime}: {error}")
            continue
        try:
            # One thread: a box hears several lines, and a window takes a millisecond.
            with hushed():
                net = module.Interpreter(model_path=str(path), num_threads=1)
                net.allocate_tensors()
                net.invoke()
        except (ValueError, RuntimeError, AttributeError, SystemError, ImportError) as error:
            failures.append(f"{runtime}: {str(error).strip() or type(error).__name__}")
            continue
        return net, runtime.split(".")[0]
    raise ModelError(
        f"no interpreter can run it ({'; '.join(failures)})", path=path, remedy="install ai-edge-litert or bring the bundle again"
    )


# Two at once would each keep the other's nowhere and leave the log there.
_HUSHED = threading.Lock()


@contextmanager
def hushed() -> Iterator[None]:
    """Without the remarks of TensorFlow and its kin on stderr ("INFO: Created ... delegate"), which no setting turns off.

    They are written by C++ past Python's sys.stderr, so the descriptor itself looks away while they load.
    """
    with _HUSHED:
        sys.stderr.flush()
        kept = os.dup(2)
        try:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _tensor(details: Mapping[str, Any]) -> Tensor:
    scale, zero_point = details["quantization"]
    return Tensor(
        shape=tuple(int(n) for n in details["shape"]),
        dtype=np.dtype(details["dtype"]).name,
        scale=float(scale),
        zero_point=int(zero_point),
    )
