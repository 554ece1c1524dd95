"""Changes of cases to another system: signed, at least once, in order of their making, later where the other end is away."""

import hashlib
import hmac
import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path

from desk.config import WebhookConfig
from desk.store.seam import Database, Row, Transaction
from edge.clock import now, rfc3339
from edge.errors import ConfigError
from edge.files.text import unread

# Doubling from here, with full jitter, to an hour: a system that was away for a day is not met by a storm.
_FIRST_S, _LONGEST_S = 2.0, 3600.0
_TIMEOUT_S = 10.0
Post = Callable[[str, bytes, dict[str, str]], None]


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 over "<stamp>.<body>": the other end refuses what is old or was changed, and drops ids that it has."""
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def collect(database: Database) -> int:
    """Make a delivery of each action that has none yet; returns how many."""
    with database.read() as tx:
        if not _new_actions(tx):
            return 0
    at = now()
    with database.write() as tx:
        # Once more: a customer may have been erased since.
        rows = _new_actions(tx)
        for row in rows:
            told = {key: row[key] for key in ("case_id", "call", "version", "kind", "at", "actor")} | {"data": json.loads(row["data"])}
            tx.run("delivery_add", id=f"action-{row['seq']}", body=json.dumps(told, ensure_ascii=False), at=at)
        if rows:
            tx.run("meta_set", key="webhook_seq", value=str(rows[-1]["seq"]))
    return len(rows)


def _new_actions(tx: Transaction) -> list[Row]:
    known = tx.one("meta_get", key="webhook_seq")
    return tx.all("actions_from", seq=int(known["value"]) if known else 0, most=500)


def deliver(database: Database, config: WebhookConfig, post: Post | None = None, *, ending: Callable[[], bool] = lambda: False) -> int:
    """Post what is due, until `ending`; returns how many were taken. What fails waits, and everything behind it does not."""
    with database.read() as tx:
        due = tx.all("deliveries_due", now=now())
    taken = 0
    for row in due:
        if ending():
            break
        with database.read() as tx:
            # As it is now: a customer may have been erased while those before it were posted.
            if (due_now := tx.one("delivery", seq=row["seq"])) is None:
                continue
        body, stamp = due_now["body"].encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json", "Undertone-Id": row["id"], "Undertone-Timestamp": stamp,
            "Undertone-Signature": f"v1={signature(_secret(config), stamp, body)}",
        }  # fmt: skip
        try:
            (post or _post)(config.url, body, headers)
        except (OSError, HTTPException) as error:
            longest = min(_FIRST_S * 2 ** min(row["tries"], 20), _LONGEST_S)
            again = rfc3339(datetime.now(UTC) + timedelta(seconds=random.uniform(0, longest)))  # noqa: S311 (jitter)
            with database.write() as tx:
                tx.run("delivery_again", seq=row["seq"], due_at=again, error=str(error)[:200])
        else:
            with database.write() as tx:
                tx.run("delivery_done", seq=row["seq"], at=now())
            taken += 1
    return taken


def _post(url: str, body: bytes, headers: dict[str, str]) -> None:
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 (http or https: the configuration's pattern)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310 (as above)
        pass


def _secret(config: WebhookConfig) -> bytes:
    try:
        return Path(config.secret_file).read_text(encoding="utf-8").partition("\n")[0].encode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            unread(error), path=Path(config.secret_file), where="webhook.secret_file", remedy="write the key as its first line"
        ) from error
