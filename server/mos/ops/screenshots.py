"""`mos screenshots`: a picture of every screen, in each size and theme, to look at side by side."""

import html
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.progress import Progress

from mos.ops import chromium
from mos.ops.album import DESKTOP, NOON, PHONE, SCREENS, TABLET, Album, Broken, Screen
from mos.ops.rehearsal import Rehearsal
from mos.ops.settings import ROOT
from mos.ops.small_png import small_png

SIZES = {"phone": PHONE, "tablet": TABLET, "desktop": DESKTOP}
# The two that the README shows.
SHOWN = {"clock-tablet-light": "clock", "overview-desktop-light": "overview"}

# How high a window has to be for all there is: on a telephone, staff scroll what is above the keys.
_TALL = """innerHeight + Math.max(
  ...[document.scrollingElement, ...document.querySelectorAll("main")].map(
    (each) => each.scrollHeight - each.clientHeight,
  ),
)"""


def command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help="Only screens named so.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the pictures go.")] = ROOT / "screenshots",
    readme: Annotated[
        bool, typer.Option("--readme", help="Renew the README's two pictures as well.")
    ] = False,
) -> None:
    """Photograph every screen of a demo home, or those whose name contains a NAME."""
    console = Console(highlight=False)
    wanted = [s for s in SCREENS if not names or any(name in s.name for name in names)]
    if not wanted:
        sys.exit(f"mos screenshots: no screen is named {' or '.join(names or [])}")
    program = chromium.find()
    if program is None:
        sys.exit(f"mos screenshots: {chromium.MISSING}")
    os.environ.update(chromium.environment(program))
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        console.status("Starting a demo home…"),
        Rehearsal(Path(folder), NOON) as home,
        sync_playwright() as driver,
        driver.chromium.launch(executable_path=program, args=chromium.ARGUMENTS) as browser,
    ):
        broken = _photograph(home, browser, wanted, out, console)
        if readme:
            _renew(browser, out)
    (out / "index.html").write_text(_index(out), encoding="utf-8")
    for name, why in broken.items():
        console.print(f"[red]✗[/] {name}: {why}", markup=True)
    console.print(f"{len(wanted) - len(broken)} screens are in {out / 'index.html'}")
    sys.exit(1 if broken else 0)


def _photograph(
    home: Rehearsal, browser: Browser, wanted: list[Screen], out: Path, console: Console
) -> dict[str, str]:
    """Write the pictures; return why, by name, for screens that did not come."""
    broken: dict[str, str] = {}
    with Progress(console=console, transient=True) as progress, Album(home, browser) as album:
        task = progress.add_task("", total=len(wanted))
        for screen in wanted:
            progress.update(task, description=screen.name)
            try:
                page = album.open(screen)
            except Broken as fault:
                broken[screen.name] = str(fault)
            else:
                _shoot(album, page, screen, out)
                page.close()
            progress.advance(task)
    return broken


def _shoot(album: Album, page: Page, screen: Screen, out: Path) -> None:
    for size, viewport in SIZES.items():
        for theme in screen.themes:
            name = f"{screen.name}-{size}-{'night' if screen.at_night else theme}"
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=theme)
            # The README shows what fits into the window; here the window fits what there is.
            if name not in SHOWN:
                tall = page.evaluate(_TALL)
                page.set_viewport_size({"width": viewport["width"], "height": tall})
            album.settle(page)
            page.screenshot(path=out / f"{name}.png", animations="disabled")


def _renew(browser: Browser, out: Path) -> None:
    """Replace the README's pictures by those that were just made."""
    for picture, name in SHOWN.items():
        made = out / f"{picture}.png"
        if made.exists():
            shown = ROOT / "docs" / "pictures" / f"{name}.png"
            shown.write_bytes(small_png(browser, made.read_bytes()))


def _index(out: Path) -> str:
    """Return a page with all pictures of `out`, one row for each screen."""
    rows = []
    for screen in SCREENS:
        pictures = [
            out / f"{screen.name}-{size}-{theme}.png"
            for theme in ("light", "dark", "night")
            for size in SIZES
        ]
        figures = "".join(
            f'<a href="{p.name}"><img src="{p.name}" alt="{p.stem}" loading="lazy"></a>'
            for p in pictures
            if p.exists()
        )
        if figures:
            rows.append(f"<h2>{html.escape(screen.name)}</h2><div>{figures}</div>")
    return _PAGE.format(rows="\n".join(rows))


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Screens of MOS</title>
<style>
body {{ margin: 2rem; background: #888; font: 1rem/1.5 sans-serif }}
div {{ display: flex; gap: 1rem; overflow-x: auto; align-items: start }}
img {{ height: 26rem; border-radius: .5rem }}
</style>
<h1>Screens of MOS</h1>
{rows}
</html>
"""
