"""Chromium without a screen, driven by Debian's own driver."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.desk_process import PASSWORD
from tests.paths import TESTS

_WAIT_S = 25


@contextmanager
def chromium(*, width: int = 1200, height: int = 900, dark: bool = False) -> Iterator[Chrome]:
    """A browser of its own, without anything kept from before."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.fail("chromium is not installed; run `make system` (Debian packages chromium, chromium-driver)")
    options = ChromeOptions()
    options.binary_location = program
    for one in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--window-size={width},{height}",
        "--hide-scrollbars",
    ):
        options.add_argument(one)
    if dark:
        options.add_argument("--force-dark-mode")
        options.add_argument("--blink-settings=preferredColorScheme=0")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()


def log_in(browser: Chrome, url: str, name: str = "ann", there: str = "/") -> None:
    """To the page `there`, as `name`."""
    browser.get(f"{url}/login?next={there}")
    browser.find_element(By.NAME, "name").send_keys(name)
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "button.main").click()
    wait(browser, lambda: "/login" not in browser.current_url)


def wait(browser: Chrome, found: "object", seconds: float = _WAIT_S) -> object:
    """Until `found()` is true."""
    return WebDriverWait(browser, seconds, poll_frequency=0.05).until(lambda _: found())


def click(browser: Chrome, by: str, value: str) -> None:
    """Press what is there, also where the stream puts a new one in its place just now."""
    _with_patience(browser, lambda: browser.find_element(by, value).click())


def choose(browser: Chrome, id_: str, value: str) -> None:
    """Choose `value` in the list with that id."""
    _with_patience(browser, lambda: Select(browser.find_element(By.ID, id_)).select_by_value(value))


def _with_patience(browser: Chrome, act: Callable[[], None]) -> None:
    def done() -> bool:
        try:
            act()
        except (StaleElementReferenceException, NoSuchElementException):
            return False
        return True

    wait(browser, done)


def text(browser: Chrome, selector: str) -> str:
    """What is at `selector`; "" where nothing is."""
    return str(browser.execute_script("const p = document.querySelector(arguments[0]); return p ? p.innerText : ''", selector))


def emulate_width(browser: Chrome, width: int, height: int = 800) -> None:
    """A screen narrower than a window may be."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    )


def complaints(browser: Chrome) -> list[str]:
    """What the browser complained of: scripts that failed, what the policy kept out."""
    return [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]


def axe(browser: Chrome) -> list[tuple[str, str]]:
    """What axe finds serious or critical: the rule and the element that breaks it."""
    # By the debugger: the page's own policy lets no script in.
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": (TESTS / "vendored" / "axe.min.js").read_text(encoding="utf-8")})
    answer = browser.execute_cdp_cmd(
        "Runtime.evaluate",
        {"expression": "axe.run().then((found) => JSON.stringify([found.passes.length, found.violations]))", "awaitPromise": True},
    )
    passes, problems = json.loads(answer["result"]["value"])
    assert passes > 5, "axe has not looked"
    return [(one["id"], one["nodes"][0]["html"][:150]) for one in problems if one["impact"] in {"serious", "critical"}]
