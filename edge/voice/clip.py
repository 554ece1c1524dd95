"""A whole recording of one customer as one utterance, for `undertone voice`, for evaluation, and for tests."""

import numpy as np

from edge.segment.crosstalk import CustomerUtterance, customer_utterance
from edge.signal.features import active_frames
from edge.signal.logmel import log_mel
from edge.signal.pcm import level_dbfs
from edge.values import FRAME_SAMPLES, Pcm, Role, Utterance


def whole_clip(pcm: Pcm) -> CustomerUtterance:
    """`pcm` (int16, mono, 16 kHz, of a customer) as one utterance; its voiced frames are those that stand out of the quiet."""
    frames = -(-len(pcm) // FRAME_SAMPLES)
    voiced = np.zeros(frames, np.bool_)
    if pcm.any():
        active = active_frames(log_mel(pcm))[:frames]
        voiced[: len(active)] = active
    utterance = Utterance(
        channel=0,
        role=Role.CUSTOMER,
        start=0,
        end=len(pcm),
        speech_end=len(pcm),
        pcm=pcm,
        voiced=voiced,
        turn=0,
        level_dbfs=level_dbfs(pcm),
    )
    customer = customer_utterance(utterance)
    assert customer is not None  # noqa: S101 (the role above is the customer's)
    return customer
