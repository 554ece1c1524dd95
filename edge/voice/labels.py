"""The seven emotions, in the order of the net's outputs, and which of them are bad news."""

LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprised")
NEGATIVE = frozenset({"angry", "disgust", "fear", "sad"})
# A surprised customer is counted as positive: a choice, since TESS calls its own pleasant and the others leave it open.
POSITIVE = frozenset({"happy", "surprised"})
