"""Who asks for less motion gets none, on any page, also of what a later style would move."""

import pytest

from tests.browser import chromium, log_in, wait

_STYLES = """
const moved = document.querySelector('main');
moved.style.transition = 'opacity 2s';
moved.style.animation = 'spin 2s infinite';
const style = getComputedStyle(moved);
return [style.transitionDuration, style.animationName, document.getAnimations().length];
"""


@pytest.mark.takes(12)
def test_nothing_moves_where_less_motion_is_asked_for(desk, box):
    box.tell(*box.call())
    with chromium() as browser:
        log_in(browser, desk.url)
        wait(browser, lambda: browser.find_elements("id", "row-1"))
        for asked, moves in (("reduce", ["0s", "none", 0]), ("no-preference", ["2s", "spin", 0])):
            feature = {"name": "prefers-reduced-motion", "value": asked}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            for address in ("/", "/case/1", "/history", "/impact", "/boxes", "/keys"):
                browser.get(f"{desk.url}{address}")
                assert browser.execute_script(_STYLES) == moves, address
