"""The seven emotions, in the order of the net's outputs, and which of them are bad news."""

LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprised")
NEGATIVE = frozenset({"angry", "disgust", "fear", "sad"})
# A surprised customer is counted as positive: of the corpora's surprised clips, more are pleasant than not (TESS's all are).
POSITIVE = frozenset({"happy", "surprised"})
