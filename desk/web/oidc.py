"""Logging in by the site's provider: off to it, and back."""

from dataclasses import asdict

from itsdangerous import BadSignature
from starlette.responses import RedirectResponse, Response

from desk.people.accounts import log_in_known
from desk.people.oidc import NotLetIn, Pending, Provider
from desk.web.ask import Ask
from desk.web.login import entered, inside

_COOKIE = "undertone-desk-oidc"
# A second factor may have to be fetched from another room.
_PENDING_S = 600


def begin(ask: Ask) -> Response:
    """GET /oidc/begin: to the provider."""
    try:
        address, pending = _provider(ask).begin(inside(ask.request.query_params.get("next")))
    except NotLetIn as error:
        return ask.html("login.html", ask.desk.login_page(error=str(error)), 503)
    answer = RedirectResponse(address, status_code=303)
    answer.set_cookie(
        _COOKIE, ask.desk.seal(asdict(pending)), max_age=_PENDING_S, httponly=True, samesite="lax", path="/oidc",
        secure=ask.desk.config.secure_cookies,
    )  # fmt: skip
    return answer


def back(ask: Ask) -> Response:
    """GET /oidc/back: from the provider, with its answer."""
    try:
        pending = Pending(**ask.desk.unsealed(ask.request.cookies.get(_COOKIE, ""), max_age_s=_PENDING_S))
        known = _provider(ask).finish(pending, ask.request.query_params)
    except (BadSignature, TypeError):
        return ask.html("login.html", ask.desk.login_page(error="this log-in was not begun here, or too long ago; begin again"), 400)
    except NotLetIn as error:
        return ask.html("login.html", ask.desk.login_page(error=str(error)), 403)
    secret = log_in_known(ask.desk.database, known.name, known.role, hours=ask.desk.config.session_hours)
    if secret is None:
        return ask.html(
            "login.html", ask.desk.login_page(error=f"{known.name} was disabled here, or is the name of a password log-in"), 403
        )
    answer = entered(ask, secret, pending.there)
    answer.delete_cookie(_COOKIE, path="/oidc")
    return answer


def _provider(ask: Ask) -> Provider:
    assert ask.desk.provider is not None  # noqa: S101 (else there is no such route)
    return ask.desk.provider
