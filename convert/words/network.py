"""The sentence net in training: a small transformer begun from published weights, tuned on sentences of calls. TensorFlow's only file here.

Begun from the first four layers of all-MiniLM-L6-v2 (Apache 2.0; Wang et al. 2020, Reimers and Gurevych 2019) and those of its word pieces
that sentences of calls use. edge.words.net runs what comes out.
"""

# mypy: disable-error-code="no-untyped-call,no-any-return"
# ruff: noqa: ANN401 (tensorflow ships no types)

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.words.net_tables import LAYERS, Net, unquantised
from convert.words.sets import Lesson
from edge.errors import UsageError
from edge.words.net import HEADS, MOST_PIECES, WIDTH, Pieces

Floats = NDArray[np.float32]
# The first ones: better after tuning than every other layer (docs/words-experiments.md).
_BEGUN_FROM = tuple(range(LAYERS))
# The commonest whole words of BERT's vocabulary (ordered by frequency from this place on) are kept though no sentence here has them.
_FIRST_WORD, _COMMON_WORDS = 1996, 7000
_OURS = re.compile(r"(##)?[a-z0-9]+|'")
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_RATE, _DECAY, _DROPPED, _WARM = 3e-4, 0.01, 0.1, 0.1
_HEAD_WIDTH = 32
# As BERT was trained.
NORM_FLOOR = 1e-12
# Pieces a step: sentences of like length go together.
_STEP = 2400
_CAUSE_SHARE, _MATTER_SHARE = 0.3, 0.3


def begin(folder: Path, sentences: Sequence[Sequence[str]], causes: int, seed: int) -> tuple[dict[str, Floats], list[str]]:
    """The net's first weights and its pieces, from a folder with MiniLM's model.safetensors and vocab.txt. Raises UsageError."""
    try:
        full = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        raw = (folder / "model.safetensors").read_bytes()
    except OSError as error:
        raise UsageError(
            f"no published net ({error})", path=folder, remedy="give the folder with model.safetensors and vocab.txt"
        ) from error
    length = int.from_bytes(raw[:8], "little")
    given: dict[str, Floats] = {}
    for name, place in json.loads(raw[8 : 8 + length]).items():
        if name != "__metadata__" and place["dtype"] == "F32":
            first, last = (8 + length + end for end in place["data_offsets"])
            given[name.removeprefix("bert.")] = np.frombuffer(raw[first:last], np.float32).reshape(place["shape"])
    chosen = _kept(full, sentences)
    chance = np.random.default_rng(seed)
    heads = {"polarity": 3, "cause": causes, "matter": 2}
    embeddings = "embeddings."
    weights = {
        "pieces": given[f"{embeddings}word_embeddings.weight"][chosen],
        "places": given[f"{embeddings}position_embeddings.weight"][:MOST_PIECES] + given[f"{embeddings}token_type_embeddings.weight"][0],
        "norm": _norm(given, f"{embeddings}LayerNorm"),
    }
    for at, number in enumerate(_BEGUN_FROM):
        layer = f"encoder.layer.{number}."
        asked = [f"{layer}attention.self.{part}" for part in ("query", "key", "value")]
        weights[f"{at}.asked"] = np.concatenate([given[f"{one}.weight"].T for one in asked], axis=1)
        weights[f"{at}.asked_bias"] = np.concatenate([given[f"{one}.bias"] for one in asked])
        for ours, theirs in (("mixed", "attention.output.dense"), ("up", "intermediate.dense"), ("down", "output.dense")):
            weights[f"{at}.{ours}"] = given[f"{layer}{theirs}.weight"].T
            weights[f"{at}.{ours}_bias"] = given[f"{layer}{theirs}.bias"]
        weights[f"{at}.mixed_norm"] = _norm(given, f"{layer}attention.output.LayerNorm")
        weights[f"{at}.norm"] = _norm(given, f"{layer}output.LayerNorm")
    for name, width in heads.items():
        weights[name] = chance.normal(0, 0.02, (WIDTH, width))
        weights[f"{name}_bias"] = np.zeros(width)
    return {name: np.ascontiguousarray(table, np.float32) for name, table in weights.items()}, [full[at] for at in chosen]


def _norm(given: Mapping[str, Floats], name: str) -> Floats:
    return np.stack([given[f"{name}.weight"], given[f"{name}.bias"]])


