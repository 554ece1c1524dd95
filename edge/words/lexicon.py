"""The service-call overlay for VADER: phrases and words with ratings, and how they act on one sentence.

INTERFACE (working form follows; the types and methods below are what W1 may rely on):
    lexicon = Lexicon.load(site_path_or_None)
    lexicon.version        "1" (+ site's)
    lexicon.words          Mapping[str, float]: single-word ratings to merge into VADER's own dict (-4..4, sum scale)
    acted = lexicon.act(tokens)
    acted.entries          tuple[Entry]: name, category, weight, start, end (token positions)
    acted.negative/positive  sums of weights (negative <= 0 <= positive), acted.score = their sum squashed as VADER does, -1..1
    acted.counts           Mapping[category, int] over CATEGORIES
    acted.masked           frozenset[int]: tokens a phrase has spoken for; VADER must not rate them again
    acted.features()       tuple[float, ...] in the order of FEATURES, each about 0..3, for the learned combiner
    lexicon.without_agent(tokens) -> list[str]: tokens less the known agent-script phrases; feed THIS to everything else
"""
