"""A started application and browsers that talk to it, in the test's own process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from builders import PASSWORD

from mos.care.actions.tokens import new_token, token_hash
from mos.kernel.ids import new_id
from mos.kernel.settings import Settings

if TYPE_CHECKING:
    from conftest import Database

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@dataclass
class MovedClock:
    """A clock that stands until a test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@asynccontextmanager
async def started(settings: Settings, clock: Callable[[], datetime]) -> AsyncIterator[Any]:
    """Run an application's lifespan around a test."""
    from mos.web.app import create_app

    app = create_app(settings, clock)
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    life = asyncio.create_task(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    told = await from_app.get()
    assert told["type"] == "lifespan.startup.complete", told
    try:
        yield app
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await life


@dataclass
class Browser:
    """One browser profile on one device: keeps its cookie, sends what our own page sends."""

    http: httpx.AsyncClient
    device: UUID = field(default_factory=lambda: new_id(NOW))
    body: dict[str, Any] = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {"x-mos": "1", **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        return await self.http.request(method, f"/api/v1/{path}", headers=headers, **more)

    async def get(self, path: str) -> httpx.Response:
        return await self.ask("GET", path)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.ask("POST", path, body)

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self.ask("PATCH", path, body)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self.ask("PUT", path, body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.ask("DELETE", path)

    async def sign_in(
        self, email: str, password: str = PASSWORD, *, organisation: UUID | None = None
    ) -> httpx.Response:
        answer = await self.post(
            "session",
            {
                "email": email,
                "password": password,
                "organisation": organisation and str(organisation),
                "device_id": str(self.device),
                "device_name": "Surfplatta",
            },
        )
        if answer.status_code == 201:
            self.body = answer.json()
        return answer


@dataclass
class Site:
    """The application, its clock, and as many browsers as a test needs."""

    app: Any
    clock: MovedClock
    database: "Database"
    stack: AsyncExitStack
    base_url: str = "http://mos.test"

    async def browser(self, *, client: str = "198.51.100.7", **headers: str) -> Browser:
        """A fresh browser that connects from the address `client`."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(client, 1))
        http = httpx.AsyncClient(transport=transport, base_url=self.base_url, headers=headers)
        return Browser(await self.stack.enter_async_context(http))

    async def signed_in(
        self, email: str, password: str = PASSWORD, *, organisation: UUID | None = None
    ) -> Browser:
        """A browser in which this person has signed in."""
        browser = await self.browser()
        answer = await browser.sign_in(email, password, organisation=organisation)
        assert answer.status_code == 201, answer.text
        return browser

    async def as_account(self, org: UUID, account: UUID) -> Browser:
        """A browser in which this account is signed in, without a password."""
        browser = await self.browser()
        token, now = new_token(), self.clock.now
        await self.database.sql(
            "INSERT INTO device (org_id, device_id, account_id, created_at, seen_at) "
            "VALUES ($1, $2, $3, $4, $4)",
            org, browser.device, account, now,
        )  # fmt: skip
        await self.database.sql(
            "INSERT INTO session (org_id, session_id, account_id, device_id, token_hash, "
            "created_at, seen_at, expires_at, methods, strong_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $6, $7, '{password}', $6)",
            org, new_id(now), account, browser.device, token_hash(token), now,
            now + timedelta(days=14),
        )  # fmt: skip
        browser.http.cookies.set("mos", token)
        return browser


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def site(database: "Database", clock: MovedClock) -> AsyncIterator[Site]:
    """The application on this test's own database."""
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(started(database.settings, clock))
        yield Site(app, clock, database, stack)
