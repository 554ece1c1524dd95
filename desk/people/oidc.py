"""Logging in by a site's own provider (OpenID Connect 1.0, code flow with PKCE); the role is read from a claim."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from desk.config import OidcConfig
from desk.people.accounts import NAME
from desk.people.roles import Role
from edge.errors import ConfigError
from edge.files.text import unread

_TIMEOUT_S = 10.0
# What signs with a key that only the provider has; never "none", and no shared secret.
_ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")
# Two clocks.
_LEEWAY_S = 60


class NotLetIn(Exception):  # noqa: N818 (an answer, not a failure)
    """The provider, or what it says, does not let this person in; the message is for the person and holds no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A log-in on its way, kept by the browser in a signed cookie."""

    state: str
    nonce: str
    verifier: str
    there: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Whom the provider vouches for."""

    name: str
    role: Role


class Provider:
    """The provider that `config` names, read from its discovery document when it is first needed."""

    def __init__(self, config: OidcConfig) -> None:
        self._config = config
        self._found: Mapping[str, Any] | None = None

    def begin(self, there: str) -> tuple[str, Pending]:
        """Where to send the browser, and what to keep until it is back. Raises NotLetIn."""
        pending = Pending(state=secrets.token_urlsafe(24), nonce=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48), there=there)
        with self._session() as session:
            address, _ = session.create_authorization_url(
                self._discovered(session)["authorization_endpoint"],
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
            )
        return str(address), pending

    def finish(self, pending: Pending, answer: Mapping[str, str]) -> Known:
        """Who has come back with `answer` (the query of the callback). Raises NotLetIn."""
        if answer.get("error"):
            raise NotLetIn(f"the provider says: {answer['error'][:100]}")
        if not secrets.compare_digest(answer.get("state", ""), pending.state) or not answer.get("code"):
            raise NotLetIn("this log-in was not begun here, or too long ago; begin again")
        with self._session() as session:
            found = self._discovered(session)
            try:
                token = session.fetch_token(
                    found["token_endpoint"], grant_type="authorization_code", code=answer["code"], code_verifier=pending.verifier
                )
                keys = KeySet.import_key_set(session.request("GET", found["jwks_uri"], withhold_token=True, timeout=_TIMEOUT_S).json())
                read = jwt.decode(token["id_token"], keys, algorithms=_ALGORITHMS)
                claims = CodeIDToken(
                    read.claims,
                    read.header,
                    options={
                        "iss": {"essential": True, "value": found["issuer"]}, "aud": {"essential": True, "value": self._config.client_id},
                    },
                    params={"nonce": pending.nonce, "client_id": self._config.client_id, "access_token": token.get("access_token")},
                )  # fmt: skip
                claims.validate(leeway=_LEEWAY_S)
            except (RequestException, JoseError, KeyError, TypeError, ValueError) as error:
                raise NotLetIn(f"what the provider says cannot be trusted: {type(error).__name__}") from error
            except Exception as error:
                # authlib's own tree has no root that it shares with its parts; what is none of it is a defect.
                if not type(error).__module__.startswith("authlib"):
                    raise
                raise NotLetIn(f"the provider refuses: {str(error)[:100]}") from error
        return self._known(claims)

    def _known(self, claims: Mapping[str, Any]) -> Known:
        name, given = claims.get(self._config.name_claim), claims.get(self._config.role_claim)
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise NotLetIn(f"the claim {self._config.name_claim} holds no name that the desk can take")
        groups = {one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str)}
        mine = {Role(role) for role, wanted in self._config.roles.items() if groups & set(wanted)}
        # The most that any of the groups may.
        for role in reversed(Role):
            if role in mine:
                return Known(name=name, role=role)
        raise NotLetIn(f"{name} has no role here: none of the groups in the claim {self._config.role_claim} has one")

    def _session(self) -> OAuth2Session:
        return OAuth2Session(
            self._config.client_id, self._secret(), scope="openid profile email", redirect_uri=self._config.callback,
            code_challenge_method="S256", default_timeout=_TIMEOUT_S,
        )  # fmt: skip

    def _secret(self) -> str | None:
        if self._config.client_secret_file is None:
            return None
        path = Path(self._config.client_secret_file)
        try:
            return path.read_text(encoding="utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                unread(error), path=path, where="oidc.client_secret_file", remedy="write the secret as its first line"
            ) from error

    def _discovered(self, session: OAuth2Session) -> Mapping[str, Any]:
        """The provider's endpoints (OpenID Connect Discovery 1.0, 4). Raises NotLetIn where it is away."""
        if self._found is None:
            issuer = self._config.issuer.rstrip("/")
            try:
                found = session.request("GET", f"{issuer}/.well-known/openid-configuration", withhold_token=True, timeout=_TIMEOUT_S).json()
            except (RequestException, ValueError) as error:
                raise NotLetIn("the provider does not answer; log in with a password, or try again") from error
            if not isinstance(found, dict) or str(found.get("issuer", "")).rstrip("/") != issuer:
                raise NotLetIn("the provider calls itself by another name than oidc.issuer")
            self._found = found
        return self._found
