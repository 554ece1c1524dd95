"""The voice net in Keras, its training step, and its way to int8. The only file of the voice that imports tensorflow."""

# ruff: noqa: ANN401 (keras and tensorflow ship no types)

import contextlib
import io
import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.voice.members import MEMBERS, Member
from edge.signal.features import LEVEL, Features
from edge.signal.spec import SPEC
from edge.tflite.interpreter import hushed
from edge.voice.labels import LABELS, NEGATIVE

# TensorFlow writes notes of its own start-up; a technician needs none of them.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with hushed():
    import keras
    import tensorflow as tf
    from keras import layers


# Strong: what strangers share is learnt, what one corpus has of its own is let go of (measured on corpora left out). A folded net has no
# normalisation to undo a decay: it would only grow fainter.
_WEIGHT_DECAY, _FOLDED_DECAY = 0.3, 0.01
_SMOOTHING = 0.05
_NEGATIVE = np.asarray([label in NEGATIVE for label in LABELS], np.float32)
_POLARITY_SHARE = 0.5
# Keeps logarithms finite in float32.
_SURE = 1e-5


def build(*, folded: bool = False) -> tuple[Any, Any]:
    """The net, and the same layers with each member's own logits as outputs, which is what is trained.

    float32 (batch, 150, 40, 2) in -1..1 to float32 (batch, 7) logits, in the order of LABELS. Only operators that TFLite has in int8.
    `folded`: as a TFLite file holds it, each normalisation within the convolution before it.
    """
    sound = layers.Input((SPEC.frames, SPEC.bands, SPEC.planes), name="sound")
    members = [_member(sound[..., member.planes], member, folded=folded) for member in MEMBERS]
    return keras.Model(sound, layers.Average(name="logits")(members), name="undertone_voice"), keras.Model(sound, members)


def _member(x: Any, member: Member, *, folded: bool) -> Any:
    """Residual 3x3 convolutions (He et al. 2016) bounded by ReLU6 so that 8 bits hold them, then mean and maximum over time."""
    x = _unit(x, member.widths[0], size=5, stride=2, folded=folded)
    for number, width in enumerate(member.widths[1:]):
        x = _block(x, width, stride=(2, 2) if number < 2 else (2, 1), folded=folded)  # noqa: PLR2004 (five bands are left; they are kept)
    if not member.place:
        x = layers.AveragePooling2D((1, x.shape[2]))(x)
    mean = layers.AveragePooling2D((x.shape[1], 1))(x)
    peak = layers.MaxPooling2D((x.shape[1], 1))(x)
    pooled = layers.Flatten()(layers.Concatenate()([mean, peak]))
    pooled = layers.Dropout(0.25, seed=1)(pooled)
    return layers.Dense(len(LABELS), name=member.name)(pooled)


def _unit(x: Any, width: int, size: int = 3, stride: int | tuple[int, int] = 1, *, folded: bool, bounded: bool = True) -> Any:
    x = layers.Conv2D(width, size, strides=stride, padding="same", use_bias=folded)(x)
    if not folded:
        x = layers.BatchNormalization(momentum=0.95)(x)
    return layers.ReLU(6.0)(x) if bounded else x


def _block(x: Any, width: int, stride: tuple[int, int], *, folded: bool) -> Any:
    straight = _unit(x, width, size=1, stride=stride, bounded=False, folded=folded)
    bent = _unit(x, width, stride=stride, folded=folded)
    return layers.ReLU(6.0)(layers.Add()([straight, _unit(bent, width, bounded=False, folded=folded)]))


