"""Recognisers that are ready before a call needs one: a new one is slow until it has heard something."""

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

_log = logging.getLogger("undertone.words")

# The machine hears first: getting ready has the time that nobody else wants.
_NICE = 10
# What failed once (no memory, a damaged model) fails again at once.
_AGAIN_S = 600.0

_T = TypeVar("_T")


class Spares(Generic[_T]):
    """What `make` makes, kept for whoever takes one. For any thread; nothing is kept before `fill`."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._free: list[_T] = []
        self._taken: weakref.WeakSet[object] = weakref.WeakSet()
        self._wanted = 0
        self._filling: threading.Thread | None = None
        self._rests_until = float("-inf")

    def take(self) -> _T:
        """A spare one, or a new one where there is none."""
        with self._lock:
            one = self._free.pop() if self._free else None
        if one is None:
            one = self._make()
        with self._lock:
            self._taken.add(one)
        return one

    def give_back(self, one: _T, *, worn: bool) -> bool:
        """It is needed no more: kept for the next, or not, where it is `worn` or there are enough. Returns whether it is kept."""
        with self._lock:
            self._taken.discard(one)
            keep = not worn and self._missing > 0
            if keep:
                self._free.append(one)
            return keep

    def fill(self, wanted: int, warm: Callable[[_T], None]) -> None:
        """From now on, `wanted` are taken or ready; those that are missing are made and warmed in a thread of their own."""
        with self._lock:
            self._wanted = wanted
            if self._missing <= 0 or self._filling is not None or time.monotonic() < self._rests_until:
                return
            self._filling = threading.Thread(target=self._fill, args=(warm,), name="warm", daemon=True)
        self._filling.start()

    @property
    def _missing(self) -> int:
        return self._wanted - len(self._free) - len(self._taken)

    def _fill(self, warm: Callable[[_T], None]) -> None:
        # Linux has a niceness a thread: what could not be undone for the process ends with this one. A sandbox may forbid it.
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + _NICE)
        try:
            while self._missing > 0:
                one = self._make()
                warm(one)
                with self._lock:
                    if self._missing <= 0:
                        break
                    self._free.append(one)
        except Exception as error:  # noqa: BLE001 (Vosk raises bare Exception)
            # A call makes its own, and says what is wrong with it.
            _log.warning("words.not_warmed error=%s", error)
            self._rests_until = time.monotonic() + _AGAIN_S
        finally:
            with self._lock:
                self._filling = None
