"""A recording over and over, raw s16le on stdout, some times as fast as it was spoken: `python -m tests.stream FILE SPEED`."""

import sys
import time
from pathlib import Path

import numpy as np

from edge.capture import wavfile
from edge.signal.resample import frames

speed = float(sys.argv[2])
sound = b"".join(frame.pcm.T.astype("<i2").tobytes() for frame in frames(wavfile.blocks(Path(sys.argv[1]))))
# Seven seconds of silence end a call with idle_s 6.
silence = np.zeros((7 * 16_000, 2), "<i2").tobytes()
second = 16_000 * 2 * 2
began, sent = time.monotonic(), 0
while True:
    for part in (sound, silence):
        for start in range(0, len(part), second // 10):
            sys.stdout.buffer.write(part[start : start + second // 10])
            sys.stdout.buffer.flush()
            sent += len(part[start : start + second // 10])
            time.sleep(max(0.0, sent / second / speed - (time.monotonic() - began)))
