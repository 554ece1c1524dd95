"""The status page as it is asked: over TCP, by who may and who may not, and in a real browser."""

import socket

import pytest

from edge.config import StatusPageConfig
from edge.status_page.server import StatusPage
from tests.browser import axe, chromium, complaints, emulate_width, text, wait
from tests.ports import free_port
from tests.snapshots import snapshot


@pytest.fixture
def page():
    page = StatusPage(StatusPageConfig(port=free_port()))
    page.start()
    yield page
    page.stop()


def asked(page, request, patience_s=10.0):
    """The whole answer to these bytes."""
    assert page.url is not None
    with socket.create_connection(("127.0.0.1", int(page.url.rpartition(":")[2].strip("/"))), timeout=patience_s) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer.decode()


OWN = "Host: 127.0.0.1\n\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (f"GET / HTTP/1.1\n{OWN}", 200),
        (f"GET /?x=1 HTTP/1.1\n{OWN}", 200),
        (f"HEAD / HTTP/1.1\n{OWN}", 200),
        (f"GET /page.js HTTP/1.1\n{OWN}", 200),
        (f"GET /status.json HTTP/1.1\n{OWN}", 200),
        (f"GET /../../etc/passwd HTTP/1.1\n{OWN}", 404),
        (f"GET /style.css HTTP/1.1\n{OWN}", 404),
        ("GET / HTTP/1.1\nHost: evil.example\n\n", 421),
        ("GET / HTTP/1.0\n\n", 421),
        *((f"{method} / HTTP/1.1\n{OWN}", 405) for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT")),
        (f"GET /{'x' * 70_000} HTTP/1.1\n{OWN}", 414),
    ],
)
def test_it_is_to_look_at_and_says_no_more_than_it_is_asked(page, request_, status):
    page.show(snapshot())
    answer = asked(page, request_)
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.0 {status} ")
    assert "Content-Security-Policy: default-src 'none'; script-src 'self';" in head
    assert "Python" not in head
    assert bool(body) == (not request_.startswith("HEAD"))
    if status != 200:
        assert "leeds" not in answer


def test_what_is_no_request_is_told_so(page):
    assert asked(page, "rubbish\n\n") == "Bad Request\n"


def test_who_says_nothing_keeps_nobody_from_looking_and_too_many_are_hung_up_on(page):
    page.show(snapshot())
    port = int(page.url.rpartition(":")[2].strip("/"))
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(7)]
    assert " 200 " in asked(page, f"GET / HTTP/1.1\n{OWN}")
    silent += [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
    # The last one is over the limit: hung up on at once, long before the patience with who says nothing ends.
    silent[-1].settimeout(3.0)
    assert silent[-1].recv(1) == b""
    for connection in silent:
        connection.close()


def test_a_port_that_another_has_is_told_and_nothing_else_happens(page, caplog):
    other = StatusPage(StatusPageConfig(port=int(page.url.rpartition(":")[2].strip("/"))))
    other.start()
    other.show(snapshot())
    assert other.url is None
    assert "page.unserved" in caplog.text
    assert "status_page.port" in caplog.text
    other.stop()


def test_none_is_served_where_none_is_wanted():
    page = StatusPage(StatusPageConfig(port=0))
    page.start()
    assert page.url is None


def test_it_lives_in_a_browser_fits_a_small_phone_and_bars_nobody(page):
    page.show(snapshot())
    with chromium() as browser:
        emulate_width(browser, 320)
        for scheme in ("light", "dark"):
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            browser.get(page.url)
            wait(browser, lambda: text(browser, "#live") == ", live")
            assert axe(browser) == []
            assert browser.execute_script("return document.documentElement.scrollWidth") <= 320
        page.show(snapshot(problems=[], connected=True))
        wait(browser, lambda: "connected" in text(browser, "#unsent ~ dl") and "not" not in text(browser, "#unsent ~ dl"))
        assert complaints(browser) == []
        page.stop()
        wait(browser, lambda: "does not answer" in text(browser, "#live"))
