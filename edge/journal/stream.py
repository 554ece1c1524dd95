"""Where the service's log goes: a descriptor of its own, whatever becomes of the process's standard error."""

import logging
import os
import sys


def begin(level: str) -> None:
    """Log from `level` on ("info") to a copy of standard error, and have Python's `sys.stderr` (tracebacks, warnings) write there, too.

    While a model loads, descriptor 2 of the whole process is turned away (edge.tflite.interpreter.hushed): what another thread logs
    in that time would be lost for good.
    """
    sys.stderr.flush()
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
