"""Speech codecs of telephones that are no table of 256 values."""

import io

import numpy as np
import soundfile

from edge.values import Pcm

_RATE = 8000


def gsm(narrow: Pcm) -> Pcm:
    """`narrow` (int16, mono, 8 kHz) through GSM 06.10 full rate (ETSI EN 300 961) and back, at least as long; libsndfile has the codec."""
    coded = io.BytesIO()
    soundfile.write(coded, narrow, _RATE, subtype="GSM610", format="WAV")
    coded.seek(0)
    return np.asarray(soundfile.read(coded, dtype="int16")[0], np.int16)
