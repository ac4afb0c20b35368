"""The built app, from memory: files are read once, packed once, and found by exact name only."""

import asyncio
import gzip
import hashlib
import re
from pathlib import Path
from typing import Any, NamedTuple

from mos.kernel.errors import NotFound
from mos.web.session import header

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".map": "application/json",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".txt": "text/plain; charset=utf-8",
}
_PACKABLE = frozenset({".html", ".js", ".css", ".json", ".webmanifest", ".map", ".svg", ".txt"})
# Vite puts a hash of the content into these names, so they never change.
_HASHED = re.compile(r"^/assets/.+-[\w-]{8}\.\w+$")
# A device that keeps the app asks for no page: its worker and its way out notice what is new.
_KILL_SWITCH = "/kill-switch.json"
_FRESH = frozenset({"/index.html", "/sw.js", _KILL_SWITCH})
_FOREVER = b"public, max-age=31536000, immutable"
_ASK_FIRST = b"no-cache"

_NOT_BUILT = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>MOS</title>
<h1>The app has not been built</h1>
<p>The server runs, but its folder of built files is empty. Start MOS with <code>./mos up</code>,
which builds the app, or run <code>npm run build</code> in <code>pwa</code>.</p>
</html>
"""


class _File(NamedTuple):
    kind: bytes
    cache: bytes
    etag: bytes
    plain: bytes
    packed: bytes | None


class StaticFiles:
    """Answers GET and HEAD for the files under one folder. `/` is index.html; nothing else is."""

    def __init__(self, folder: Path) -> None:
        """Serve what stands in `folder`; a build that comes later is noticed."""
        self._folder = folder
        self._built_at = 0
        self._paths: dict[str, Path] = {}
        self._files: dict[str, _File] = {}

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request; raises NotFound."""
        path = "/index.html" if scope["path"] == "/" else scope["path"]
        file = await self._find(path)
        if file is None and path == "/index.html":
            await _answer(send, 503, [(b"content-type", b"text/html; charset=utf-8")], _NOT_BUILT)
            return
        if file is None:
            raise NotFound("There is nothing here.")
        await _serve(scope, send, file)

    async def _find(self, path: str) -> _File | None:
        if path not in self._files or path in _FRESH:
            await asyncio.to_thread(self._load, path)
        return self._files.get(path)

    def _load(self, path: str) -> None:
        """Read a file, if it is one of ours; forget all that an older build left."""
        try:
            built_at = (self._folder / "index.html").stat().st_mtime_ns
            if built_at != self._built_at:
                self._built_at, self._files, self._paths = built_at, {}, _listing(self._folder)
            if path == _KILL_SWITCH:
                self._files.pop(path, None)
            # A name that is no key of the listing is no file: `..` leads nowhere.
            if path in self._paths and path not in self._files:
                self._files[path] = _read(path, self._paths[path])
        except FileNotFoundError:
            # Being built at this moment: what is asked for comes with the next try.
            self._built_at, self._files, self._paths = 0, {}, {}


def _listing(folder: Path) -> dict[str, Path]:
    root = folder.resolve()
    return {
        "/" + file.relative_to(root).as_posix(): file
        for file in root.rglob("*")
        if file.is_file() and file.resolve().is_relative_to(root) and not _is_hidden(root, file)
    }


def _is_hidden(root: Path, file: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def _read(path: str, file: Path) -> _File:
    plain = file.read_bytes()
    packed = gzip.compress(plain, 9, mtime=0) if file.suffix in _PACKABLE else None
    return _File(
        kind=_TYPES.get(file.suffix, "application/octet-stream").encode(),
        cache=_FOREVER if _HASHED.match(path) else _ASK_FIRST,
        etag=b'"' + hashlib.sha256(plain).hexdigest()[:32].encode() + b'"',
        plain=plain,
        packed=packed if packed is not None and len(packed) < len(plain) else None,
    )


async def _serve(scope: Any, send: Any, file: _File) -> None:
    headers = [(b"cache-control", file.cache), (b"etag", file.etag), (b"vary", b"accept-encoding")]
    if _matches(header(scope, b"if-none-match"), file.etag):
        await _answer(send, 304, headers, b"")
        return
    headers.append((b"content-type", file.kind))
    body = file.plain
    if file.packed is not None and _takes_gzip(header(scope, b"accept-encoding")):
        body = file.packed
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode()))
    await _answer(send, 200, headers, b"" if scope["method"] == "HEAD" else body)


def _matches(asked: str | None, etag: bytes) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in (asked or "").split(",")}
    return etag.decode() in tags or "*" in tags


def _takes_gzip(accepted: str | None) -> bool:
    for offer in (accepted or "").lower().split(","):
        coding, _, quality = offer.strip().partition(";")
        if coding.strip() in {"gzip", "*"}:
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


async def _answer(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
