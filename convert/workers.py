"""Worker processes of long work: they end with the command that began them, however it ends."""

import os
import signal
import threading
import time


def begin_worker() -> None:
    """For a worker's initializer: Ctrl-C ends it at once and without a page of traceback, and it ends when its parent does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
