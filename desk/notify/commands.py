"""Commands to boxes, from the database to the broker: what could not be sent waits there."""

from collections.abc import Callable, Sequence

from desk.store.seam import Database
from edge.clock import now


def send_commands(database: Database, publish: Callable[[Sequence[tuple[str, str]]], int]) -> int:
    """Send what is pending, oldest first; returns how many the broker took.

    `publish` gets topics and bodies, and says how many of the first it got rid of.
    """
    with database.read() as tx:
        pending = tx.all("commands_pending")
    if not pending:
        return 0
    done = publish([(command["topic"], command["body"]) for command in pending])
    if done:
        at = now()
        with database.write() as tx:
            tx.many("command_sent", [{"seq": command["seq"], "at": at} for command in pending[:done]])
    return done
