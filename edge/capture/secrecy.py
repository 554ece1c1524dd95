"""What a process that hears calls never leaves behind: a core dump would put on disk what was said."""

import ctypes
import resource

# prctl.h
_SET_DUMPABLE = 4


def no_core_dumps() -> None:
    """From here on this process leaves no core dump, whatever kills it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A kernel.core_pattern that pipes into a program ignores the limit; who is not dumpable leaves nothing there either.
    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
