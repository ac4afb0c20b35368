"""Asking a service over HTTP: its answer, or what it means that there is none."""

from base64 import b64encode
from collections.abc import Mapping

import aiohttp

from mos.dispatch.channels.result import Result, cut
from mos.dispatch.outward import Answer, Blocked, Outward


async def asked(
    outward: Outward,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
) -> Answer | Result:
    """Post, and return the answer; a Result when there is none that one could read."""
    try:
        return await outward.post(url, body, headers)
    except (Blocked, TimeoutError, aiohttp.ClientError, ValueError) as error:
        return unanswered(error)


def basic(login: str, password: str) -> str:
    """Return the header `authorization` of a name and its password (RFC 7617)."""
    return "Basic " + b64encode(f"{login}:{password}".encode()).decode()


def unanswered(error: Exception) -> Result:
    """Return what it means that a service did not answer."""
    match error:
        case Blocked() | aiohttp.InvalidURL():
            return Result("refused", "blocked")
        case TimeoutError():
            return Result("later", "timeout")
        case aiohttp.ClientConnectorDNSError():
            return Result("later", "unknown_host", words=cut(str(error.os_error)))
        case aiohttp.ClientSSLError():
            return Result("later", "tls", words=cut(str(error)))
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError() | ValueError():
            return Result("later", "unclear", words=cut(str(error)))
        case _:
            return Result("later", "unreachable", words=cut(str(error)))


def understood(answer: Answer) -> Result:
    """Return what a status means that is no success."""
    code, words = f"http_{answer.status}", cut(answer.body.decode(errors="replace"))
    match answer.status:
        case 410:
            return Result("gone", code, words=words)
        case 401 | 403:
            return Result("refused", "sign_in", words=words)
        case 408 | 425 | 429:
            return Result("later", code, answer.retry_after_s, words)
        case status if status >= 500:
            return Result("later", code, answer.retry_after_s, words)
        case _:
            return Result("refused", code, words=words)
