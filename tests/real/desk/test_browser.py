"""The pages in a real browser: live, by keyboard, narrow, for two people, offline and back, and for who does not see them."""

import time

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from edge.clock import uuid7
from tests.browser import axe, choose, chromium, click, complaints, emulate_width, log_in, text, wait
from tests.http_proxy import HttpProxy


@pytest.fixture
def browser():
    with chromium() as browser:
        yield browser


def live(browser):
    wait(browser, lambda: text(browser, "#live") == "Live")


def press(browser, *keys):
    ActionChains(browser).send_keys(*keys).perform()


def test_the_main_path_live(desk, box, browser):
    log_in(browser, desk.url)
    live(browser)
    assert "Nothing here" in text(browser, "#list")
    box.tell(*box.call(customer_ref="K-1", callback="+441134960000"))
    told = time.monotonic()
    wait(browser, lambda: "Case 1" in text(browser, "#list"))
    assert time.monotonic() - told < 10
    wait(browser, lambda: browser.title.startswith("(1)"))
    click(browser, By.ID, "claim-1")
    wait(browser, lambda: "yours since" in text(browser, "#row-1"))
    click(browser, By.ID, "open-1")
    live(browser)
    choose(browser, "result", "reached")
    click(browser, By.XPATH, "//button[.='Note the attempt']")
    wait(browser, lambda: "contacted" in text(browser, "#case .line"))
    choose(browser, "outcome", "resolved")
    browser.find_element(By.NAME, "action").send_keys("refund")
    click(browser, By.XPATH, "//button[.='Close the case']")
    wait(browser, lambda: "closed" in text(browser, "#case .line"))
    wait(browser, lambda: "accepted" in text(browser, "#live-part"))
    browser.get(f"{desk.url}/history?outcome=resolved")
    assert "1: billing error" in text(browser, "table")
    browser.get(f"{desk.url}/impact")
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#weeks canvas"))
    assert complaints(browser) == []


@pytest.mark.takes(12)
def test_two_people_on_one_case_and_what_is_typed_stays(desk, box, browser):
    box.tell(*box.call())
    log_in(browser, desk.url)
    wait(browser, lambda: "Case 1" in text(browser, "#list"))
    browser.get(f"{desk.url}/case/1")
    live(browser)
    note = browser.find_element(By.ID, "close-note")
    note.send_keys("half a sentence")
    choose(browser, "outcome", "resolved")
    with chromium() as other:
        log_in(other, desk.url, "ben", "/case/1")
        wait(browser, lambda: "ben is looking" in text(browser, "#live-part"), 40)
        click(other, By.ID, "claim-1")
        wait(other, lambda: "yours" in text(other, "#case"))
    wait(browser, lambda: "ben has it" in text(browser, "#case"))
    assert note.get_property("value") == "half a sentence"
    click(browser, By.XPATH, "//button[.='Close the case']")
    wait(browser, lambda: "ben has it" in text(browser, "#told"))
    assert note.get_property("value") == "half a sentence"
    browser.refresh()
    assert browser.find_element(By.ID, "close-note").get_property("value") == "half a sentence"


def test_rows_do_not_move_under_the_focus(desk, box, browser):
    first = uuid7()
    box.tell(box.started(first), box.alert(first, severity="medium"))
    log_in(browser, desk.url)
    live(browser)
    wait(browser, lambda: "Case 1" in text(browser, "#list"))
    press(browser, "j")
    assert browser.switch_to.active_element.get_attribute("id") == "open-1"
    graver = uuid7()
    box.tell(box.started(graver), box.alert(graver, severity="critical"))
    wait(browser, lambda: "1 new" in text(browser, "#fresh"))
    assert "Case 2" not in text(browser, "#rows")
    assert browser.switch_to.active_element.get_attribute("id") == "open-1"
    box.tell(box.alert(first, 2, severity="high", state="update"))
    wait(browser, lambda: "high" in text(browser, "#row-1"))
    assert browser.switch_to.active_element.get_attribute("id") == "open-1"
    click(browser, By.ID, "fresh")
    rows = browser.execute_script("return [...document.querySelectorAll('li.row')].map((row) => row.id)")
    assert rows == ["row-2", "row-1"]


