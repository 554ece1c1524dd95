"""The counters of the topics: no number is given out twice."""

import zlib

from edge.outbox.sqlite import DamageError
from edge.outbox.store import Store


def count_up(store: Store, topic: str, by: int) -> int:
    """The topic's sequence after counting `by` further; inside a commit. Raises DamageError where the counter is not as it was left."""
    found = store.execute("SELECT last, crc FROM sequences WHERE topic = ?", (topic,)).fetchone()
    if found is not None and not whole(topic, *found):
        raise DamageError("a counter is not as it was left")
    return set_to(store, topic, (store.base if found is None else found[0]) + by)


def set_to(store: Store, topic: str, last: int) -> int:
    """`last` is the topic's last number; inside a commit."""
    store.execute("INSERT OR REPLACE INTO sequences VALUES (?, ?, ?)", (topic, last, _checksum(topic, last)))
    return last


def whole(topic: object, last: object, crc: object) -> bool:
    """Whether a counter is as it was left. One of an earlier layout has nothing that vouches for it."""
    return isinstance(topic, str) and isinstance(last, int) and (crc is None or crc == _checksum(topic, last))


def _checksum(topic: str, last: int) -> int:
    return zlib.crc32(f"{topic} {last}".encode(errors="surrogatepass"))
