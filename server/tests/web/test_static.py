"""The built app: served by exact name, packed, cached as its names allow."""

import gzip
import os

import pytest

from mos.web import static


@pytest.fixture
async def built(site):
    """A browser at a server whose app has been built."""
    folder = site.database.settings.app_dir
    (folder / "assets").mkdir()
    (folder / ".vite").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>MOS</title>" + "<p>Nu</p>" * 50)
    (folder / "sw.js").write_text("self.version = 1;")
    (folder / "assets" / "index-B3kd9_xQ.js").write_text("export const day = 'dag';\n" * 100)
    (folder / "icon.png").write_bytes(b"\x89PNG" + bytes(100))
    (folder / ".vite" / "manifest.json").write_text("{}")
    (folder.parent / "secret.txt").write_text("outside")
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    return await site.browser()


async def test_the_root_is_the_app_and_is_always_asked_for_again(built):
    answer = await built.http.get("/")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "<title>MOS</title>" in answer.text


async def test_hashed_files_are_kept_for_ever_and_the_service_worker_is_not(built):
    script = await built.http.get("/assets/index-B3kd9_xQ.js")
    worker = await built.http.get("/sw.js")

    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert worker.headers["cache-control"] == "no-cache"


async def test_text_is_packed_for_those_who_take_it(built):
    packed = await built.http.get("/assets/index-B3kd9_xQ.js")
    plain = await built.http.get("/assets/index-B3kd9_xQ.js", headers={"accept-encoding": "br"})
    refused = await built.http.get("/", headers={"accept-encoding": "gzip;q=0"})
    picture = await built.http.get("/icon.png")

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.headers["vary"] == "accept-encoding"
    assert packed.text == plain.text
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert "content-encoding" not in picture.headers
    assert gzip  # httpx unpacked it


async def test_an_unchanged_file_is_not_sent_again(built):
    first = await built.http.get("/")
    again = await built.http.get("/", headers={"if-none-match": first.headers["etag"]})
    weak = await built.http.get("/", headers={"if-none-match": f'"x", W/{first.headers["etag"]}'})
    other = await built.http.get("/", headers={"if-none-match": '"x"'})

    assert (again.status_code, again.content) == (304, b"")
    assert weak.status_code == 304
    assert other.status_code == 200


async def test_head_answers_without_the_body(built):
    answer = await built.http.head("/")

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "//etc/passwd",
        "/etc/passwd",
        "/link.txt",
        "/.vite/manifest.json",
        "/assets",
        "/assets/",
        "/index.html/",
        "/resident/today",
        "/\x00",
    ],
)
async def test_nothing_but_the_apps_files_is_served(built, path):
    from urllib.parse import unquote

    # As a server hands it on: unquoted, and never cleaned up by a client on its way.
    statuses = []

    async def send(message):
        statuses.append(message.get("status"))

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": unquote(path), "headers": [], "query_string": b"",
        "client": ("127.0.0.1", 1), "scheme": "http",
    }  # fmt: skip
    await built.http._transport.app(scope, receive, send)

    assert statuses[0] == 404


async def test_a_missing_build_is_said_clearly_and_noticed_when_it_comes(site):
    browser = await site.browser()

    missing = await browser.http.get("/")
    assert missing.status_code == 503
    assert "has not been built" in missing.text

    (site.database.settings.app_dir / "index.html").write_text("<!doctype html>")
    assert (await browser.http.get("/")).status_code == 200


async def test_a_newer_build_replaces_the_one_before(built, site):
    folder = site.database.settings.app_dir
    assert "Nu" in (await built.http.get("/")).text
    old = folder / "assets" / "index-B3kd9_xQ.js"

    old.unlink()
    (folder / "assets" / "index-C4kd9_xQ.js").write_text("export const day = 'natt';")
    (folder / "index.html").write_text("<!doctype html>Ny")
    os.utime(folder / "index.html", ns=(1, 1))

    assert "Ny" in (await built.http.get("/")).text
    assert (await built.http.get("/assets/index-C4kd9_xQ.js")).status_code == 200
    assert (await built.http.get("/assets/index-B3kd9_xQ.js")).status_code == 404


async def test_a_newer_build_is_noticed_by_a_device_that_asks_for_its_worker_alone(built, site):
    await built.http.get("/sw.js")
    folder = site.database.settings.app_dir
    (folder / "sw.js").write_text("self.version = 2;")
    os.utime(folder / "index.html", (1, 1))

    worker = await built.http.get("/sw.js")

    assert worker.text == "self.version = 2;"


async def test_the_kill_switch_works_without_a_new_build(built, site):
    switch = site.database.settings.app_dir / "kill-switch.json"
    switch.write_text('{"kill": false}')
    os.utime(switch.parent / "index.html", (1, 1))
    await built.http.get("/kill-switch.json")
    switch.write_text('{"kill": true}')

    answer = await built.http.get("/kill-switch.json")

    assert answer.json() == {"kill": True}


async def test_every_file_says_what_it_is_and_text_how_it_is_written(site):
    app = site.database.settings.app_dir
    kinds = {}
    for suffix in (*static._TYPES, ".unknown"):
        (app / f"file{suffix}").write_bytes(b"x")
    (app / "index.html").write_bytes(b"x")
    browser = await site.browser()
    for suffix in (*static._TYPES, ".unknown"):
        answer = await browser.http.get(f"/file{suffix}")
        assert answer.status_code == 200, suffix
        kinds[suffix] = answer.headers["content-type"]

    assert kinds.pop(".unknown") == "application/octet-stream"
    for suffix, kind in kinds.items():
        # JSON is UTF-8 by its own standard (RFC 8259); sounds, pictures and fonts are bytes.
        is_text = kind.startswith("text/") or suffix == ".svg"
        assert kind.endswith("; charset=utf-8") == is_text, suffix
    for path, kind in (
        ("/__heartbeat__", "application/json"),
        ("/__version__", "application/json"),
        ("/api/openapi.json", "application/json"),
        ("/api/v1/nothing", "application/problem+json"),
        ("/sync/v1/nothing", "application/problem+json"),
    ):
        assert (await browser.http.get(path)).headers["content-type"] == kind
