"""The REST API: Litestar with our types, our errors and our document.

Litestar routes, and decodes bodies into Structs. What a handler needs is given by name from here:
`given` (the process's parts and the moment) and `me` (who is signed in). Only this module, `doors`
and the domains' routes know Litestar.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import License

import mos
from mos.care import routes as care_routes
from mos.care.model import Actor
from mos.care.routes.given import Given
from mos.kernel.errors import Invalid, NotFound
from mos.web import doors
from mos.web.edge import log_crash
from mos.web.errors import HttpRefused, invalid, problem, problem_headers
from mos.web.session import actor_of

PREFIX = "/api/v1"


def create_api(given: Callable[[], Given]) -> Litestar:
    """Return the ASGI application of `/api/v1`; `given()` is asked at each request."""
    return Litestar(
        route_handlers=[_router(given)],
        openapi_config=None,
        exception_handlers={Exception: _refuse},
        logging_config=None,
        request_max_body_size=None,
        debug=False,
    )


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the API, errors included."""

    def nothing_runs() -> Given:
        raise NotImplementedError

    config = OpenAPIConfig(
        title="MOS",
        version=mos.__version__,
        description=(
            "What is not synchronised: sign-in, people, devices. Times are UTC (RFC 3339). Every "
            "request that changes anything carries the header `x-mos: 1`. Errors are RFC 9457 "
            "problems of one shape. The guide is docs/api.md."
        ),
        license=License(name="MIT", identifier="MIT"),
        use_handler_docstrings=True,
        render_plugins=[],
    )
    app = Litestar([_router(nothing_runs)], openapi_config=config, logging_config=None)
    return documented(app.openapi_schema.to_schema())


def _router(given: Callable[[], Given]) -> Router:
    def provide() -> Given:
        # Litestar copies its dependencies deeply: a method would drag its object along.
        return given()

    async def me(request: Request[Any, Any, Any]) -> Actor:
        here = given()
        return await actor_of(request.scope, here.pool, lambda: here.now)

    return Router(
        path=PREFIX,
        route_handlers=[*doors.HANDLERS, *care_routes.HANDLERS],
        dependencies={"given": Provide(provide, sync_to_thread=False), "me": Provide(me)},
    )


# ────────────────────────────────────────────────────────────── errors


def _refuse(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    known = _ours(error)
    status, body = problem(known)
    if status >= 500:
        log_crash(request.scope, error)
    headers = {name.decode(): value.decode() for name, value in problem_headers(known)}
    return Response(body, status_code=status, headers=headers, media_type=headers["content-type"])


def _ours(error: Exception) -> Exception:
    """Return Litestar's errors in our words; others as they are."""
    if isinstance(error, ValidationException):
        return _invalid(error)
    if not isinstance(error, HTTPException):
        return error
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return NotFound("There is nothing here.")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return HttpRefused(
                HTTPStatus.METHOD_NOT_ALLOWED, "method", "This address does not take this method."
            )
        case HTTPStatus.BAD_REQUEST:
            return Invalid("The body is not valid JSON.", code="invalid_json")
        case _:
            return error


def _invalid(error: ValidationException) -> Invalid:
    """Return what is wrong with a body; Litestar calls the body itself `data`."""
    extra = error.extra if isinstance(error.extra, list) else []
    first = extra[0] if extra else {}
    message, key = str(first.get("message", "")), first.get("key")
    if message in {"", "'data'"}:
        return Invalid("Send a body of JSON.", code="invalid_json")
    return invalid(message if key in (None, "data") else f"{message} - at `$.{key}`")


# ────────────────────────────────────────────────────────────── the document

_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "The one shape of an error answer (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Always about:blank: `code` says which kind."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "A stable word for programs; see docs/api.md."},
        "detail": {"type": "string", "description": "One sentence for a person, in English."},
        "field": {"type": "string", "description": "Which part of the request is wrong."},
        "retry_after_s": {"type": "integer", "description": "When the next try is welcome."},
        "wipe": {"type": "boolean", "description": "This device was ended: forget everything."},
        "nonce": {"type": "string", "description": "What it says once it has (docs/sync.md)."},
    },
}
_ERRORS = {
    400: "The request is wrong in itself; `field` says where.",
    401: "Nobody is signed in, or the session has ended.",
    403: "Not yours to do, or the request came from another site.",
    404: "Absent, or not yours to know of.",
    409: "The world is not as the request takes it to be.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not application/json.",
    429: "Too many tries; `retry_after_s` says when the next is welcome.",
    500: "Something went wrong here.",
}
_OPEN = frozenset({"/installation", "/claim", "/invitations/open", "/invitations/accept"})
_LIMITED = frozenset({"/session", "/account/password", "/devices/{device_id}/ring-test"})


def documented(schema: dict[str, Any]) -> dict[str, Any]:
    """Return Litestar's document with our error answers and our cookie in place of its own."""
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["securitySchemes"] = {
        "cookie": {"type": "apiKey", "in": "cookie", "name": "__Host-mos"}
    }
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _document_errors(path.removeprefix(PREFIX), method, operation)
    return schema


def _document_errors(path: str, method: str, operation: dict[str, Any]) -> None:
    is_open = path in _OPEN or (path, method) == ("/session", "post")
    answers = cast("dict[str, Any]", operation["responses"])
    for theirs in [status for status in answers if status.startswith(("4", "5"))]:
        del answers[theirs]
    for status in _errors_of(path, method, has_body="requestBody" in operation, is_open=is_open):
        answers[str(status)] = {
            "description": _ERRORS[status],
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
    operation["security"] = [] if is_open else [{"cookie": []}]
    if method != "get":
        parameters = operation.setdefault("parameters", [])
        parameters.append(
            {
                "name": "x-mos",
                "in": "header",
                "required": True,
                "description": "Shows that the request comes from our own page or from a program.",
                "schema": {"type": "string", "const": "1"},
            }
        )


def _errors_of(path: str, method: str, *, has_body: bool, is_open: bool) -> list[int]:
    errors = [500]
    if has_body:
        errors += [400, 409, 413, 415]
    if not is_open or path == "/session":
        errors.append(401)
    if method != "get" or path in {"/units", "/accounts", "/residents", "/relations"}:
        errors.append(403)
    if "{" in path or path.startswith("/invitations"):
        errors.append(404)
    if path in _LIMITED and method == "post":
        errors += [409, 429]
    return sorted(set(errors))
