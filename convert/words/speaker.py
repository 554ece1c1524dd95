"""Who speaks, by words alone, learnt from both sides of service dialogues: the tables of edge.words.speaker, and what they are worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from convert.words.fit import Floats, fit
from convert.words.sets import PAIRS, SAID, hashed, read_pairs, read_said, read_tsv
from convert.words.table import NGRAMS, WORDS, features
from edge.errors import UsageError
from edge.phrases.lexicon import Lexicon
from edge.phrases.tokens import tokenize
from edge.words.speaker import AGENT, SpeakerModel, Speakers

OURS = Path(__file__).with_name("agents.tsv")
# Dialogues follow one another in the file: whole runs of so many turns are held out, this share of them, by hash.
_RUN, _HELD = 100, 0.3
# How much a sentence of ours counts beside a turn of the dialogues: there are few of ours, and a complaint taken for an agent's is lost.
# Chosen with the penalty on two halves of what is learnt (docs/words-experiments.md).
_OUR_AGENTS, _DISPLEASED, _OTHERS = 20.0, 20.0, 5.0
# How strongly weights are held to 0.
_PENALTY, _PENALTY_SCRIPT = 3.0, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A sentence and who said it: an agent, or a customer. Of one `group` those that stand one after the other are turns of dialogues."""

    text: str
    agent: bool
    group: str
    held: bool
    weight: float = 1.0


def read_turns(roles: Path, customers: Sequence[str]) -> list[Spoken]:
    """Turns of both sides from the TSV file `roles` (columns role, text), agents' sentences of ours, and customers': ours and `customers`.

    Raises UsageError.
    """
    found = []
    for at, row in enumerate(read_tsv(roles, ("role", "text"))):
        if row["role"] not in ("agent", "customer"):
            raise UsageError(f"role '{row['role']}' is neither agent nor customer", path=roles, line=at + 2, remedy="rename it")
        held = hashed(f"run {at // _RUN}") < _HELD
        found.append(Spoken(text=row["text"], agent=row["role"] == "agent", group="dialogues", held=held))
    found += [
        Spoken(text=row["text"], agent=True, group="our agents", held=row["part"] == "held", weight=_OUR_AGENTS)
        for row in read_tsv(OURS, ("part", "text"))
    ]
    for pair in read_pairs(PAIRS):
        found.append(Spoken(text=pair.calm, agent=False, group="calm", held=pair.held, weight=_OTHERS))
        found.append(Spoken(text=pair.displeased, agent=False, group="displeased", held=pair.held, weight=_DISPLEASED))
    found += [Spoken(text=one.text, agent=False, group="said", held=one.held, weight=_OTHERS) for one in read_said(SAID)]
    return found + [Spoken(text=text, agent=False, group="alone", held=hashed(text) < _HELD) for text in customers]


def learn_speaker(turns: Sequence[Spoken]) -> dict[str, NDArray[np.generic]]:
    """The tables, learnt from those of `turns` that are not held out; both sides count alike."""
    learnt = [turn for turn in turns if not turn.held]
    rows = _read([turn.text for turn in learnt])
    agent = np.array([turn.agent for turn in learnt])
    weights = np.array([turn.weight for turn in learnt])
    weights[agent] *= weights[~agent].sum() / weights[agent].sum()
    # An n-gram met once says who said it that once.
    met = np.asarray((rows > 0).sum(axis=0)).ravel() >= 2  # noqa: PLR2004
    met[NGRAMS:] = True
    kept = np.flatnonzero(met)
    penalty = np.full(len(kept), _PENALTY)
    penalty[-2:] = _PENALTY_SCRIPT, 1e-3
    found = fit(rows[:, kept].tocsr(), np.eye(2)[agent.astype(int)], weights, penalty=penalty)
    table = np.zeros(rows.shape[1])
    table[kept] = found[:, 1] - found[:, 0]
    grams = table[:WORDS], table[WORDS:NGRAMS]
    steps = [max(float(np.abs(part).max()), 1e-9) / 127 for part in grams]
    words, pairs = (np.rint(part / step).astype(np.int8) for part, step in zip(grams, steps, strict=True))
    return {"words": words, "pairs": pairs, "scale": np.array(steps, np.float32), "dense": table[NGRAMS:].astype(np.float32)}


def speaker_figures(tables: Mapping[str, NDArray[np.generic]], turns: Sequence[Spoken]) -> dict[str, float]:
    """Of held-out sentences: what their words alone say of who speaks, and what the turns around add, by name."""
    model, lexicon = SpeakerModel(tables), Lexicon.load()
    held = [turn for turn in turns if turn.held]
    odds = np.array([_odds(model, lexicon, turn.text) for turn in held])
    agent, group = np.array([turn.agent for turn in held]), np.array([turn.group for turn in held])
    found = {}
    for name, mine in (
        ("agents_known", agent & (group == "dialogues")), ("our_agents_known", agent & (group == "our agents")),
        ("customers_mistaken", ~agent & (group == "dialogues")), ("displeased_mistaken", group == "displeased"),
    ):  # fmt: skip
        found[f"speaker: {name}_by_words"] = float((odds[mine] > 0).mean())
    dialogues = np.flatnonzero(group == "dialogues")
    p = np.array(_followed(odds[dialogues], agent[dialogues]))
    theirs = agent[dialogues]
    return found | {
        "speaker: agents_left_out": float((p[theirs] >= AGENT).mean()),
        "speaker: customers_left_out": float((p[~theirs] >= AGENT).mean()),
        "speaker: turns": float(len(dialogues)),
    }


def _followed(odds: Floats, agent: NDArray[np.bool_]) -> list[float]:
    """The probability of an agent, turn after turn; where a customer follows a customer, the next dialogue begins."""
    speakers, found = Speakers(), []
    for turn, (one, (before, now)) in enumerate(zip(odds.tolist(), pairwise([True, *agent.tolist()]), strict=True)):
        if not before and not now:
            speakers = Speakers()
        found.append(speakers.heard(one, turn=turn))
    return found


def _odds(model: SpeakerModel, lexicon: Lexicon, text: str) -> float:
    tokens = tokenize(text)
    return model.log_odds(tokens, script=lexicon.script_share(tokens))


def _read(texts: Sequence[str]) -> sparse.csr_matrix:
    """Rows of n-grams, of script and of 1."""
    lexicon = Lexicon.load()
    tokens = [tokenize(text) for text in texts]
    script = np.array([[lexicon.script_share(one), 1.0] for one in tokens], np.float32)
    grams = features(tokens, np.zeros((len(tokens), 0), np.float32)).sparse[:, :NGRAMS]
    return sparse.hstack([grams, sparse.csr_matrix(script)]).tocsr()
