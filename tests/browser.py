"""Prefect's web pages as a person uses them: in Debian's Chromium, without a window."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CHROMIUM = Path("/usr/bin/chromium")
WIDTH, HEIGHT = 1300, 900
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_PATIENCE = 60_000  # ms to wait for what is to appear; other tests keep the machine busy
_LOOK_AGAIN = 15_000  # ms until a form that was sent and still stands there is sent again
_GLANCE = 100  # ms between two looks whether it was taken

# What elements hold at each of these places.
_TEXTS = (
    "(all, places) => all.map(e => places.map(p => e.querySelector(p)?.innerText.trim() || ''))"
)

Seen = TypeVar("Seen")


def why_not() -> str | None:
    """Why no browser can be used; None when one can."""
    if not CHROMIUM.exists():
        return f"{CHROMIUM} is not installed"
    return None if find_spec("playwright") else "playwright is not installed"


@dataclass(frozen=True)
class Pages:
    """The pages of a Prefect server; all of it happens in the browser's own thread.

    Attributes:
        page: The browser's only tab.
        url: Of the server.
    """

    page: Page
    url: str

    def open_run(self, run_id: Any) -> str:
        """Go to the page of a flow run; gives its heading: name, state, and how many stages."""
        self.page.goto(f"{self.url}/runs/flow-run/{run_id}")
        heading = self.page.locator(".page-heading").first
        heading.get_by_text("Task run").wait_for()
        return heading.inner_text()

    def stages(self, number: int) -> dict[str, str]:
        """The task runs on the page of a run, once there are so many: names and states."""
        self.page.get_by_text("Task Runs", exact=True).click()
        rows = self.page.locator(".state-list-item")
        rows.nth(number - 1).wait_for()
        found = [each.split("\n") for each in rows.all_inner_texts()]
        return {name: next(each for each in rest if each[:1].isupper()) for name, *rest in found}

    def open_artifact(self, artifact_id: Any) -> Locator:
        """Go to the page of an artifact; gives what of it was written in Markdown."""
        self.page.goto(f"{self.url}/artifacts/artifact/{artifact_id}")
        # The first is its description.
        shown = self.page.locator("article.markdown-renderer:has(h1, h2, table, ul)").last
        shown.wait_for()
        return shown

    def open_form_of_approval(self, run_id: Any) -> Locator:
        """Press the button of a run that waits; gives the dialog."""
        self.page.goto(f"{self.url}/runs/flow-run/{run_id}")
        self.page.get_by_role("button", name="Resume").click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_text("Your name").wait_for()
        return dialog

    def fill_approval(self, *, name: str, note: str) -> Locator:
        """Fill the dialog that is open: approved, by a name, with a note."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("switch").set_checked(True)
        _field(self.page, dialog, "Your name").fill(name)
        _field(self.page, dialog, "Note").fill(note)
        return dialog

    def send_approval(self, *, name: str, note: str) -> None:
        """Fill the dialog that is open, and send it."""
        dialog = self.page.get_by_role("dialog")

        def send() -> None:
            self.fill_approval(name=name, note=note)
            dialog.get_by_role("button", name="Submit").click()

        self._send_until_taken(send, dialog.is_hidden)

    def _send_until_taken(self, send: Callable[[], object], taken: Callable[[], bool]) -> None:
        """Send a form; again, as people do, where it stays.

        It stays, and says why at most for a moment, when the server was too busy to take it.
        """
        for _ in range(_PATIENCE // _LOOK_AGAIN):
            send()
            for _ in range(_LOOK_AGAIN // _GLANCE):
                if taken():
                    return
                self.page.wait_for_timeout(_GLANCE)
        raise AssertionError(f"The form was not taken. The page says: {self.text()}")

    def open_block_form(self, slug: str) -> dict[str, str]:
        """Go to the form for a new block; gives its fields: labels and help."""
        self.page.goto(f"{self.url}/blocks/catalog/{slug}/create")
        fields = self.page.locator(".schema-form-property")
        fields.nth(1).wait_for()
        parts = [".p-label__label", ".p-label__description"]
        found = fields.evaluate_all(_TEXTS, parts)
        return {label.removesuffix(" (Optional)"): told for label, told in found}

    def create_block(self, name: str, **values: str) -> None:
        """Fill the form that is open, by labels, and send it."""
        for label, value in {"Block Name": name, **values}.items():
            _field(self.page, self.page, label).fill(value)
        create = self.page.get_by_role("button", name="Create")
        self._send_until_taken(create.click, lambda: "/blocks/block/" in self.page.url)
        self.page.get_by_text("Paste this snippet").wait_for()

    def leave(self) -> None:
        """Go to an empty page: Prefect's are drawn again and again, which takes a processor."""
        self.page.goto("about:blank")

    def text(self) -> str:
        """All that can be read."""
        return self.page.locator("body").inner_text()


def _field(page: Page, where: Page | Locator, label: str) -> Locator:
    """Where one types what a label asks for; Prefect's labels do not name their fields."""
    words = re.compile(rf"^{re.escape(label)}( \(Optional\))?$")
    said = page.locator(".p-label__label", has_text=words)
    return where.locator(".p-label", has=said).last.locator("input, textarea").first


Browser = Callable[[Callable[[Pages], Seen]], Seen]


@contextmanager
def open_browser(url: str) -> Iterator[Any]:
    """A browser with one tab: `browser(lambda pages: pages.open_run(...))`.

    It has a thread of its own: playwright keeps an event loop running in it, which Prefect's
    functions would take as a sign that they are to be awaited.
    """
    from playwright.sync_api import sync_playwright

    with ThreadPoolExecutor(1) as thread:
        driver = thread.submit(lambda: sync_playwright().start()).result()
        try:
            browser = thread.submit(
                lambda: driver.chromium.launch(
                    executable_path=CHROMIUM, args=list(_ARGUMENTS), timeout=_PATIENCE * 2
                )
            ).result()

            def first_tab() -> Pages:
                page = browser.new_page(
                    viewport={"width": WIDTH, "height": HEIGHT},
                    timezone_id="UTC",
                    reduced_motion="reduce",
                )
                page.set_default_timeout(_PATIENCE)
                return Pages(page, url)

            pages = thread.submit(first_tab).result()
            yield lambda look: thread.submit(look, pages).result()
            thread.submit(browser.close).result()
        finally:
            thread.submit(driver.stop).result()
