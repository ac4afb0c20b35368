"""The OpenAPI document: Litestar's, with our error answers, our cookie and our media types.

What Litestar cannot know stands here; `test_as_described` asks every operation and compares.
"""

from typing import Any, cast

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
        "methods": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The ways to step up that would do, the best first.",
        },
        "nonce": {"type": "string", "description": "What it says once it has (docs/sync.md)."},
    },
}
_ERRORS = {
    400: "The request is wrong in itself; `field` says where.",
    401: "Nobody is signed in, or the session has ended.",
    403: "Not yours to do, or the request came from another site.",
    404: "Absent, or not yours to know of.",
    408: "The body took longer than half a minute to arrive.",
    409: "The world is not as the request takes it to be.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not application/json.",
    429: "Too many tries; `retry_after_s` says when the next is welcome.",
    500: "Something went wrong here.",
    503: "The keys of what lies sealed do not answer just now; nothing was changed.",
}
_OPEN = frozenset(
    {
        "/installation",
        "/claim",
        "/invitations/open",
        "/invitations/accept",
        "/password-resets",
        "/session/passkey",
        "/session/passkey/options",
        "/session/pin",
        "/session/pins",
        "/session/oidc",
        "/session/oidc/return",
        "/session/oidc/code",
        "/session/second-factor",
    }
)
# Doors, open to all, behind which somebody may not be let in.
_MAY_REFUSE = frozenset(
    {
        "/session",
        "/session/second-factor",
        "/session/passkey",
        "/session/pin",
        "/session/oidc/return",
        "/session/oidc/code",
        "/invitations/accept",
    }
)
# Reads that only some roles may make at all. What is of one resident is a 404 instead.
_OF_A_ROLE = frozenset(
    {
        "/accounts",
        "/accounts/{account_id}/invitations/{invitation_id}",
        "/accounts/{account_id}/sight",
        "/channels",
        "/dead-letters",
        "/delegations",
        "/delegations/choices",
        "/emergencies/units",
        "/emergencies/units/{unit_id}/residents",
        "/ladder-templates",
        "/exports/{export_id}/file",
        "/logs",
        "/logs/accesses",
        "/logs/accesses/export",
        "/logs/emergencies",
        "/logs/events",
        "/logs/samples",
        "/organisation/identity-provider",
        "/organisation/second-factor",
        "/relations",
        "/residents",
        "/self-watch",
        "/units",
        "/units/{unit_id}/duty",
        "/units/{unit_id}/rotas",
        "/webhooks",
        "/webhooks/{webhook_id}/answers",
    }
)
_LIMITED = frozenset(
    {
        "POST /password-resets",
        "POST /session",
        "POST /session/signature",
        "POST /session/second-factor",
        "POST /accounts/{account_id}/invitations/{invitation_id}/mail",
        "POST /account/password",
        "POST /session/passkey",
        "POST /session/pin",
        "PUT /account/pin",
        "POST /session/step-up/password",
        "POST /session/step-up/code",
        "POST /session/oidc",
        "POST /session/oidc/return",
        "POST /session/oidc/code",
        "POST /session/step-up/oidc",
        "POST /session/step-up/oidc/return",
        "POST /account/identity",
        "POST /account/identity/return",
        "POST /organisation/identity-provider/test",
        "POST /invitations/accept",
        "POST /devices/{device_id}/ring-test",
        "POST /me/contacts",
        "POST /me/contacts/{contact_id}/code",
        "POST /me/contacts/{contact_id}/test",
        "POST /channels/{channel}/test",
        "POST /webhooks/{webhook_id}/test",
    }
)


# What follows from no rule.
_ALSO = {
    "DELETE /account/identity": [404, 409],
    "DELETE /account/pin": [404],
    "DELETE /account/totp": [409],
    "DELETE /ladder-templates": [404],
    "GET /exports/{export_id}/file": [409],
    "POST /account/passkeys/options": [409],
    "POST /exports": [404],
    "POST /account/recovery-codes": [409],
    "POST /session/oidc": [404],
    "POST /session/signature": [404],
}
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
# Answers that are no JSON of ours, or not always.
_CONTENT = {
    "GET /exports/{export_id}/file": {
        "application/json": {"schema": {"type": "object"}},
        "application/pdf": _BYTES,
    },
    "GET /logs/accesses/export": {
        "text/csv": {"schema": {"type": "string"}},
        "application/json": {"schema": {"type": "object"}},
    },
    "GET /residents/{space}/speech/{rec}": {"audio/mpeg": _BYTES, "audio/wav": _BYTES},
    "GET /residents/{space}/clips/{clip}": {"audio/webm": _BYTES, "audio/mp4": _BYTES},
}


def described(schema: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return Litestar's document, whose paths begin with `prefix`, with what we answer in truth."""
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["securitySchemes"] = {
        "cookie": {"type": "apiKey", "in": "cookie", "name": "__Host-mos"}
    }
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _describe(path.removeprefix(prefix), method.upper(), operation)
    return schema


def _describe(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = cast("dict[str, Any]", operation["responses"])
    for theirs in [status for status in answers if status.startswith(("4", "5"))]:
        del answers[theirs]
    _describe_successes(f"{method} {path}", answers)
    is_open = path in _OPEN or (path, method) == ("/session", "POST")
    for status in _errors_of(path, method, operation, is_open=is_open):
        answers[str(status)] = {
            "description": _ERRORS[status],
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
    operation["security"] = [] if is_open else [{"cookie": []}]
    if method != "GET":
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


def _describe_successes(operation: str, answers: dict[str, Any]) -> None:
    for status, answer in answers.items():
        if status == "204":
            answer.pop("content", None)
        elif operation in _CONTENT:
            answer["content"] = _CONTENT[operation]


def _errors_of(path: str, method: str, operation: dict[str, Any], *, is_open: bool) -> list[int]:
    errors = {500, 503, *_ALSO.get(f"{method} {path}", ())}
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        errors.add(400)
    if "requestBody" in operation:
        errors |= {400, 408, 409}
    if method != "GET":
        errors |= {403, 413, 415}
    elif path in _OF_A_ROLE:
        errors.add(403)
    if not is_open or path in _MAY_REFUSE:
        errors.add(401)
    if "{" in path or path.startswith("/invitations"):
        errors.add(404)
    if f"{method} {path}" in _LIMITED:
        errors |= {409, 429}
    return sorted(errors)