def _kept(full: Sequence[str], sentences: Sequence[Sequence[str]]) -> list[int]:
    """The pieces that are kept: letters, common words, and what the sentences are made of at least twice."""
    pieces = Pieces(full)
    met = Counter(piece for tokens in sentences for token in tokens for piece in pieces.of_word(token))

    def wanted(at: int, piece: str) -> bool:
        if not _OURS.fullmatch(piece):
            return False
        common = _FIRST_WORD <= at < _FIRST_WORD + _COMMON_WORDS
        return common or met[at] > 1 or len(piece.removeprefix("##")) == 1

    return [at for at, piece in enumerate(full) if piece in _SPECIAL or wanted(at, piece)]


def tune(
    weights: Mapping[str, Floats], pieces: Sequence[str], lessons: Callable[[int], Sequence[Lesson]], *, epochs: int, seed: int,
    pace: float = 1.0, say: Callable[[str], None] = print,
) -> dict[str, Floats]:  # fmt: skip
    """`weights` after `epochs` over `lessons(epoch)`, which may hear the sentences otherwise each time; `pace` multiplies the rate."""
    import tensorflow as tf

    tf.random.set_seed(seed)
    chance = np.random.default_rng(seed)
    cut = Pieces(pieces)
    rounds = [_steps(lessons(epoch), cut, chance) for epoch in range(epochs)]
    whole = sum(map(len, rounds))
    variables = {name: tf.Variable(table) for name, table in weights.items()}
    listed = list(variables.values())

    class Rate(tf.keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            step = tf.cast(step, tf.float32)
            return pace * _RATE * tf.minimum((step + 1) / (_WARM * whole), (whole - step) / ((1 - _WARM) * whole))

    adam = tf.keras.optimizers.AdamW(Rate(), weight_decay=_DECAY, global_clipnorm=1.0)
    adam.build(listed)
    shapes = [tf.TensorSpec([None, None], kind) for kind in (tf.int32, tf.float32, tf.float32)]
    shapes += [tf.TensorSpec([None, None], tf.float32)] * 2

    @tf.function(input_signature=shapes, autograph=False)  # type: ignore[untyped-decorator]
    def step(ids: Any, mask: Any, polarity: Any, cause: Any, matter: Any) -> Any:
        with tf.GradientTape() as tape:
            read = _encode(tf, variables, ids, mask)
            loss = 0.0
            for name, truth, share in (("polarity", polarity, 1.0), ("cause", cause, _CAUSE_SHARE), ("matter", matter, _MATTER_SHARE)):
                scores = read @ variables[name] + variables[f"{name}_bias"]
                # A truth's entries add up to the sentence's weight; to 0 where nothing is known.
                loss -= share * tf.reduce_sum(truth * tf.nn.log_softmax(scores))
            loss /= tf.cast(tf.shape(ids)[0], tf.float32)
        adam.apply_gradients(zip(tape.gradient(loss, listed), listed, strict=True))
        return loss

    for number, one_round in enumerate(rounds):
        began = time.monotonic()
        losses = [float(step(*batch)) for batch in one_round]
        say(f"  net: epoch {number + 1} of {epochs}, loss {np.mean(losses):.3f}, {time.monotonic() - began:.0f} s")
    return {name: variable.numpy() for name, variable in variables.items()}


def _steps(lessons: Sequence[Lesson], cut: Pieces, chance: np.random.Generator) -> list[tuple[NDArray[Any], ...]]:
    """Batches of sentences of like length, in an order by chance."""
    rows = [cut(lesson.tokens) for lesson in lessons]
    lengths = np.array([len(row) for row in rows])
    order = np.argsort(lengths + chance.normal(0, 1.5, len(rows)), kind="stable")
    batches: list[list[int]] = [[]]
    longest = 0
    for at in order.tolist():
        longest = max(longest, int(lengths[at]))
        if batches[-1] and longest * (len(batches[-1]) + 1) > _STEP:
            batches.append([])
            longest = int(lengths[at])
        batches[-1].append(at)
    return [_batch([rows[at] for at in batches[n]], [lessons[at] for at in batches[n]]) for n in chance.permutation(len(batches))]


def _batch(rows: Sequence[Sequence[int]], lessons: Sequence[Lesson]) -> tuple[NDArray[Any], ...]:
    width = max(map(len, rows))
    ids, mask = np.zeros((len(rows), width), np.int32), np.zeros((len(rows), width), np.float32)
    truths = [np.zeros((len(rows), HEADS[name]), np.float32) for name in ("polarity", "cause", "matter")]
    for at, (row, lesson) in enumerate(zip(rows, lessons, strict=True)):
        ids[at, : len(row)], mask[at, : len(row)] = row, 1.0
        for truth, known in zip(truths, (lesson.label, lesson.cause, lesson.matter), strict=True):
            if known >= 0:
                truth[at, known] = lesson.weight
    return ids, mask, *truths


def _encode(tf: Any, weights: Mapping[str, Any], ids: Any, mask: Any) -> Any:
    """The mean of the last layer's pieces, (sentences, WIDTH): what edge.words.net does, with dropout."""
    count, length = tf.shape(ids)[0], tf.shape(ids)[1]

    def normed(x: Any, norm: Any) -> Any:
        return _normed(tf, x, norm)

    def dense(x: Any, name: str) -> Any:
        flat = tf.reshape(x, [-1, x.shape[-1]]) @ weights[name] + weights[f"{name}_bias"]
        return tf.reshape(flat, [count, length, weights[name].shape[1]])

    x = tf.nn.dropout(normed(tf.gather(weights["pieces"], ids) + weights["places"][:length], weights["norm"]), _DROPPED)
    hidden = (1.0 - mask)[:, None, None, :] * -1e4
    for at in range(LAYERS):
        asked = tf.reshape(dense(x, f"{at}.asked"), [count, length, 3, WIDTH // _HEAD_WIDTH, _HEAD_WIDTH])
        query, key, value = tf.unstack(tf.transpose(asked, [2, 0, 3, 1, 4]))
        looked = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) / _HEAD_WIDTH**0.5 + hidden)
        mixed = tf.transpose(tf.matmul(tf.nn.dropout(looked, _DROPPED), value), [0, 2, 1, 3])
        mixed = dense(tf.reshape(mixed, [count, length, WIDTH]), f"{at}.mixed")
        x = normed(x + tf.nn.dropout(mixed, _DROPPED), weights[f"{at}.mixed_norm"])
        down = dense(tf.nn.gelu(dense(x, f"{at}.up"), approximate=True), f"{at}.down")
        x = normed(x + tf.nn.dropout(down, _DROPPED), weights[f"{at}.norm"])
    return tf.einsum("btd,bt->bd", x, mask / tf.reduce_sum(mask, 1, keepdims=True))


def _normed(tf: Any, x: Any, norm: Any) -> Any:
    mean = tf.reduce_mean(x, -1, keepdims=True)
    x -= mean
    return x * tf.math.rsqrt(tf.reduce_mean(x * x, -1, keepdims=True) + NORM_FLOOR) * norm[0] + norm[1]


def exported(net: Net) -> bytes:
    """The layers of `net` as a TFLite file: float32 (pieces, WIDTH) to the mean of the last layer's, (1, WIDTH).

    Its weights are exactly `net`'s int8. What goes into a layer is brought to int8 as well, as it comes: 4 times as fast as float32.
    """
    import tensorflow as tf

    known, heads = unquantised(net), WIDTH // _HEAD_WIDTH

    def dense(x: Any, name: str) -> Any:
        # TFLite 2.14 knows one step for a whole table alone. So the table is what `net` holds, in steps of 1/127, and its outputs get their
        # own steps afterwards; between reshapes, or the converter would put the steps back into the table.
        table = np.asarray(net[name], np.float32) / 127
        scale = np.reshape(np.asarray(net[f"{name}_scale"], np.float32) * 127, [-1, _HEAD_WIDTH])
        apart = tf.reshape(tf.matmul(x, table), [-1, *scale.shape]) * scale
        return tf.reshape(apart, [-1, scale.size]) + known[f"{name}_bias"]

    def layers(x: Any) -> Any:
        x = _normed(tf, x, known["norm"])
        for at in range(LAYERS):
            query, key, value = tf.unstack(tf.transpose(tf.reshape(dense(x, f"{at}.asked"), [-1, 3, heads, _HEAD_WIDTH]), [1, 2, 0, 3]))
            looked = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) / _HEAD_WIDTH**0.5)
            mixed = tf.reshape(tf.transpose(tf.matmul(looked, value), [1, 0, 2]), [-1, WIDTH])
            x = _normed(tf, x + dense(mixed, f"{at}.mixed"), known[f"{at}.mixed_norm"])
            x = _normed(tf, x + dense(tf.nn.gelu(dense(x, f"{at}.up"), approximate=True), f"{at}.down"), known[f"{at}.norm"])
        return tf.reduce_mean(x, 0, keepdims=True)

    read = tf.function(layers, input_signature=[tf.TensorSpec([None, WIDTH], tf.float32)], autograph=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([read.get_concrete_function()], read)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001 (TensorFlow's only name for it)
    return bytes(converter.convert())
