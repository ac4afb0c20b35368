"""What identity providers say of themselves, and the tokens that they sign.

Discovery (OpenID Connect Discovery 1.0) and keys are kept for an hour. A key that is not known is
looked for anew, at most once a minute: providers change keys, and strangers make names of keys up.
"""

import asyncio
import json
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
from msgspec import Struct

from mos.care import rules
from mos.care.rules import WrongToken
from mos.dispatch.outward import Blocked, Outward

_KEPT = timedelta(hours=1)
_KEYS_AGAIN = timedelta(minutes=1)
# A provider that did not answer is left alone for a moment, however many stand at the door.
_REST = timedelta(seconds=5)
_LEAST_RSA_BYTES = 256
_LONGEST_TOKEN = 32_768
# Which keys make which signatures.
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


class Unavailable(Exception):
    """A provider that cannot be asked; `why` is a word for whoever sets it up.

    `blocked`, `unreachable`, `slow`, `status`, `not_json`, `issuer`, `incomplete` or `refused`.
    """

    def __init__(self, why: str) -> None:
        """Keep the word."""
        super().__init__(why)
        self.why = why


class Endpoints(Struct, frozen=True, kw_only=True):
    """Where a provider is asked, and how it answers."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str | None
    # Signatures that both sides know.
    algorithms: tuple[str, ...]
    # It names itself in its answers (RFC 9207).
    names_itself: bool
    # It takes the client's secret in a header, else in the body.
    takes_basic: bool
    has_pkce: bool


class _Known(Struct):
    endpoints: Endpoints | None = None
    endpoints_at: datetime | None = None
    keys: list[dict[str, Any]] = []
    keys_at: datetime | None = None
    failed_at: datetime | None = None
    failed: str = ""


class Tokens(Struct, frozen=True):
    """What a provider gives for a code."""

    id_token: str
    access_token: str | None


class Directory:
    """Asks providers, and keeps what they say. One for each process."""

    def __init__(self, outward: Outward) -> None:
        """Ask by `outward`: within its bounds, and only where its guard lets us."""
        self._outward = outward
        self._known: dict[str, _Known] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def endpoints(self, issuer: str, now: datetime) -> Endpoints:
        """Return what a provider says of itself; raises Unavailable."""
        known = self._known.setdefault(issuer, _Known())
        async with self._turns.setdefault(issuer, asyncio.Lock()):
            if known.endpoints is not None and not _is_over(known.endpoints_at, _KEPT, now):
                return known.endpoints
            if not _is_over(known.failed_at, _REST, now):
                raise Unavailable(known.failed)
            try:
                known.endpoints = await self.ask(issuer)
            except Unavailable as error:
                known.failed, known.failed_at = error.why, now
                raise
            known.endpoints_at = now
            return known.endpoints

    async def ask(self, issuer: str) -> Endpoints:
        """Return what a provider says of itself at this moment; raises Unavailable."""
        said = await self._json(f"{issuer.rstrip('/')}/.well-known/openid-configuration", {})
        # Exactly: else one provider could speak for another (Discovery §4.3).
        if said.get("issuer") != issuer:
            raise Unavailable("issuer")
        there = {name: said.get(name) for name in _ENDPOINTS}
        if not all(isinstance(url, str) and self._is_callable(url) for url in there.values()):
            raise Unavailable("incomplete")
        userinfo = said.get("userinfo_endpoint")
        told = said.get("id_token_signing_alg_values_supported")
        algorithms = tuple(a for a in rules.ALGORITHMS if isinstance(told, list) and a in told)
        if not algorithms:
            raise Unavailable("incomplete")
        ways = said.get("token_endpoint_auth_methods_supported")
        challenges = said.get("code_challenge_methods_supported")
        return Endpoints(
            issuer=issuer,
            authorization=str(there["authorization_endpoint"]),
            token=str(there["token_endpoint"]),
            keys=str(there["jwks_uri"]),
            userinfo=userinfo if isinstance(userinfo, str) else None,
            algorithms=algorithms,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
            # What holds where nothing is said (Discovery §3).
            takes_basic=not isinstance(ways, list) or "client_secret_basic" in ways,
            has_pkce=isinstance(challenges, list) and "S256" in challenges,
        )

    async def keys(self, endpoints: Endpoints) -> list[dict[str, Any]]:
        """Return the public keys by which a provider's tokens are judged; raises Unavailable."""
        found = (await self._json(endpoints.keys, {})).get("keys")
        if not isinstance(found, list):
            raise Unavailable("incomplete")
        return [key for key in found if isinstance(key, dict) and _is_for_signing(key)]

    async def exchange(
        self, endpoints: Endpoints, given: Mapping[str, str], client_id: str, secret: str | None
    ) -> Tokens:
        """Return what a provider gives for `given`, with a code in it; raises Unavailable."""
        form = {**given, "grant_type": "authorization_code"}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if secret is not None and endpoints.takes_basic:
            # Each part is coded by itself before both are (RFC 6749 §2.3.1).
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = client_id
            if secret is not None:
                form["client_secret"] = secret
        said = await self._json(endpoints.token, headers, urlencode(form).encode())
        token, access = said.get("id_token"), said.get("access_token")
        if not isinstance(token, str):
            raise Unavailable("incomplete")
        return Tokens(token, access if isinstance(access, str) else None)

    async def claims(self, endpoints: Endpoints, token: str, now: datetime) -> dict[str, Any]:
        """Return what stands in a token that the provider has signed.

        Raises WrongToken, or Unavailable where its keys cannot be had.
        """
        header = _header(token)
        algorithm = header.get("alg")
        if algorithm not in endpoints.algorithms or "crit" in header:
            raise WrongToken("alg")
        return _verified(token, await self._key(endpoints, header, now), str(algorithm))

    async def userinfo(self, endpoints: Endpoints, access_token: str) -> dict[str, Any]:
        """Return what the provider tells of the person beside the token; raises Unavailable."""
        if endpoints.userinfo is None:
            raise Unavailable("incomplete")
        return await self._json(endpoints.userinfo, {"authorization": f"Bearer {access_token}"})

    async def _key(
        self, endpoints: Endpoints, header: Mapping[str, Any], now: datetime
    ) -> dict[str, Any]:
        known = self._known.setdefault(endpoints.issuer, _Known())
        async with self._turns.setdefault(endpoints.issuer, asyncio.Lock()):
            found = None if _is_over(known.keys_at, _KEPT, now) else _fitting(known.keys, header)
            if found is None and _is_over(known.keys_at, _KEYS_AGAIN, now):
                known.keys, known.keys_at = await self.keys(endpoints), now
                found = _fitting(known.keys, header)
        if found is None:
            raise WrongToken("kid")
        return found

    async def _json(
        self, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> dict[str, Any]:
        asked = {"accept": "application/json", **headers}
        try:
            if body is None:
                answer = await self._outward.get(url, asked)
            else:
                answer = await self._outward.post(url, body, asked)
        except Blocked:
            raise Unavailable("blocked") from None
        except TimeoutError:
            raise Unavailable("slow") from None
        except (aiohttp.ClientError, OSError):
            raise Unavailable("unreachable") from None
        if answer.status != 200:
            # To a code or a secret the provider says no itself; elsewhere something is amiss there.
            is_no = body is not None and 400 <= answer.status < 500
            raise Unavailable("refused" if is_no else "status")
        try:
            said = json.loads(answer.body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Unavailable("not_json")
        return said

    def _is_callable(self, url: str) -> bool:
        try:
            self._outward.guard.require_url(url)
        except Blocked:
            return False
        return not urlsplit(url).fragment


_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def _is_over(at: datetime | None, lasts: timedelta, now: datetime) -> bool:
    return at is None or now - at >= lasts


def _is_for_signing(key: Mapping[str, Any]) -> bool:
    return key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use") in {None, "sig"}


def _fitting(keys: list[dict[str, Any]], header: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the key that a token names; one that names none fits where there is only one."""
    algorithm = str(header["alg"])
    able = [
        key
        for key in keys
        if key["kty"] == _KINDS[algorithm[:2]] and key.get("alg") in {None, algorithm}
    ]
    kid = header.get("kid")
    named = able if kid is None else [key for key in able if key.get("kid") == kid]
    return named[0] if len(named) == 1 else None


def _header(token: str) -> dict[str, Any]:
    if len(token) > _LONGEST_TOKEN or token.count(".") != 2:
        raise WrongToken("form")
    head = token.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        raise WrongToken("form") from None
    if not isinstance(header, dict):
        raise WrongToken("form")
    return header


def _verified(token: str, key: dict[str, Any], algorithm: str) -> dict[str, Any]:
    # Read for those who sign in so: nobody else's start should wait for it.
    from joserfc import jwk, jwt  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415

    if key["kty"] == "RSA" and len(_raw(key.get("n"))) < _LEAST_RSA_BYTES:
        raise WrongToken("key")
    public = {name: value for name, value in key.items() if name in _PUBLIC}
    try:
        found = jwt.decode(token, jwk.import_key(public), algorithms=[algorithm])
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise WrongToken("signature") from None
    return dict(found.claims)


# What of a key tells how to check with it; nothing else of what a provider writes there is used.
_PUBLIC = frozenset({"kty", "n", "e", "crv", "x", "y"})


def _raw(text: Any) -> bytes:
    try:
        return urlsafe_b64decode(f"{text}{'=' * (-len(str(text)) % 4)}").lstrip(b"\0")
    except ValueError:
        return b""
