"""What goes on beside the pages: commands to boxes, forgotten claims, passed promises, webhooks, pruning."""

import logging
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from desk.cases.sweep import sweep
from desk.config import DeskConfig, WebhookConfig
from desk.ingest.keeping import forget
from desk.ingest.standing import Ingest
from desk.notify.commands import send_commands
from desk.notify.webhook import collect, deliver
from desk.people.attempts import Attempts
from desk.store.seam import Database
from edge.clock import now, rfc3339
from edge.errors import ConfigError, StoreError

_log = logging.getLogger(__name__)

# A claim reaches its box within this.
_COMMANDS_S = 0.3
_SWEEP_S = _TELL_S = 5.0
_PRUNE_S = 600.0
# A browser that was away for longer fetches anew.
_FEED_HOURS = 2


class Maintenance:
    """Two threads. Each process on a database has them; what only one of them need do is done by who comes to it first."""

    def __init__(self, config: DeskConfig, database: Database, ingest: Ingest | None) -> None:
        self._config, self._database, self._ingest = config, database, ingest
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="maintenance", daemon=True)
        # Of its own: another system that does not answer keeps no claim from its box.
        self._posting = threading.Thread(target=self._post, name="webhook", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self._posting.start()

    def stop(self) -> None:
        """End what is going on."""
        self._ending.set()
        for thread in (self._thread, self._posting):
            thread.join(15.0)
        if self._ingest is not None:
            with suppress(StoreError):
                self._ingest.leave(self._database)

    def _work(self) -> None:
        swept = pruned = told = float("-inf")
        connected = False
        while not self._ending.wait(_COMMANDS_S):
            moment = time.monotonic()
            try:
                if (ingest := self._ingest) is not None and (moment - told > _TELL_S or ingest.link.connected != connected):
                    connected, told = ingest.link.connected, moment
                    ingest.tell(self._database)
                self._send()
                if moment - swept > _SWEEP_S:
                    self._sweep()
                    swept = moment
                if moment - pruned > _PRUNE_S:
                    self.prune()
                    pruned = moment
            except (StoreError, ConfigError) as error:
                _log.error("event=maintenance_waits reason=%s", error)
                self._ending.wait(_SWEEP_S)

    def _send(self) -> None:
        """Through whichever process has a broker: it carries commands to every box."""
        if self._ingest is None or not self._ingest.link.connected:
            return
        with self._database.alone("commands") as mine:
            if mine:
                send_commands(self._database, self._ingest.link.publish)

    def _sweep(self) -> None:
        with self._database.alone("sweep") as mine:
            if mine:
                sweep(self._database, claim_minutes=self._config.claim_minutes)

    def _post(self) -> None:
        hook = self._config.webhook
        while hook is not None and not self._ending.wait(_COMMANDS_S):
            try:
                self._deliver(hook)
            except (StoreError, ConfigError) as error:
                _log.error("event=webhook_waits reason=%s", error)
                self._ending.wait(_SWEEP_S)

    def _deliver(self, hook: WebhookConfig) -> None:
        with self._database.alone("webhook") as mine:
            if mine:
                collect(self._database)
                deliver(self._database, hook, ending=self._ending.is_set)

    def prune(self) -> None:
        """Delete what has had its time."""
        before = rfc3339(datetime.now(UTC) - timedelta(hours=_FEED_HOURS))
        with self._database.write() as tx:
            tx.run("changes_prune", before=before)
            tx.run("sessions_prune", now=now())
            tx.run("command_lapsed", now=now())
            tx.run("erasures_lapsed")
            tx.run("deliveries_prune", before=before)
            tx.run("presence_prune", before=before)
        Attempts(self._database).prune()
        gone = forget(self._database, self._config.keep, datetime.now(UTC))
        if any(gone.values()):
            _log.info("event=forgotten events=%(events)d cases=%(cases)d texts=%(texts)d", gone)
