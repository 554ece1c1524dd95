"""Which of the seven emotions are bad news, and which good."""

from edge.values import Emotion

# As a manifest has them, in the order of the net's outputs.
LABELS = tuple(emotion.value for emotion in Emotion)
NEGATIVE = frozenset({Emotion.ANGRY, Emotion.DISGUST, Emotion.FEAR, Emotion.SAD})
POSITIVE = frozenset({Emotion.HAPPY, Emotion.SURPRISED})
