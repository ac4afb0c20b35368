"""Errors as bytes: one shape (RFC 9457) for every answer that is not a success.

`{"type", "title", "status", "code", "detail", "field"?, "retry_after_s"?}`: `code` is the stable
word for programs, `detail` one sentence for a person. What a crash was about stays in the log.
"""

import re
from http import HTTPStatus
from typing import Any

import msgspec

from mos.kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
)

_STATUS: dict[type[Refused], HTTPStatus] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Refused: HTTPStatus.BAD_REQUEST,
}

PROBLEM_JSON = b"application/problem+json"


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The one shape of an error answer (RFC 9457, application/problem+json)."""

    type: str
    title: str
    status: int
    # A stable word for programs: docs/api.md lists them.
    code: str
    # One sentence for a person, in English.
    detail: str
    # Which part of the request is wrong, as a dotted path.
    field: str | None = None
    # When the next try is welcome, in seconds; also in the header Retry-After.
    retry_after_s: int | None = None
    # This device was ended: it forgets everything, and then says the nonce (docs/sync.md).
    wipe: bool = False
    nonce: str | None = None
    # The ways to step up that would do (`step_up_needed`), the best first.
    methods: list[str] | None = None


class HttpRefused(Exception):
    """A refusal that only HTTP knows: a wrong method, a body too large, a media type."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, *, allow: str = "") -> None:
        """Keep the status, the stable word and one sentence; `allow` goes with a 405."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.allow = allow


def not_allowed(allow: str) -> HttpRefused:
    """Return the answer to a method that an address does not take; `allow` lists those it does."""
    detail = "This address does not take this method."
    return HttpRefused(HTTPStatus.METHOD_NOT_ALLOWED, "method", detail, allow=allow)


def problem_of(error: BaseException) -> Problem:
    """Return the answer's body for any exception; a crash tells nothing about itself."""
    if isinstance(error, Refused):
        status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
        return _problem(
            status,
            error.code,
            error.detail,
            field=getattr(error, "field", None),
            retry_after_s=getattr(error, "retry_after_s", None),
            nonce=getattr(error, "nonce", None),
            methods=getattr(error, "methods", None),
        )
    if isinstance(error, HttpRefused):
        return _problem(error.status, error.code, error.detail)
    if isinstance(error, msgspec.ValidationError):
        return problem_of(invalid(str(error)))
    if isinstance(error, (msgspec.DecodeError, RecursionError, UnicodeDecodeError)):
        return _problem(HTTPStatus.BAD_REQUEST, "invalid_json", "The body is not valid JSON.")
    return _problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Something went wrong here. Try again."
    )


def problem(error: BaseException) -> tuple[int, bytes]:
    """Return the status and the JSON body of the answer for any exception."""
    body = problem_of(error)
    return body.status, msgspec.json.encode(body)


def problem_headers(error: BaseException) -> list[tuple[bytes, bytes]]:
    """Return the headers that go with `problem(error)`."""
    headers = [(b"content-type", PROBLEM_JSON), (b"cache-control", b"no-store")]
    if isinstance(error, TooMany):
        headers.append((b"retry-after", str(error.retry_after_s).encode()))
    # RFC 9110, 15.5.6: a 405 says what would do.
    if isinstance(error, HttpRefused) and error.allow:
        headers.append((b"allow", error.allow.encode()))
    return headers


async def send_problem(send: Any, error: BaseException) -> None:
    """Send the whole answer for `error` from a raw ASGI handler that has sent nothing yet."""
    status, body = problem(error)
    headers = [*problem_headers(error), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _problem(  # noqa: PLR0913  the problem's own fields
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    retry_after_s: int | None = None,
    nonce: str | None = None,
    methods: list[str] | None = None,
) -> Problem:
    return Problem(
        type="about:blank",
        title=status.phrase,
        status=status.value,
        code=code,
        detail=detail,
        field=field,
        retry_after_s=retry_after_s,
        wipe=nonce is not None,
        nonce=nonce,
        methods=methods,
    )


# msgspec ends its sentence with where it was: "Expected `str`, got `int` - at `$.name`".
_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$?\.?(?P<path>.*)`)?$", re.DOTALL)
# Its sentences that name a field, repeat what was sent or say little to a person, and ours.
_SENTENCES = (
    (re.compile(r"^Object contains unknown field `(?P<name>.*)`$"), "This field is unknown."),
    (re.compile(r"^Object missing required field `(?P<name>.*)`$"), "This field is missing."),
    (re.compile(r"^Expected `str` matching regex"), "This is not of the form that it should be."),
    # It quotes what was sent, which may be a person's, or meant for another field.
    (re.compile(r"^Invalid enum value "), "This is none of the values that it can have."),
)


def invalid(message: str) -> Invalid:
    """Return msgspec's message about a wrong body as our error, with the field it is about."""
    match = _AT.match(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    for pattern, sentence in _SENTENCES:
        named = pattern.match(what)
        if named:
            steps = [path, named.groupdict().get("name", "")]
            return _at(sentence, ".".join(step for step in steps if step))
    return _at(f"{what.rstrip('.')}.", path)


def _at(sentence: str, path: str) -> Invalid:
    # A name that somebody made up may be long.
    return Invalid(sentence, field=path[:200] or None)
