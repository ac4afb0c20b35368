"""The people of a demo home, each in a browser window of their own, at the home's moment."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize
from playwright.sync_api import Error as PlaywrightError

from mos.ops.album import DESKTOP, TABLET, sign_in
from mos.ops.chromium import ARGUMENTS
from mos.ops.rehearsal import Rehearsal

__all__ = ["ARGUMENTS", "CHROMIUM", "DESKTOP", "SOON_MS", "People", "wait_until"]

SOON_MS = 15_000
CHROMIUM = os.environ.get("MOS_CHROMIUM", "/usr/bin/chromium")


@dataclass
class People:
    """Opens pages for the people of a home; what fails or is refused in any page fails the test."""

    home: Rehearsal
    playwright: Any
    browser: Browser
    faults: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(
        self, key: str, *, size: ViewportSize = TABLET, profile: Path | None = None, **more: Any
    ) -> Page:
        """Return a page on which the person called `key` has just signed in.

        With `profile` the browser keeps what it stores in that folder, as a tablet does.
        """
        page = self.visit(size=size, profile=profile, **more)
        sign_in(page, key)
        return page

    def visit(
        self,
        *,
        size: ViewportSize = TABLET,
        profile: Path | None = None,
        before: Callable[[Page], None] = lambda _: None,
        **more: Any,
    ) -> Page:
        """Return a page at the home's address and moment, nobody signed in.

        `before` is done to it before it goes there.
        """
        options: dict[str, Any] = {
            "locale": "sv-SE",
            "timezone_id": "Europe/Stockholm",
            "viewport": size,
            **more,
        }
        if profile is None:
            context = self.browser.new_context(**options)
        else:
            context = self.playwright.chromium.launch_persistent_context(
                str(profile), executable_path=CHROMIUM, args=ARGUMENTS, **options
            )
        self.contexts.append(context)
        context.clock.install(time=self.home.now())
        page = context.pages[0] if context.pages else context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{error}\n{error.stack}"))
        page.on("console", self._note_refusal)
        before(page)
        page.goto(self.home.url)
        return page

    def _note_refusal(self, message: ConsoleMessage) -> None:
        """Keep what the content policy refused: it is a fault of the page, said in the console."""
        if message.type == "error" and "Content Security Policy" in message.text:
            self.faults.append(message.text)

    def close(self, page: Page) -> None:
        """Shut the page's whole browser window, as by a power cut."""
        self.contexts.remove(page.context)
        page.context.close()

    def move_to(self, local: str, *pages: Page) -> None:
        """Move the home's clock and these pages' clocks to `local` together."""
        before = self.home.now()
        forward = self.home.move_to(local) - before
        for page in pages:
            page.clock.fast_forward(int(forward.total_seconds() * 1000))


def go_offline(page: Page) -> None:
    """Take the page's network away once the app's files lie here: before, nothing opens."""
    wait_until_kept(page)
    page.context.set_offline(True)


def wait_until_kept(page: Page) -> None:
    """Wait until the service worker serves the page: then the app opens without a network."""
    wait_until(page, lambda: page.evaluate("navigator.serviceWorker.controller !== null"))


def wait_until(page: Page, holds: Callable[[], Any]) -> None:
    """Let the browser go on until something holds; fails after a while.

    Unlike `wait_for_function` it waits for what a promise brings, not for the promise itself.
    """
    for _ in range(SOON_MS // 100):
        # While a page makes way for another, nobody answers.
        with contextlib.suppress(PlaywrightError):
            if holds():
                return
        page.wait_for_timeout(100)
    pytest.fail("it did not happen in time")