def taken_from(net: Path) -> Any:
    """The folded net with the weights of the TFLite file `net`, which `to_int8` made of a net of these members.

    Raises ValueError where it is of another kind: layer and shapes.
    """
    with warnings.catch_warnings():
        # TensorFlow would rather have LiteRT do this; here only weights are read, and TensorFlow is there.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = tf.lite.Interpreter(str(net))
    tensors = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
    found: dict[str, list[NDArray[np.float32]]] = {}
    for operator in interpreter._get_ops_details():  # noqa: SLF001 (no public way to the graph)
        if operator["op_name"] in ("CONV_2D", "FULLY_CONNECTED"):
            kernel, bias = (tensors[index] for index in operator["inputs"][1:3])
            name = next(part for part in reversed(kernel["name"].split(";")[0].split("/")[:-1]))
            weights = _float(interpreter, kernel)
            weights = weights.transpose(1, 2, 3, 0) if weights.ndim > 2 else weights.T  # noqa: PLR2004 (a dense layer has two)
            found[re.sub(r"_1$", "", name)] = [weights, _float(interpreter, bias)]
    built = build(folded=True)
    own = {layer.name: layer for layer in built[0].layers if layer.weights}
    # Convolutions are numbered as they were built, whatever was built before them.
    pairs = zip(_convolutions(own), _convolutions(found), strict=True)
    for mine, theirs in (*pairs, *((member.name, member.name) for member in MEMBERS)):
        taken, wanted = found.get(theirs, []), [tuple(w.shape) for w in own[mine].weights]
        if [w.shape for w in taken] != wanted:
            raise ValueError(f"{theirs}: {[w.shape for w in taken]} where {wanted} belongs")
        own[mine].set_weights(taken)
    return built


def _convolutions(names: Iterable[str]) -> list[str]:
    return sorted((name for name in names if name.startswith("conv2d")), key=lambda name: int("0" + name.removeprefix("conv2d").strip("_")))


def _float(interpreter: Any, tensor: Mapping[str, Any]) -> NDArray[np.float32]:
    """The numbers that a tensor's integers stand for; each output channel has a scale of its own."""
    scales = tensor["quantization_parameters"]["scales"]
    values = interpreter.get_tensor(tensor["index"]).astype(np.float32)
    return np.asarray(values * scales.reshape(-1, *[1] * (values.ndim - 1)), np.float32)


class Trainer:
    """One training: the net, its optimiser, and the step. Members share no weight, so each learns as if it were alone."""

    def __init__(self, *, steps: int, rate: float, seed: int, threads: int, start: Path | None = None) -> None:
        """`start`: a TFLite file of such a net, to go on from; None: from nothing."""
        keras.utils.set_random_seed(seed)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self.net, self._members = build() if start is None else taken_from(start)
        schedule = keras.optimizers.schedules.CosineDecay(rate / 20, steps, alpha=0.01, warmup_target=rate, warmup_steps=steps // 20)
        self._optimiser = keras.optimizers.AdamW(schedule, weight_decay=_WEIGHT_DECAY if start is None else _FOLDED_DECAY)
        self._optimiser.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self._optimiser.build(self.net.trainable_variables)
        self._state = tf.train.Checkpoint(net=self.net, optimiser=self._optimiser)
        self._compiled: Callable[..., Any] = tf.function(self._step, jit_compile=False)

    def epoch(self, features: Features, targets: NDArray[np.float32], *, batch: int, after_step: Callable[[], object]) -> float:
        """One pass in the given order; the mean loss of all members together. `targets` are soft labels, (n, 7)."""
        total = 0.0
        starts = range(0, len(features) - batch + 1, batch)
        for start in starts:
            part = slice(start, start + batch)
            total += float(self._compiled(tf.constant(features[part]), tf.constant(targets[part])))
            after_step()
        return total / max(1, len(starts))

    def _step(self, features: Any, targets: Any) -> Any:
        smooth = (1 - _SMOOTHING) * targets + _SMOOTHING / len(LABELS)
        with tf.GradientTape() as tape:
            loss = tf.add_n([_loss(logits, smooth) for logits in self._members(features, training=True)])
        gradients = tape.gradient(loss, self.net.trainable_variables)
        self._optimiser.apply_gradients(zip(gradients, self.net.trainable_variables, strict=True))
        return loss

    def save(self, path: Path) -> None:
        """Keep everything that a resumed training needs."""
        self._state.write(str(path))

    def resume(self, path: Path) -> None:
        """Go on from what `save` kept."""
        self._state.read(str(path)).assert_consumed()


def _loss(logits: Any, meant: Any) -> Any:
    """Cross-entropy of one member; negative or not, which a call's verdict needs most, is learnt beside it as a second task."""
    negative = tf.clip_by_value(tf.reduce_sum(tf.nn.softmax(logits) * _NEGATIVE, axis=1), _SURE, 1 - _SURE)
    truly = tf.reduce_sum(meant * _NEGATIVE, axis=1)
    second = tf.reduce_mean(-truly * tf.math.log(negative) - (1 - truly) * tf.math.log(1 - negative))
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(meant, logits)) + _POLARITY_SHARE * second


