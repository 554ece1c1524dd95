"""The recogniser's language model fitted to service calls: made on the box from the fetched model and the shipped n-grams, in seconds.

The fetched model stays as its makers published it, to the byte. What is made of it lies in `fitted/` within its folder and takes the place
of `graph/Gr.fst` when the recogniser loads; where it is missing, damaged or of another version, the model serves as it came.
"""

import hashlib
import json
import logging
import zipfile
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from edge.asr import ngram_fst
from edge.asr.language_model import assembled, grams, mix
from edge.asr.ngram_fst import BEGIN, NO_WORD, NGrams
from edge.asr.vosk_model import sha256_of
from edge.errors import ModelError
from edge.files.durable import replace_whole

_log = logging.getLogger("undertone.asr")

# The trade's share of each probability (docs/words-experiments.md).
WEIGHT = 0.3
_SHIPPED = "service.ngrams.npz"
_FOLDER, _GRAPH, _RECORD = "fitted", "Gr.fst", "made.json"
# In the shipped file words are numbered from 2: 0 and 1 are a sentence's begin and end, and no word is the highest number.
_BEGIN, _END, _FIRST = 0, 1, 2


def fit(model_dir: Path, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Make the fitted language model within `model_dir`, whole or not at all. Raises ModelError where the model is another than ours."""
    progress("reading the language model")
    base = ngram_fst.read(model_dir / "graph" / _GRAPH)
    with as_file(files("edge.asr").joinpath(_SHIPPED)) as shipped:
        trade = load_ngrams(shipped, base)
    progress("fitting it to service calls")
    mixed = mix(base, trade, WEIGHT)
    progress("writing it")
    folder = model_dir / _FOLDER
    try:
        folder.mkdir(exist_ok=True)
        part = folder / "Gr.part"
        ngram_fst.write(part, mixed)
        record = {"made_of": _made_of(model_dir), "sha256": sha256_of(part)}
        (folder / _RECORD).unlink(missing_ok=True)
        part.replace(folder / _GRAPH)
        replace_whole(folder / _RECORD, json.dumps(record).encode())
    except OSError as error:
        raise ModelError(
            f"cannot be written: {error.strerror}", path=folder, remedy="run `undertone fetch-model` as its owner, with 30 MB free"
        ) from error
    return folder / _GRAPH


def fitted_graph(model_dir: Path) -> Path | None:
    """The fitted language model of `model_dir`, where it is whole and made of what is there now; None where there is none."""
    folder = model_dir / _FOLDER
    try:
        record = json.loads((folder / _RECORD).read_bytes())
        whole = record["made_of"] == _made_of(model_dir) and record["sha256"] == sha256_of(folder / _GRAPH)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        _log.warning("asr.fitted_not_taken folder=%s remedy=%r", folder, "run `undertone fetch-model`")
        return None
    return folder / _GRAPH


def load_ngrams(path: Path, like: NGrams) -> NGrams:
    """The n-grams in the file at `path` over the words of `like`; those with a word that it has not are left out. Raises ModelError."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            names = bytes(held["words"]).decode().split("\n")
            rows = np.column_stack([held[name].astype(np.int64) for name in ("recent", "older", "word")])
            costs = held["cost"].astype(np.float64)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"holds no n-grams ({error})", path=path, remedy="install Undertone again") from error
    label = {word: number for number, word in enumerate(like.words)}
    unknown = -2
    table = np.array([BEGIN, like.end, *(label.get(word, unknown) for word in names), NO_WORD], np.int64)
    rows = table[np.minimum(rows, len(table) - 1)]
    known = (rows != unknown).all(axis=1)
    return assembled(rows[known], costs[known], like)


def save_ngrams(path: Path, model: NGrams) -> None:
    """Leave the n-grams of `model` at `path`, as `load_ngrams` reads them: words by name, costs to a thousandth."""
    every = grams(model)
    labels = sorted({int(n) for n in np.unique(every) if n not in (NO_WORD, BEGIN, model.end)})
    number = {label: at + _FIRST for at, label in enumerate(labels)} | {BEGIN: _BEGIN, model.end: _END, NO_WORD: len(labels) + _FIRST}
    rows = np.vectorize(number.__getitem__)(every).astype(np.uint16 if len(labels) < 65_000 else np.uint32)  # noqa: PLR2004 (uint16)
    words = np.frombuffer("\n".join(model.words[label] for label in labels).encode(), np.uint8)
    columns = {"recent": rows[:, 0], "older": rows[:, 1], "word": rows[:, 2]}
    np.savez_compressed(path, words=words, cost=model.cost.astype(np.float16), **columns)


def _made_of(model_dir: Path) -> str:
    """Of the fetched model's graph, the shipped n-grams and their share, in one word."""
    shipped = hashlib.sha256(files("edge.asr").joinpath(_SHIPPED).read_bytes()).hexdigest()
    graph = model_dir / "graph" / _GRAPH
    return f"{sha256_of(graph)[:16]}-{shipped[:16]}-{WEIGHT}"