def test_by_keyboard_alone_and_no_key_closes(desk, box, browser):
    box.tell(*box.call())
    log_in(browser, desk.url)
    live(browser)
    wait(browser, lambda: "Case 1" in text(browser, "#list"))
    press(browser, "j")
    press(browser, "c")
    wait(browser, lambda: "yours" in text(browser, "#row-1"))
    press(browser, "j", Keys.ENTER)
    wait(browser, lambda: "/case/1" in browser.current_url)
    live(browser)
    for key in "abcdefhijklmnopqrstuvwxyz":
        browser.execute_script("document.activeElement.blur()")
        press(browser, key)
    press(browser, Keys.ESCAPE)
    browser.execute_script("document.activeElement.blur()")
    press(browser, "f")
    assert browser.switch_to.active_element.get_attribute("id") == "close-note"
    assert browser.find_element(By.ID, "outcome").get_property("value") == "false_alarm"
    press(browser, "wrong number, a test call", Keys.TAB, Keys.ENTER)
    wait(browser, lambda: "false alarm" in text(browser, "#case"))
    browser.get(f"{desk.url}/keys")
    click(browser, By.ID, "keys-on")
    browser.execute_script("document.activeElement.blur()")
    press(browser, "g")
    assert browser.current_url.endswith("/keys")


@pytest.mark.takes(15)
def test_stale_while_the_desk_is_away_and_right_after(desk, box, browser):
    log_in(browser, desk.url)
    live(browser)
    desk.kill()
    wait(browser, lambda: text(browser, "#live") == "Stale", 40)
    box.tell(*box.call())
    desk.start()
    wait(browser, lambda: text(browser, "#live") == "Live", 60)
    wait(browser, lambda: "Case 1" in text(browser, "#list"))


@pytest.mark.takes(12)
def test_a_hidden_tab_and_a_seventh_one_are_right_when_they_are_shown(desk, box, browser):
    log_in(browser, desk.url)
    for _ in range(6):
        browser.switch_to.new_window("tab")
        browser.get(desk.url)
    live(browser)
    box.tell(*box.call())
    wait(browser, lambda: "Case 1" in text(browser, "#list"))
    browser.switch_to.window(browser.window_handles[0])
    wait(browser, lambda: "Case 1" in text(browser, "#list"))
    assert text(browser, "#live") == "Live"


@pytest.mark.takes(15)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_axe_and_nothing_wider_than_a_small_phone(desk, box, browser, scheme):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    box.tell(box.state(), *box.call(customer_ref="K-1", callback="+441134960000"), box.health())
    emulate_width(browser, 320)
    browser.get(f"{desk.url}/login")
    found = {"/login": axe(browser)}
    log_in(browser, desk.url)
    wait(browser, lambda: "Case 1" in text(browser, "#list"))
    for address in ("/", "/case/1", "/history", "/impact", "/boxes", "/audit", "/keys"):
        browser.get(desk.url + address)
        live(browser)
        found[address] = axe(browser)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 320, address
    assert {address: problems for address, problems in found.items() if problems} == {}


@pytest.mark.takes(15)
def test_behind_a_proxy_that_holds_the_stream_back_the_list_is_asked_for(desk, box, browser):
    with HttpProxy(desk.url) as proxy:
        proxy.mode = "hold"
        log_in(browser, proxy.url)
        box.tell(*box.call())
        wait(browser, lambda: "Case 1" in text(browser, "#list"), 40)
        assert text(browser, "#live") != "Live"


