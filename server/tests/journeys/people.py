"""The people of a demo home, each in a browser window of their own, at the home's moment."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from mos.ops.album import DESKTOP, TABLET, sign_in
from mos.ops.chromium import ARGUMENTS
from mos.ops.rehearsal import Rehearsal

__all__ = ["ARGUMENTS", "CHROMIUM", "DESKTOP", "People"]

CHROMIUM = os.environ.get("MOS_CHROMIUM", "/usr/bin/chromium")


@dataclass
class People:
    """Opens pages for the people of a home; a fault in any page's script fails the test."""

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
        self, *, size: ViewportSize = TABLET, profile: Path | None = None, **more: Any
    ) -> Page:
        """Return a page at the home's address and moment, nobody signed in."""
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
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.goto(self.home.url)
        return page

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
