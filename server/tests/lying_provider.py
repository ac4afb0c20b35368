"""An identity provider that says whatever a test wants, also what no provider should."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from joserfc import jwk, jwt


def a_key(kid: str = "first") -> jwk.RSAKey:
    return jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, private=True)


@dataclass
class LyingProvider:
    """Signs with `key`, shows `shown`; `bend` changes a token's claims, `sign` makes it whole."""

    issuer: str = ""
    key: jwk.RSAKey = field(default_factory=a_key)
    shown: list[jwk.RSAKey] | None = None
    bend: Callable[[dict[str, Any]], None] = lambda _claims: None
    sign: Callable[["LyingProvider", dict[str, Any]], str] | None = None
    said: dict[str, Any] = field(default_factory=dict)
    now: Callable[[], datetime] = datetime.now
    nonce: str = ""
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    # A path, and what it answers in place of the truth.
    instead: dict[str, Any] = field(default_factory=dict)

    def settings(self, **but: Any) -> dict[str, Any]:
        return {
            "issuer": self.issuer, "client_id": "mos", "secret": "secret", "label": "Bolaget",
            "by_email": True, **but,
        }  # fmt: skip

    def sign_in(self, url: str) -> dict[str, str]:
        """What it answers to whoever is sent to `url`."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.nonce = asked["nonce"]
        return {"code": "the-code", "state": asked["state"]}

    def claims(self) -> dict[str, Any]:
        at = int(self.now().timestamp())
        claims = {
            "iss": self.issuer, "aud": "mos", "sub": "1", "nonce": self.nonce, "iat": at,
            "exp": at + 300, "auth_time": at, "email": "caregiver@example.test",
            "email_verified": True,
        }  # fmt: skip
        self.bend(claims)
        return {name: value for name, value in claims.items() if value is not None}

    def token(self) -> str:
        claims = self.claims()
        if self.sign is not None:
            return self.sign(self, claims)
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path in self.instead:
            given = self.instead[request.path]
            return await given(request) if callable(given) else web.Response(**given)
        match request.path:
            case "/.well-known/openid-configuration":
                return web.json_response(self.discovery())
            case "/keys":
                shown = [self.key] if self.shown is None else self.shown
                keys = [key.as_dict(private=False) for key in shown]
                return web.json_response({"keys": keys})
            case "/token":
                self.forms.append({k: str(v) for k, v in (await request.post()).items()})
                return web.json_response({"id_token": self.token(), "token_type": "Bearer"})
        return web.Response(status=404)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.said,
        }


def unsigned(provider: LyingProvider, claims: dict[str, Any]) -> str:
    """A token that says that it needs no signature."""
    body = jwt.encode({"alg": "RS256"}, claims, provider.key).split(".")[1]
    return f"{_coded({'alg': 'none', 'kid': provider.key.kid})}.{body}."


def by_public_key(provider: LyingProvider, claims: dict[str, Any]) -> str:
    """A token whose HMAC has the public key as its secret."""
    body = jwt.encode({"alg": "RS256"}, claims, provider.key).split(".")[1]
    signed = f"{_coded({'alg': 'HS256', 'kid': provider.key.kid})}.{body}"
    mac = hmac.digest(provider.key.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _coded(header: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()


@asynccontextmanager
async def lying_provider(now: Callable[[], datetime]) -> AsyncIterator[LyingProvider]:
    """Yield a provider on a port of its own, whose clock is `now`."""
    provider = LyingProvider(now=now)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", provider.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        await runner.cleanup()
