"""The words model on text by a hand that wrote none of what it learns from: 300 callers' sentences and 80 matters told both ways.

    python -m tests.words.sealed [--words BUNDLE]

Prints how many are right, by what makes them hard. Nothing is ever trained, calibrated or chosen on this text; the figures are in
docs/words-experiments.md. Not a test: it says what a model is worth, and a model that is worse does not ship.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import yaml

from convert.metrics import auc
from convert.words.fit import macro_f1
from convert.words.printed import judged
from convert.words.report import read_sentences
from convert.words.sets import read_pairs
from edge.bundle.signature import Trust, shipped_models
from edge.words.branch import WordsJudge

CALLERS = Path(__file__).with_name("callers-sealed.yaml")
PAIRS = Path(__file__).with_name("pairs-sealed.tsv")
_NEGATIVE = 0


def main() -> None:
    """Print the figures of one bundle."""
    parser = argparse.ArgumentParser(prog="python -m tests.words.sealed", description=__doc__)
    parser.add_argument("--words", type=Path, default=shipped_models() / "words", metavar="BUNDLE", help="default: the shipped one")
    judge = WordsJudge.load(parser.parse_args().words, trust=Trust(allow_unsigned=True))
    sentences = read_sentences([CALLERS])
    said, p = judged(judge, sentences.texts)
    right = said == sentences.labels
    negative = sentences.labels == _NEGATIVE
    print(f"{len(right)} callers' sentences: {right.mean():.1%} right, macro-F1 {macro_f1(sentences.labels, said, 3):.3f}", end=", ")
    print(f"AUC {auc(p, negative):.3f}; displeased missed {(said[negative] != _NEGATIVE).mean():.1%}", end=", ")
    print(f"others judged negative {(said[~negative] == _NEGATIVE).mean():.1%}")
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for item, one in zip(yaml.safe_load(CALLERS.read_text(encoding="utf-8")), right.tolist(), strict=True):
        by_kind[item["hard"]].append(one)
    print("; ".join(f"{kind} {sum(found)} of {len(found)}" for kind, found in by_kind.items()))
    pairs = read_pairs(PAIRS)
    calm, p_calm = judged(judge, [pair.calm for pair in pairs])
    told, p_told = judged(judge, [pair.displeased for pair in pairs])
    print(f"{len(pairs)} pairs: told calmly, judged negative {(calm == _NEGATIVE).mean():.1%}", end=", ")
    print(f"with displeasure, missed {(told != _NEGATIVE).mean():.1%}, ranked right {(p_told > p_calm).mean():.1%}")


if __name__ == "__main__":
    main()
