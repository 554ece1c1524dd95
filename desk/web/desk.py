"""What every route works with: configuration, database, what this process takes in, secrets."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

from desk.cases.promise import Calendar
from desk.config import DeskConfig
from desk.ingest.alerts import calendar
from desk.ingest.standing import Ingest, Standing, standings
from desk.people.attempts import Attempts
from desk.store.seam import Database
from desk.web.render import Renderer
from edge.errors import ConfigError

if TYPE_CHECKING:
    from desk.people.oidc import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One process of the desk."""

    config: DeskConfig
    database: Database
    ingest: Ingest | None
    signer: URLSafeSerializer
    sealer: URLSafeTimedSerializer
    provider: "Provider | None"
    renderer: Renderer
    calendar: Calendar
    attempts: Attempts

    @classmethod
    def of(cls, config: DeskConfig, database: Database, ingest: Ingest | None) -> "Desk":
        """With the secret that the database keeps."""
        secret = _secret(database)
        return cls(
            config=config, database=database, ingest=ingest, signer=URLSafeSerializer(secret, salt="csrf"),
            sealer=URLSafeTimedSerializer(secret, salt="oidc"), provider=_provider(config),
            renderer=Renderer(config.zone), calendar=calendar(config), attempts=Attempts(database),
        )  # fmt: skip

    def standings(self) -> list[Standing]:
        """How each process that takes in events does. Raises StoreError."""
        return standings(self.database, self.ingest)

    def seal(self, kept: Mapping[str, str]) -> str:
        """`kept`, for a browser to keep, so that nobody else can have made it."""
        return str(self.sealer.dumps(dict(kept)))

    def unsealed(self, sealed: str, *, max_age_s: int) -> dict[str, str]:
        """What was sealed. Raises BadSignature."""
        found = self.sealer.loads(sealed, max_age=max_age_s)
        return found if isinstance(found, dict) else {}

    def login_page(self, *, there: str = "/", name: str = "", error: str | None = None, nobody: bool = False) -> dict[str, object]:
        """What the page of logging in shows."""
        oidc = self.config.oidc
        provider = None if oidc is None else oidc.label
        return {"next": there, "name": name, "error": error, "nobody": nobody and oidc is None, "provider": provider}

    def csrf(self, session: str) -> str:
        """The token that forms of this session carry."""
        return str(self.signer.dumps(session[:32]))

    def csrf_good(self, session: str, token: str) -> bool:
        """Whether `token` is that one."""
        try:
            return bool(self.signer.loads(token) == session[:32])
        except BadSignature:
            return False


def _provider(config: DeskConfig) -> "Provider | None":
    if config.oidc is None:
        return None
    try:
        from desk.people.oidc import Provider
    except ImportError as error:
        raise ConfigError("needs authlib", where="oidc", remedy="pip install 'undertone[desk,oidc]'") from error
    return Provider(config.oidc)


def _secret(database: Database) -> str:
    with database.write() as tx:
        row = tx.one("meta_get", key="secret")
        if row is None:
            tx.run("meta_set", key="secret", value=secrets.token_urlsafe(32))
            row = tx.one("meta_get", key="secret")
    assert row is not None  # noqa: S101 (it was just written)
    return str(row["value"])
