"""Undertone's box: hearing, judging, telling. Start reading at edge.__main__, then edge.call.line."""

import os

# Matrices of one sentence or one utterance are small: several threads of OpenBLAS wait for each other, spinning, longer than they work.
# It is read when numpy is first imported; who sets it otherwise is obeyed.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
