"""Logging in and out."""

from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from desk.people.accounts import log_in, log_out
from desk.web.ask import COOKIE, Ask


def form(ask: Ask) -> Response:
    """GET /login."""
    with ask.desk.database.read() as tx:
        nobody = int((tx.one("users_count") or {"n": 0})["n"]) == 0
    return ask.html("login.html", ask.desk.login_page(there=inside(ask.request.query_params.get("next")), nobody=nobody))


def enter(ask: Ask) -> Response:
    """POST /login."""
    name, there = str(ask.body.get("name", ""))[:100], inside(ask.body.get("next"))
    host = ask.request.client.host if ask.request.client else "nowhere"
    keys = (f"name:{name}", f"host:{host}")
    wait = ask.desk.attempts.take(*keys)
    if wait > 0:
        return ask.html("login.html", ask.desk.login_page(there=there, name=name, error=f"too many attempts; wait {wait:.0f} s"), 429)
    secret = log_in(ask.desk.database, name, str(ask.body.get("password", ""))[:1000], hours=ask.desk.config.session_hours)
    if secret is None:
        return ask.html("login.html", ask.desk.login_page(there=there, name=name, error="name or password is wrong"), 401)
    ask.desk.attempts.forgive(*keys, name=keys[0])
    return entered(ask, secret, there)


def entered(ask: Ask, secret: str, there: str) -> Response:
    """On to `there`, with the session's secret."""
    answer = RedirectResponse(there, status_code=303)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=int(ask.desk.config.session_hours * 3600),
        httponly=True,
        samesite="lax",
        secure=ask.desk.config.secure_cookies,
    )
    return answer


def leave(ask: Ask) -> Response:
    """POST /logout."""
    log_out(ask.desk.database, ask.who)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def inside(there: object) -> str:
    """`there` if it is a path of ours."""
    if not isinstance(there, str) or not there.startswith("/") or there.startswith(("//", "/\\")):
        return "/"
    split = urlsplit(there)
    return there if not split.netloc and not split.scheme else "/"
