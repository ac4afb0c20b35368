"""Whoever asks whatever, the answer is one that the document describes, and never a crash.

Schemathesis makes the requests from the document: every boundary of it, then what chance brings.
Each role sends them, a resident's own tablet, people from elsewhere and nobody. Each operation has
an installation of its own, so that none spoils another's, and whoever was signed out, lost a device
or became somebody else signs in again. What is sent is the same each time: by chance nothing fails.
"""

import os
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import httpx
import pytest
import requests
import schemathesis
from browsers import Browser
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks
from test_matrix import EVERYBODY, MATRIX, OK, Ask, World, _accept, _claimed, _world, routes

from mos.web.api import PREFIX, document

# Elsewhere, and longer: `MOS_FUZZ_SEED=7 MOS_FUZZ_CASES=50 ./mos test as_described`.
SEED = int(os.environ.get("MOS_FUZZ_SEED", "1"))
CASES = int(os.environ.get("MOS_FUZZ_CASES", "2"))
IS_LONG = CASES > 10

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.unsupported_method,
]
PEOPLE = (*EVERYBODY, "tablet")
_BODY = "application/json"


@dataclass
class Asking:
    """One operation, asked by many people, one after the other."""

    world: World
    route: str
    browsers: dict[str, Browser] = field(default_factory=dict)
    asks: dict[str, Ask] = field(default_factory=dict)
    got_through: set[str] = field(default_factory=set)

    async def by(self, who: str, case: Case) -> None:
        """Send this as `who`, about what is there, and compare the answer with the document."""
        browser, ask = await self._ready(who)
        case = self._about(case, ask)
        answer = await _sent(browser, case)
        try:
            case.validate_response(answer, checks=CHECKS)
        except Exception as error:
            error.add_note(f"asked by {who}, answered {answer.status_code}: {answer.text[:500]}")
            raise
        if answer.is_success:
            self.got_through.add(who)
            if case.method != "GET":
                self.asks.pop(who)
        if answer.status_code == 401 or "set-cookie" in answer.headers:
            self.browsers.pop(who)

    async def _ready(self, who: str) -> tuple[Browser, Ask]:
        if who not in self.browsers:
            self.browsers[who] = await self._browser(who)
        if who not in self.asks:
            self.asks[who] = await MATRIX[self.route][1](self.world, self.browsers[who])
        return self.browsers[who], self.asks[who]

    async def _browser(self, who: str) -> Browser:
        if who != "tablet" or await self._is_archived():
            return await self.world.browser("resident" if who == "tablet" else who)
        browser = await self.world.site.browser()
        taken = await browser.post("invitations/accept", (await _accept(self.world, browser)).body)
        assert taken.status_code == 201, taken.text
        return browser

    async def _is_archived(self) -> bool:
        """Whether somebody has ended the resident's place: then nobody hands out a tablet."""
        statement = "SELECT FROM resident WHERE space_id = $1 AND archived_at IS NOT NULL"
        return bool(await self.world.database.sql(statement, self.world.home.space))

    def _about(self, case: Case, ask: Ask) -> Case:
        template = re.sub(r"{(\w+)}", r"(?P<\1>[^/?]+)", self.route.partition(" ")[2][1:])
        named = re.match(template, ask.path)
        assert named is not None, ask.path
        for name, value in named.groupdict().items():
            if case.meta.generation.mode.is_positive or _is_id(case.path_parameters.get(name)):
                case.path_parameters[name] = value
        case.body = _about(case.body, ask.body)
        return case


def _about(body: Any, real: Any) -> Any:
    """Return the body with the ids of what is there in place of ids of nothing."""
    if isinstance(body, dict) and isinstance(real, dict):
        return {name: _about(value, real.get(name)) for name, value in body.items()}
    if isinstance(body, list) and isinstance(real, list):
        return [_about(value, real[0] if real else None) for value in body]
    return real if _is_id(body) and _is_id(real) else body


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


async def _sent(browser: Browser, case: Case) -> httpx.Response:
    """Send exactly the bytes that Schemathesis would, with this browser's cookies."""
    # Whether a method is known is asked after the header that all changes carry.
    if case.method != case.operation.method.upper():
        case.headers["x-mos"] = "1"
    request = requests.Request(**case.as_transport_kwargs(base_url=str(browser.http.base_url)))
    ready = request.prepare()
    headers = [
        (name, value.encode() if isinstance(value, str) else value)
        for name, value in ready.headers.items()
        if name.lower() not in {"content-length", "cookie"}
    ]
    return await browser.http.request(
        ready.method or "", ready.url or "", headers=headers, content=ready.body
    )


_document = cache(document)


def _operation(route: str, example: Any) -> APIOperation:
    """Return what the document says of one operation; `example` is a body that is taken."""
    method, _, path = route.partition(" ")
    described = _document()
    operations = deepcopy(described["paths"][PREFIX + path])
    if example is not None:
        operations[method.lower()]["requestBody"]["content"][_BODY]["example"] = example
    for operation in operations.values():
        # Who may is for the matrix: here everybody has their own cookie.
        operation["security"] = []
    schema = schemathesis.openapi.from_dict(described | {"paths": {PREFIX + path: operations}})
    return schema[PREFIX + path][method]


def _boundaries(operation: APIOperation) -> Iterator[Case]:
    """Return what Schemathesis derives without chance: each limit, type, enum and omission."""
    schema = operation.schema
    return schema.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=schema.config.generation_for(operation=operation),
    )


def _by_chance(operation: APIOperation, mode: GenerationMode) -> list[Case]:
    found: list[Case] = []

    @seed(SEED)
    @settings(
        max_examples=CASES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def _takes_something(operation: APIOperation) -> bool:
    return bool(operation.body or operation.query or operation.path_parameters)


@pytest.mark.parametrize("route", routes())
async def test_every_answer_is_as_described(site, route):
    asking = Asking(await _world(site), route)
    await _claimed(site)
    expected = MATRIX[route][0] | {"tablet": MATRIX[route][0]["resident"]}
    welcome = [who for who in PEOPLE if expected[who] == OK] or ["admin"]
    operation = _operation(route, (await asking._ready(welcome[0]))[1].body)

    for number, case in enumerate(_boundaries(operation)):
        alternately = {welcome[0], PEOPLE[number % len(PEOPLE)]}
        for who in PEOPLE if IS_LONG else sorted(alternately):
            await asking.by(who, case)
    # A family is ruled by other rules than a care provider.
    await site.database.sql("UPDATE organisation SET policy = 'care_record'")
    for mode in GenerationMode:
        if mode == GenerationMode.POSITIVE or _takes_something(operation):
            for case in _by_chance(operation, mode):
                for who in PEOPLE:
                    await asking.by(who, case)

    # Else only refusals were looked at.
    assert asking.got_through or OK not in expected.values()
