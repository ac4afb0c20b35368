"""The REST API: Litestar with our types, our errors and our document.

Litestar routes; bodies become Structs, strictly. What a handler needs is given by name from here:
`given` (the process's parts and the moment) and `me` (who is signed in). Only this module, `doors`
and the domains' routes know Litestar.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any, get_args

import msgspec
from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import License

import mos
from mos.calendar import routes as calendar_routes
from mos.care import routes as care_routes
from mos.care.model import Actor
from mos.care.routes.given import Given
from mos.kernel.errors import Invalid, NotFound
from mos.review import routes as review_routes
from mos.rights import routes as rights_routes
from mos.speech import routes as speech_routes
from mos.web import doors, provider_doors
from mos.web.document import described
from mos.web.edge import log_crash
from mos.web.errors import invalid, not_allowed, problem, problem_headers
from mos.web.session import actor_of

PREFIX = "/api/v1"


def create_api(given: Callable[[], Given]) -> Litestar:
    """Return the ASGI application of `/api/v1`; `given()` is asked at each request."""
    return Litestar(
        route_handlers=[_router(given)],
        openapi_config=None,
        exception_handlers={Exception: _refuse},
        request_class=_Strictly,
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
    return described(app.openapi_schema.to_schema(), PREFIX)


def _router(given: Callable[[], Given]) -> Router:
    def provide() -> Given:
        # Litestar copies its dependencies deeply: a method would drag its object along.
        return given()

    async def me(request: Request[Any, Any, Any]) -> Actor:
        here = given()
        return await actor_of(request.scope, here.pool, lambda: here.now)

    return Router(
        path=PREFIX,
        route_handlers=[
            *doors.HANDLERS,
            *provider_doors.HANDLERS,
            *care_routes.HANDLERS,
            *calendar_routes.HANDLERS,
            *speech_routes.HANDLERS,
            *review_routes.HANDLERS,
            *rights_routes.HANDLERS,
        ],
        dependencies={"given": Provide(provide, sync_to_thread=False), "me": Provide(me)},
        before_request=_require_moments,
    )


class _Strictly(Request[Any, Any, Any]):
    """A request whose body is what the document says: 0 is no `false`, and "5" no number.

    Litestar alone reads bodies as generously as addresses, where everything is text.
    """

    async def json(self) -> Any:
        """Return the body as the type that its handler takes; raises msgspec's errors."""
        field = self.route_handler.parsed_data_field
        return _reads(field.annotation if field else Any).decode(await self.body())


@cache
def _reads(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


# A date's first five signs, in years in which somebody may live.
_YEAR = re.compile(r"(19|20|21)[0-9]{2}-")


async def _require_moments(request: Request[Any, Any, Any]) -> None:
    """Refuse what is no time of ours where one is asked for in the address; raises Invalid.

    `2026` would be a second of 1970, and at the ends of the calendar no zone has a day to spare.
    """
    parameters = request.route_handler.parsed_fn_signature.parameters
    for name, value in request.query_params.items():
        kind = parameters[name].annotation if name in parameters else None
        if datetime in (kind, *get_args(kind)) and not _YEAR.match(value):
            raise Invalid("Say when with a time zone, as in 2026-11-25T09:00:00Z.", field=name)


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
            return not_allowed((error.headers or {}).get("allow", ""))
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
