"""The page, over plain HTTP, that leads a phone through trusting this home's authority."""

import html
import socket
from collections.abc import Callable
from importlib import resources
from string import Template
from typing import Any

import msgspec
from aiohttp import web

from mos.ops.lan.authority import Files, ca_der, fingerprint
from mos.ops.settings import ROOT

LANGUAGES = {"sv": "Svenska", "en": "English", "fi": "Suomi"}
# What Android and iOS take for a certificate to install.
_MIME = "application/x-x509-ca-cert"
# The app's own: the page is the app's doorstep.
_ICON = ROOT / "pwa" / "public" / "icons" / "icon.svg"


def page(language: str, agent: str, address: str, digits: str) -> str:
    """Return the page in `language`; the steps for the device behind `agent` stand open."""
    here = resources.files(__package__)
    text = msgspec.json.decode((here / "texts" / f"{language}.json").read_bytes())
    values = {key: _markup(value) for key, value in text.items()}
    values |= {f"open_{device}": "" for device in ("android", "ios", "computer")}
    values[f"open_{_device(agent)}"] = " open"
    links = (
        f'<a href="?lang={code}" hreflang="{code}" lang="{code}"'
        f"{' aria-current=page' if code == language else ''}>{name}</a>"
        for code, name in LANGUAGES.items()
    )
    template = Template((here / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        values,
        language=language,
        language_links="".join(links),
        address=html.escape(address),
        digits=digits,
    )


def choose_language(asked: str | None, accepted: str) -> str:
    """Return the language that was asked for, else the first we have of Accept-Language."""
    if asked in LANGUAGES:
        return asked
    for part in accepted.split(","):
        code = part.split(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return code
    return "sv"


async def serve(sock: socket.socket, files: Files, address: Callable[[], str]) -> web.AppRunner:
    """Serve the page on `sock` until the runner is cleaned up; `address` is the home's, now."""

    async def show(request: web.Request) -> web.Response:
        headers = request.headers
        language = choose_language(request.query.get("lang"), headers.get("Accept-Language", ""))
        body = page(language, headers.get("User-Agent", ""), address(), fingerprint(files))
        return web.Response(
            text=body,
            content_type="text/html",
            headers={"Cache-Control": "no-store", "Content-Language": language},
        )

    async def certificate(_request: web.Request) -> web.Response:
        # Shown, not attached: iOS asks about a profile only then.
        return web.Response(body=ca_der(files), content_type=_MIME)

    async def icon(_request: web.Request) -> web.Response:
        return web.Response(body=_ICON.read_bytes(), content_type="image/svg+xml", charset="utf-8")

    app = web.Application()
    app.router.add_get("/", show)
    app.router.add_get("/mos.crt", certificate)
    app.router.add_get("/favicon.ico", icon)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    return runner


def _markup(value: Any) -> str:
    if isinstance(value, list):
        return "".join(f"<li>{html.escape(item)}</li>" for item in value)
    return html.escape(value)


def _device(agent: str) -> str:
    if "Android" in agent:
        return "android"
    # An iPad says that it is a Mac; a Mac's owner finds the other steps below.
    return "ios" if any(word in agent for word in ("iPhone", "iPad")) else "computer"