@pytest.mark.takes(20)
def test_after_a_503_the_list_is_right_again_by_itself(desk, box, browser):
    with HttpProxy(desk.url) as proxy:
        log_in(browser, proxy.url)
        live(browser)
        proxy.mode = "away"
        # The next beat ends the stream; what the browser tries then is refused.
        wait(browser, lambda: text(browser, "#live") == "Stale", 40)
        box.tell(*box.call())
        proxy.mode = "pass"
        wait(browser, lambda: text(browser, "#live") == "Live", 60)
        wait(browser, lambda: "Case 1" in text(browser, "#list"))


def test_several_cases_are_marked_and_closed_at_once_by_keyboard(desk, box, browser):
    for _ in range(3):
        box.tell(*box.call())
    log_in(browser, desk.url, there="/?who=all")
    live(browser)
    wait(browser, lambda: "Case 3" in text(browser, "#list"))
    assert not browser.find_element(By.ID, "bulk").is_displayed()
    press(browser, "j", "x", "j", "x")
    wait(browser, lambda: "2 marked" in text(browser, "#bulk"))
    # Meanwhile somebody has one of them.
    desk.api(name="ben").post("/api/cases/2/claim", json={})
    wait(browser, lambda: "ben has it" in text(browser, "#row-2"))
    assert "2 marked" in text(browser, "#bulk")
    browser.execute_script("document.activeElement.blur()")
    press(browser, "b")
    assert browser.switch_to.active_element.get_attribute("id") == "bulk-claim"
    choose(browser, "bulk-outcome", "duplicate")
    click(browser, By.XPATH, "//form[@id='bulk']//button[.='Close']")
    wait(browser, lambda: "1 of 2 done. Case 2: ben has it" in text(browser, "#told"))
    wait(browser, lambda: "1 marked" in text(browser, "#bulk"))
    api = desk.api(name="look")
    assert [api.get(f"/api/cases/{n}").json()["state"] for n in (1, 2, 3)] == ["closed", "claimed", "open"]


def test_what_waits_behind_the_button_pages_all_the_same_and_only_once(desk, box, browser):
    log_in(browser, desk.url)
    live(browser)
    browser.execute_script(
        "window.beeps = 0; const real = OscillatorNode.prototype.start;"
        "OscillatorNode.prototype.start = function (...given) { window.beeps += 1; return real.apply(this, given); };"
    )

    def beeps():
        return browser.execute_script("return window.beeps")

    assert text(browser, "#alarm") == "Sound is off: turn on"
    click(browser, By.ID, "alarm")
    wait(browser, lambda: text(browser, "#alarm") == "Sound is on")
    assert browser.find_element(By.ID, "alarm").get_attribute("aria-pressed") == "true"
    # One, to hear that it works.
    wait(browser, lambda: beeps() == 1)
    first, second, old = uuid7(), uuid7(), uuid7()
    box.tell(box.started(first), box.alert(first, severity="medium"))
    wait(browser, lambda: beeps() == 2)
    press(browser, "j")
    box.tell(box.started(second), box.alert(second))
    wait(browser, lambda: "1 new" in text(browser, "#fresh"))
    wait(browser, lambda: beeps() == 3)
    assert browser.title.startswith("(2)")
    # What may wake nobody any more is shown and counted, and silent; what got graver is not.
    box.tell(
        box.started(old), box.alert(old, page_until="2026-01-01T00:00:00.000Z"), box.alert(first, 2, severity="critical", state="update")
    )
    wait(browser, lambda: browser.title.startswith("(3)"))
    wait(browser, lambda: beeps() == 4)
    click(browser, By.ID, "alarm")
    wait(browser, lambda: text(browser, "#alarm") == "Sound is off: turn on")


def test_the_queue_says_live_that_a_box_is_not_well_and_when_it_is_again(desk, box, browser):
    box.tell(box.state(), box.health())
    log_in(browser, desk.url)
    live(browser)
    wait(browser, lambda: "not well" not in text(browser, "#list") and "Nothing here" in text(browser, "#list"))
    box.tell(box.state("degraded", n=2))
    wait(browser, lambda: "1 of 1 box is not well" in text(browser, "#list"))
    box.tell(box.state(n=3))
    wait(browser, lambda: "not well" not in text(browser, "#list"))


