"""What docs/permissions.md and docs/api.md say is what the code does."""

import re
from pathlib import Path

from mos.care.model import Permission, Policy, Role
from mos.care.rules import CEILING, OWN, ceiling

ROOT = Path(__file__).resolve().parents[3]


def _table(text, head):
    lines = text.partition(head)[2].strip().splitlines()
    rows = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def _word(role, permission):
    """What the table should say of a role and a permission."""
    if permission not in CEILING[role]:
        return "\N{EN DASH}"
    if role is Role.RESIDENT:
        return "own"
    if permission is Permission.CARE_MANAGE:
        return {Role.ADMIN: "all", Role.MANAGER: "unit", Role.RELATIVE: "family"}[role]
    if permission not in ceiling(role, Policy.CARE_RECORD):
        return "family"
    return "yes"


def test_the_table_of_permissions_is_the_rule_table():
    text = (ROOT / "docs/permissions.md").read_text(encoding="utf-8")
    text = text.partition("## What managing means")[0]
    head, _, *rows = _table(text, "## The most that a role can ever have")
    roles = [Role(name) for name in head[2:]]

    assert set(roles) == set(Role)
    assert [row[0].strip("`") for row in rows] == [permission.value for permission in Permission]
    for row in rows:
        permission = Permission(row[0].strip("`"))
        assert row[2:] == [_word(role, permission) for role in roles], permission


def test_what_residents_have_without_a_relation_is_said():
    text = (ROOT / "docs/permissions.md").read_text(encoding="utf-8")
    own = " and ".join(f"`{permission.value}`" for permission in Permission if permission in OWN)

    assert f"{own} come without a relation" in text


# `code="word"`, `code = "word"` of the kinds of errors, and the second argument of HttpRefused.
_CODES = re.compile(
    r"""code="(\w+)"|^\s+code = "(\w+)"|HttpRefused\(\s*HTTPStatus\.\w+,\s*"(\w+)"|"""
    r"""_problem\(\s*HTTPStatus\.\w+,\s*"(\w+)\"""",
    re.MULTILINE,
)


def test_every_code_of_an_error_is_explained_and_no_other():
    places = ("web", "care", "calendar", "review", "speech", "rights")
    files = [file for place in places for file in (ROOT / "server/mos" / place).rglob("*.py")]
    files.append(ROOT / "server/mos/kernel/errors.py")
    used = {
        code
        for file in files
        for match in _CODES.findall(file.read_text(encoding="utf-8"))
        for code in match
        if code
    }

    text = (ROOT / "docs/api.md").read_text(encoding="utf-8").partition("## Errors")[2]
    rows = _table(text, "`Retry-After`.")[2:]
    explained = {code for row in rows for code in re.findall(r"`(\w+)`", row[1])}

    assert explained == used
