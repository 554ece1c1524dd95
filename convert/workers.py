"""Worker processes of long work: they end with the command that began them, however it ends."""

import multiprocessing
import os
import signal
import threading
import time


def begin_worker() -> None:
    """For a worker's initializer: Ctrl-C ends it at once and without a page of traceback, and it ends when its parent does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        # As its parent's own number, not as os.getppid() is by now: it may have ended already.
        while parent and os.getppid() == parent.pid:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