def test_a_case_is_fetched_at_once_though_a_box_has_just_told_of_itself(desk, box, browser):
    log_in(browser, desk.url)
    live(browser)
    browser.execute_script(
        "window.waits = []; const real = window.setTimeout;"
        "window.setTimeout = (what, ms, ...given) => { window.waits.push(ms); return real(what, ms, ...given); };"
    )

    def waits():
        return browser.execute_script("return window.waits")

    box.tell(box.state(), box.health())
    wait(browser, lambda: 3000 in waits())
    box.tell(*box.call())
    wait(browser, lambda: 120 in waits())
    wait(browser, lambda: "Case 1" in text(browser, "#list"))


@pytest.mark.takes(12)
def test_a_case_that_somebody_closes_offers_no_more_to_do_but_leaves_what_was_begun(desk, box, browser):
    box.tell(*box.call())
    log_in(browser, desk.url)
    wait(browser, lambda: "Case 1" in text(browser, "#list"))
    browser.get(f"{desk.url}/case/1")
    live(browser)
    click(browser, By.ID, "as-table-s")
    browser.find_element(By.CSS_SELECTOR, "[data-draft=attempt-1]").send_keys("she said")
    desk.api(name="ben").post("/api/cases/1/close", json={"outcome": "resolved"})
    wait(browser, lambda: "closed" in text(browser, "#case .line"))

    def shown():
        forms = browser.find_elements(By.CSS_SELECTOR, ".forms form")
        return {form.get_attribute("data-act") for form in forms if form.is_displayed()}

    wait(browser, lambda: shown() == {"attempt", "note"})
    assert "Hand on" not in text(browser, ".forms")
    assert browser.find_element(By.ID, "as-table").get_attribute("open")
    press(browser, Keys.ESCAPE)
    browser.find_element(By.CSS_SELECTOR, "[data-draft=attempt-1]").send_keys(Keys.CONTROL, "a", Keys.BACKSPACE)
    click(browser, By.ID, "reopen-1")
    wait(browser, lambda: shown() == {"attempt", "note", "close", "assign", "snooze"})


@pytest.mark.takes(12)
def test_what_is_sent_without_a_network_is_kept_and_goes_when_it_is_back(desk, box, browser):
    def network(*, offline):
        browser.execute_cdp_cmd(
            "Network.emulateNetworkConditions", {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        )

    box.tell(*box.call())
    log_in(browser, desk.url)
    wait(browser, lambda: "Case 1" in text(browser, "#list"))
    browser.get(f"{desk.url}/case/1")
    live(browser)
    browser.execute_cdp_cmd("Network.enable", {})
    network(offline=True)
    browser.find_element(By.ID, "note").send_keys("said in the dark")
    click(browser, By.XPATH, "//button[.='Add the note']")
    wait(browser, lambda: "Not sent" in text(browser, "#told"))
    assert browser.find_element(By.ID, "note").get_property("value") == "said in the dark"
    network(offline=False)
    click(browser, By.XPATH, "//button[.='Add the note']")
    wait(browser, lambda: "said in the dark" in text(browser, ".done"))
    wait(browser, lambda: text(browser, "#live") == "Live", 40)


def test_the_history_of_a_small_phone_breaks_no_word(desk, box, browser):
    box.tell(*box.call(customer_ref="K-1", callback="+441134960000"))
    emulate_width(browser, 320)
    log_in(browser, desk.url, there="/history")
    wait(browser, lambda: (browser.refresh(), "billing" in text(browser, "table"))[1])
    line = browser.execute_script("return parseFloat(getComputedStyle(document.querySelector('td')).lineHeight)")
    high = browser.execute_script("return document.querySelector('td a').getBoundingClientRect().height")
    assert high < 2.5 * line
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 320
