"""The sentence net at rest: the tables of its pieces, layers and heads, int8 where they are large.

`--nets` keeps them, training goes on from them, and what the box has of a net is made of them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.words.net import MOST_PIECES, WIDTH, tables

Net = dict[str, NDArray[np.generic]]
LAYERS = 4
# Of each layer: what is asked of the pieces (query, key, value), what is made of their answers, and the two steps that follow.
DENSE = {"asked": (WIDTH, 3 * WIDTH), "mixed": (WIDTH, WIDTH), "up": (WIDTH, 4 * WIDTH), "down": (4 * WIDTH, WIDTH)}


def all_tables(pieces: int) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
    """Shape and kind of each table but `vocabulary`: those of edge.words.net and the layers'. int8 ones have a `_scale` beside them."""
    found = tables(pieces) | {"norm": ((2, WIDTH), np.float32)}
    for at in range(LAYERS):
        for name, (deep, wide) in DENSE.items():
            found[f"{at}.{name}"] = ((deep, wide), np.int8)
            found[f"{at}.{name}_scale"] = ((wide,), np.float32)
            found[f"{at}.{name}_bias"] = ((wide,), np.float32)
        found[f"{at}.mixed_norm"] = found[f"{at}.norm"] = ((2, WIDTH), np.float32)
    return found


def beside_layers(net: Net) -> Net:
    """What of `net` stands beside its layers on the box."""
    return {name: net[name] for name in ("vocabulary", *tables(0))}


def quantise_net(weights: Mapping[str, NDArray[np.float32]], pieces: Sequence[str]) -> Net:
    """The net as the box has it: int8 with a step for each piece, or for each output of a layer."""
    net: Net = {"vocabulary": np.frombuffer("\n".join(pieces).encode(), np.uint8)}
    for name, (_, kind) in all_tables(len(pieces)).items():
        if name.endswith("_scale"):
            continue
        table = weights[name]
        if kind is not np.int8:
            net[name] = table[:MOST_PIECES] if name == "places" else table
            continue
        axis = 1 if name == "pieces" else 0
        step = np.maximum(np.abs(table).max(axis=axis), 1e-9) / 127
        net[f"{name}_scale"] = step.astype(np.float32)
        net[name] = np.rint(table / np.expand_dims(step, axis)).astype(np.int8)
    return net


def unquantised(net: Net) -> dict[str, NDArray[np.float32]]:
    """The weights of a quantised net."""
    found = {}
    for name in all_tables(0):
        if not name.endswith("_scale"):
            table = np.asarray(net[name], np.float32)
            scale = net.get(f"{name}_scale")
            found[name] = table if scale is None else table * np.expand_dims(np.asarray(scale, np.float32), 1 if name == "pieces" else 0)
    return found