def logits_of(net: Any, features: Features) -> NDArray[np.float32]:
    """The float net's logits: float32, (n, 7)."""
    return np.asarray(net.predict(features, batch_size=256, verbose=0), np.float32)


def load_keras(path: Path) -> Any:
    """A technician's own Keras file, without running code that it may carry."""
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def adapt(net: Any, order: Sequence[int]) -> Any:
    """A technician's net as `build` makes one: (150, 40, 2) in, seven logits out. `order` says where each of LABELS is in it.

    A softmax at its end is taken off, for logits are what is quantised and calibrated. Raises ValueError saying what does not fit.
    """
    if len(net.inputs) != 1 or len(net.outputs) != 1:
        raise ValueError(f"it has {len(net.inputs)} inputs and {len(net.outputs)} outputs")
    taken, given = tuple(net.inputs[0].shape[1:]), tuple(net.outputs[0].shape[1:])
    if taken not in ((SPEC.frames, SPEC.bands, SPEC.planes), (SPEC.frames, SPEC.bands, 1)):
        raise ValueError(f"it takes {taken}")
    if given != (len(LABELS),):
        raise ValueError(f"it gives {given}")
    last = net.layers[-1]
    if isinstance(last, layers.Softmax):
        net = keras.Model(net.inputs[0], last.input)
    elif getattr(last, "activation", None) is keras.activations.softmax:
        bare = type(last).from_config(last.get_config() | {"activation": "linear", "name": "bare_logits"})
        net = keras.Model(net.inputs[0], bare(last.input))
        bare.set_weights(last.get_weights())
    else:
        said = np.asarray(net(np.random.default_rng(1).normal(size=(8, *taken)).astype(np.float32)))
        if (said >= 0).all() and np.allclose(said.sum(axis=1), 1, atol=1e-3):
            raise ValueError("it gives probabilities and its softmax is no layer of its own that could be taken off")
    sound = layers.Input((SPEC.frames, SPEC.bands, SPEC.planes), name="sound")
    if taken[-1] == SPEC.planes:
        scores = net(sound)
    else:
        # A net of the mel bands alone: a 1x1 convolution that lets their plane through.
        only = layers.Conv2D(1, 1, use_bias=False, name="mel_bands_only")
        scores = net(only(sound))
        only.set_weights([np.eye(SPEC.planes, dtype=np.float32)[:, [LEVEL]][None, None]])
    if tuple(order) != tuple(range(len(LABELS))):
        sort = layers.Dense(len(LABELS), use_bias=False, name="our_order")
        scores = sort(scores)
        # Column k picks the output that means our label k.
        sort.set_weights([np.eye(len(LABELS), dtype=np.float32)[:, list(order)]])
    return keras.Model(sound, scores, name="adapted")


def to_int8(net: Any, representative: Features) -> bytes:
    """`net` as a TFLite file that takes int8 and gives int8, every operator in int8; ranges are those of `representative`."""

    def samples() -> Any:
        for sample in representative:
            yield [sample[None]]

    # One window at a time: with a fixed batch no shape arithmetic is left in the graph.
    window = layers.Input(representative.shape[1:], batch_size=1)
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(window, net(window, training=False)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    # The converter prints its graph and warns of the ranges that the int8 input brings itself.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return bytes(converter.convert())
