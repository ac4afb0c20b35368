"""The document of the API: complete, and true of what it describes."""

import pytest
from test_matrix import routes

from mos.web.api import PREFIX, document


@pytest.fixture(scope="module")
def described():
    return document()


def _operations(described):
    return {
        f"{method.upper()} {path.removeprefix(PREFIX)}": operation
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }


async def test_the_document_is_served_to_all(site):
    browser = await site.browser()

    answer = await browser.http.get("/api/openapi.json")

    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")


def test_every_route_is_described_in_words(described):
    operations = _operations(described)

    assert sorted(operations) == routes()
    for name, operation in operations.items():
        assert operation.get("description"), name
        assert operation["tags"], name


def test_every_error_has_the_one_shape(described):
    for name, operation in _operations(described).items():
        errors = {
            status: answer
            for status, answer in operation["responses"].items()
            if status.startswith(("4", "5"))
        }
        assert "500" in errors, name
        for answer in errors.values():
            schema = answer["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}


def test_what_needs_a_session_says_so(described):
    operations = _operations(described)
    open_to_all = {name for name, operation in operations.items() if not operation["security"]}

    assert open_to_all == {
        "GET /installation", "POST /claim", "POST /session", "POST /invitations/open",
        "POST /invitations/accept", "POST /session/passkey", "POST /session/passkey/options",
        "POST /session/oidc", "POST /session/oidc/return", "POST /session/oidc/code",
        "GET /session/pins", "POST /session/pin", "POST /password-resets",
        "GET /password-resets",
        "POST /session/second-factor",
    }  # fmt: skip
    for name, operation in operations.items():
        if name not in open_to_all:
            assert "401" in operation["responses"], name


def test_every_reference_leads_somewhere(described):
    found = set()

    def walk(value):
        if isinstance(value, dict):
            found.update([value["$ref"]] if "$ref" in value else [])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(described)
    assert found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in described["components"]["schemas"]


def test_unsafe_requests_are_told_to_carry_the_header(described):
    for name, operation in _operations(described).items():
        carried = [p["name"] for p in operation.get("parameters", []) if p["in"] == "header"]
        assert ("x-mos" in carried) == (not name.startswith("GET ")), name
