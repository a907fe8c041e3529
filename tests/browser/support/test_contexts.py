"""Contexts pass from test to test: what one test leaves there, the next does not find."""

from contextlib import ExitStack, closing
from dataclasses import replace

from tests.browser.conftest import Desk
from tests.browser.support.contexts import Seats

LEAVE = "document.cookie = localStorage.left = sessionStorage.left = 'left=1'"
FOUND = "[document.cookie, ...Object.keys(localStorage), ...Object.keys(sessionStorage)].join()"


def test_context_of_an_earlier_test_has_forgotten_it_and_a_changed_one_is_closed(small_desk: Desk) -> None:
    with closing(Seats()) as seats:
        used, found = [], []
        for change in (False, True, False):
            with ExitStack() as stack:
                person = replace(small_desk, seats=seats, stack=stack).visitor()
                page = person.page("/static/img/mark.svg")
                found.append(page.evaluate(FOUND))
                page.evaluate(LEAVE)
                assert "left=1" in page.evaluate(FOUND)
                if change:
                    page.context.route("**/never/", lambda route: route.abort())
                used.append(person.context)
        assert found == ["", "", ""]
        assert used[0] is used[1] is not used[2]
