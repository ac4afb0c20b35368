"""What people answered, and what they took back."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.dispatch.model import Answer

_sql = Queries(__package__, "answers.sql")


class _AnswerRow(Struct, frozen=True):
    space: UUID
    occ: str
    op: UUID
    outcome: str
    at: datetime


class _RetractedRow(Struct, frozen=True):
    space: UUID
    occ: str | None


class Given(Struct, frozen=True):
    """A dose that somebody recorded as given: the completion's op, of what, and when."""

    space: UUID
    op: UUID
    occ: str
    at: datetime


class _Name(Struct, frozen=True):
    space: UUID
    occ: str


class _Op(Struct, frozen=True):
    op: UUID


_ADD_ANSWERS = _sql.command("add_answers")
_RETRACT_ANSWERS = _sql.query("retract_answers", _RetractedRow)
_RETRACTED_OPS = _sql.query("retracted_ops", _Op)
_GIVEN_BETWEEN = _sql.query("given_between", Given)
_ANSWERED_BETWEEN = _sql.query("answered_between", _Name)
_STRAYS = _sql.query("strays", _Name)
_FIRST_ANSWERS = _sql.query("first_answers", _AnswerRow)


async def add_answers(
    db: Db, org: UUID, answers: Sequence[tuple[UUID, str, Answer]], now: datetime
) -> None:
    """Remember answers (space, occ, answer) that came now; the same op twice is one."""
    await db.run(
        _ADD_ANSWERS,
        org=org,
        spaces=[space for space, _, _ in answers],
        ops=[answer.op for _, _, answer in answers],
        occs=[occ for _, occ, _ in answers],
        outcomes=[answer.outcome for _, _, answer in answers],
        ats=[answer.at for _, _, answer in answers],
        now=now,
    )


async def retract_answers(
    db: Db, org: UUID, ops: Iterable[tuple[UUID, UUID]]
) -> list[tuple[UUID, str]]:
    """Take ops (space, op) back; return the occurrences (space, occ) that they had answered."""
    rows = sorted(set(ops))
    changed = await db.all(
        _RETRACT_ANSWERS,
        org=org,
        spaces=[space for space, _ in rows],
        ops=[op for _, op in rows],
    )
    return [(row.space, row.occ) for row in changed if row.occ is not None]


async def retracted_ops(
    db: Db, org: UUID, spaces: Sequence[UUID], ops: Sequence[UUID]
) -> set[UUID]:
    """Return which of `ops` have been taken back."""
    return {row.op for row in await db.all(_RETRACTED_OPS, org=org, spaces=spaces, ops=ops)}


async def first_answers(
    db: Db, names: Sequence[tuple[UUID, UUID, str]]
) -> dict[tuple[UUID, str], Answer]:
    """Return the answer that counts for each occurrence (organisation, space, occ) with one."""
    rows = await db.all(
        _FIRST_ANSWERS,
        orgs=[org for org, _, _ in names],
        spaces=[space for _, space, _ in names],
        occs=[occ for _, _, occ in names],
    )
    return {(row.space, row.occ): Answer(row.op, row.outcome, row.at) for row in rows}


async def given_between(db: Db, org: UUID, ranges: Sequence[tuple[UUID, str, str]]) -> list[Given]:
    """Return what was given (done or partly, not taken back) from one name to another, by space."""
    return await db.all(
        _GIVEN_BETWEEN,
        org=org,
        spaces=[space for space, _, _ in ranges],
        lows=[low for _, low, _ in ranges],
        highs=[high for _, _, high in ranges],
    )


async def answered_between(
    db: Db, org: UUID, ranges: Sequence[tuple[UUID, str, str]]
) -> list[tuple[UUID, str]]:
    """Return what was answered (space, occ), not taken back, from one name to another, by space."""
    rows = await db.all(
        _ANSWERED_BETWEEN,
        org=org,
        spaces=[space for space, _, _ in ranges],
        lows=[low for _, low, _ in ranges],
        highs=[high for _, _, high in ranges],
    )
    return [(row.space, row.occ) for row in rows]


async def strays(db: Db, org: UUID, names: Sequence[tuple[UUID, str]]) -> list[tuple[UUID, str]]:
    """Return which of these (space, occ) no plan has: nothing waits for their answer."""
    rows = await db.all(
        _STRAYS, org=org, spaces=[space for space, _ in names], occs=[occ for _, occ in names]
    )
    return [(row.space, row.occ) for row in rows]
