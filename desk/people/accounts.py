"""People and tokens: argon2 for passwords; tokens and sessions are kept as digests only."""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from desk.people.roles import Role
from desk.store.seam import Database, Transaction
from edge.clock import now, rfc3339
from edge.errors import UsageError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@ -]{0,62}")
_NAMES = "give letters, digits, spaces and . _ @ -, at most 63 of them"
_SHORTEST = 8
_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is there: `routes` empty: every route."""

    name: str
    role: Role
    routes: tuple[str, ...] = ()
    session: str | None = None


def add_user(database: Database, name: str, role: str, password: str, routes: tuple[str, ...] = ()) -> None:
    """Add a person, or give one a new password and role. Raises UsageError."""
    if not NAME.fullmatch(name):
        raise UsageError(f"'{name}' is no name", remedy=_NAMES)
    if len(password) < _SHORTEST:
        raise UsageError(f"the password has under {_SHORTEST} characters", remedy="give a longer one as the first line of the file")
    hashed = _hasher.hash(password)
    with database.write() as tx:
        tx.run("user_set", name=name, role=Role(role).value, password=hashed, routes=json.dumps(routes), at=now())
        tx.run("sessions_of_user_drop", name=name)
        tx.run("audit_add", at=now(), who="command line", what="user add", detail=f"{name} as {role}")


def add_token(database: Database, name: str, role: str) -> str:
    """A new token for a program called `name`; shown this once."""
    if not NAME.fullmatch(name):
        raise UsageError(f"'{name}' is no name", remedy=_NAMES)
    token = f"utd_{secrets.token_urlsafe(32)}"
    with database.write() as tx:
        tx.run("token_add", digest=digest(token), name=name, role=Role(role).value, at=now())
        tx.run("audit_add", at=now(), who="command line", what="token add", detail=f"{name} as {role}")
    return token


def digest(secret: str) -> str:
    """What is stored of a token or a session: it has 256 bits, so no salt and no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def by_token(database: Database, token: str) -> Person | None:
    """Whose token it is."""
    with database.read() as tx:
        row = tx.one("token_get", digest=digest(token))
    return None if row is None else Person(name=row["name"], role=Role(row["role"]))


@cache
def _decoy() -> str:
    return _hasher.hash(secrets.token_hex(16))


def log_in(database: Database, name: str, password: str, *, hours: float) -> str | None:
    """A new session's secret, or None. It takes as long for a name that nobody has."""
    with database.read() as tx:
        row = tx.one("user_get", name=name)
    try:
        _hasher.verify(row["password"] if row else _decoy(), password)
    except (Argon2Error, InvalidHashError):
        row = None
    good = row is not None and not row["disabled"]
    with database.write() as tx:
        tx.run("audit_add", at=now(), who=name[:63], what="login" if good else "login refused", detail="")
        tx.run("sessions_prune", now=now())
        return _session(tx, name, hours) if good else None


def log_in_known(database: Database, name: str, role: Role, *, hours: float) -> str | None:
    """A new session's secret for whom the provider vouches; None where they were disabled, or the name has a password here."""
    with database.write() as tx:
        good = tx.run("user_known", name=name, role=role.value, at=now()) == 1
        tx.run("audit_add", at=now(), who=name, what="login" if good else "login refused", detail="by the provider")
        return _session(tx, name, hours) if good else None


def _session(tx: Transaction, name: str, hours: float) -> str:
    secret = secrets.token_urlsafe(32)
    expires = rfc3339(datetime.now(UTC) + timedelta(hours=hours))
    tx.run("session_add", digest=digest(secret), name=name, at=now(), expires_at=expires)
    return secret


def by_session(database: Database, secret: str) -> Person | None:
    """Whose session it is."""
    with database.read() as tx:
        row = tx.one("session_get", digest=digest(secret), now=now())
    if row is None:
        return None
    return Person(name=row["name"], role=Role(row["role"]), routes=tuple(json.loads(row["routes"])), session=digest(secret))


def log_out(database: Database, person: Person) -> None:
    """End the session."""
    with database.write() as tx:
        tx.run("session_drop", digest=person.session)
        tx.run("audit_add", at=now(), who=person.name, what="logout", detail="")
