"""Who is told when nobody answers: templates, and what a ladder would do."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from mos.care import store
from mos.care.actions import permit
from mos.care.actions.noting import note
from mos.care.actions.step_up import require_step_up
from mos.care.model import Actor
from mos.db import Db
from mos.dispatch import actions as dispatch
from mos.dispatch import rules as ladders
from mos.dispatch import store as engine
from mos.dispatch.model import By, Ladder, Person, Step
from mos.kernel.errors import Conflict, Invalid

Category = Annotated[str, Meta(pattern=r"^[a-z_]{1,32}\Z")]
Criticality = Literal["normal", "important", "critical"]
Grace = Annotated[int, Meta(ge=0, le=1440)]
_USUAL_GRACE = 30
# Relations and duty are known about as far.
_FURTHEST = timedelta(days=366)


class Matter(Struct, frozen=True):
    """What a ladder is for. None: every category, or every criticality."""

    category: str | None
    criticality: str | None


class TemplateBody(Struct, frozen=True):
    """An organisation's ladder for residents who have none of their own."""

    category: str | None
    criticality: str | None
    steps: list[dict[str, Any]]
    changed_by: UUID
    changed_at: datetime


class TemplatesBody(Struct, frozen=True):
    """An organisation's templates, and what MOS does where there is none, by criticality."""

    templates: list[TemplateBody]
    usual: dict[str, list[dict[str, Any]]]


class Before(Struct, frozen=True, forbid_unknown_fields=True):
    """What a template was for until now; as a matter has it."""

    category: Category | None = None
    criticality: Criticality | None = None


class NewTemplate(Struct, frozen=True, forbid_unknown_fields=True):
    """A template to make, replace, or move from what it was for."""

    steps: list[Any]
    category: Category | None = None
    criticality: Criticality | None = None
    instead_of: Before | None = None


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of what somebody wants to know who would be told. `grace` is in minutes.

    `order`: only those may know who see medication. `steps` that are not saved, else those that
    hold.
    """

    category: Category
    criticality: Criticality
    at: Annotated[datetime, Meta(tz=True)]
    grace: Grace = _USUAL_GRACE
    order: bool = False
    steps: list[Any] | UnsetType = UNSET


class Called(Struct, frozen=True):
    """Somebody whom a step tells, and by which channels."""

    account: UUID
    name: str
    by: list[By]


class NotCalled(Struct, frozen=True):
    """Somebody whom a step does not tell, and why."""

    account: UUID
    name: str
    why: ladders.NotTold


class StepBody(Struct, frozen=True):
    """A step: when it comes, as somebody wrote it, and whom it would tell."""

    n: int
    at: datetime
    tell: Any
    after: int
    by: list[By] | None
    told: list[Called]
    not_told: list[NotCalled]


class PreviewBody(Struct, frozen=True, rename={"for_": "for"}):
    """Who would be told of what starts at `start`, and when, if nobody answered."""

    chosen: Literal["resident", "template", "usual", "given"]
    for_: Matter | None
    start: datetime
    late_at: datetime
    missed_at: datetime
    steps: list[StepBody]
    reaches_somebody: bool


# ───────────────────────────────────────────────────────────── templates
async def list_templates(db: Db, actor: Actor, now: datetime) -> TemplatesBody:
    """Return the organisation's templates, for those who manage something or see a plan."""
    await permit.require_part(db, actor, now)
    return await _templates(db, actor.org)


async def put_template(db: Db, actor: Actor, wanted: NewTemplate, now: datetime) -> TemplatesBody:
    """Make or replace a template, or let it be for something else; it holds at once.

    Raises Invalid with the place in `steps`, NotFound where there is none that it is instead of,
    or Conflict where another is for that already.
    """
    await permit.require_reach(db, actor, now)
    await require_step_up(db, actor, now)
    steps = ladders.check_steps(wanted.steps)
    matter = Matter(wanted.category, wanted.criticality)
    if wanted.instead_of is not None:
        before = Matter(wanted.instead_of.category, wanted.instead_of.criticality)
        if before != matter:
            await _make_way(db, actor.org, before, matter)
    ladder = Ladder(matter.category, matter.criticality, steps)
    await engine.save_template(db, actor.org, ladder, by=actor.account, now=now)
    _note(db, actor, "template_set", matter, now)
    await _look_again(db, actor.org, now)
    return await _templates(db, actor.org)


async def remove_template(
    db: Db, actor: Actor, category: str | None, criticality: str | None, now: datetime
) -> None:
    """Remove a template; what is wider holds at once. Raises NotFound."""
    await permit.require_reach(db, actor, now)
    await require_step_up(db, actor, now)
    if not await engine.remove_template(db, actor.org, category, criticality):
        raise permit.no_such("template")
    _note(db, actor, "template_removed", Matter(category, criticality), now)
    await _look_again(db, actor.org, now)


async def _make_way(db: Db, org: UUID, before: Matter, after: Matter) -> None:
    there = [row.ladder for row in await engine.templates_of(db, org)]
    if any(Matter(each.category, each.criticality) == after for each in there):
        raise Conflict("There is a template for that already.", code="template_there")
    if not await engine.remove_template(db, org, before.category, before.criticality):
        raise permit.no_such("template")


def _note(
    db: Db,
    actor: Actor,
    event: Literal["template_set", "template_removed"],
    of: Matter,
    now: datetime,
) -> None:
    note(db, actor, event, now, category=of.category, criticality=of.criticality)


async def _templates(db: Db, org: UUID) -> TemplatesBody:
    found = [(row, row.ladder) for row in await engine.templates_of(db, org)]
    return TemplatesBody(
        [
            TemplateBody(
                ladder.category,
                ladder.criticality,
                ladders.write_steps(ladder.steps),
                row.changed_by,
                row.changed_at,
            )
            for row, ladder in found
        ],
        {name: ladders.write_steps(ladders.LADDERS[name]) for name in ladders.RINGS},
    )


async def _look_again(db: Db, org: UUID, now: datetime) -> None:
    spaces = await store.spaces_of_organisation(db, org)
    await db.widen(spaces)
    await dispatch.ladders_changed(db, org, spaces, now)


# ───────────────────────────────────────────────────────────── what a ladder would do
async def preview(db: Db, actor: Actor, space: UUID, asked: Asked, now: datetime) -> PreviewBody:
    """Return who would be told, when, by what, and why others not. Raises Invalid or NotFound.

    Which ladder holds is the plan's to tell. Whoever manages the resident's unit knows who helps
    them, and may ask of steps that they name themselves: what a template would do.
    """
    if asked.steps is UNSET:
        await permit.seen_spaces(db, actor, space, now)
    else:
        await permit.require_sight(db, actor, space, now)
    if abs(asked.at - now) > _FURTHEST:
        raise Invalid("Ask about a moment within a year.", field="at")
    chosen, what, steps = await _steps(db, actor.org, space, asked)
    grace = timedelta(minutes=asked.grace)
    times = ladders.step_times(steps, asked.at, grace)
    of = store.medication_of(space) if asked.order else space
    people = await engine.people_of(db, [(actor.org, of, at) for at in times])
    names = {p.id: p.name for p in await store.people(db, actor.org, actor.account, [space])}
    weight = ladders.weight(asked.criticality, asked.criticality)
    critical = weight == "critical"
    told = [
        (n, each)
        for n, at in enumerate(times)
        for each in ladders.told_by(steps[: n + 1], people[of, at], critical=critical)
    ]
    rows = [(n, weight, n == len(times) - 1, each) for n, each in told]
    ways = await engine.ways_to_tell(db, actor.org, of, rows)
    bodies = [
        _step(n, at, steps[: n + 1], people[of, at], ways, names) for n, at in enumerate(times)
    ]
    return PreviewBody(
        chosen,
        what,
        start=asked.at,
        late_at=times[0],
        missed_at=asked.at + grace,
        steps=bodies,
        reaches_somebody=bool(ways),
    )


async def _steps(
    db: Db, org: UUID, space: UUID, asked: Asked
) -> tuple[Literal["resident", "template", "usual", "given"], Matter | None, tuple[Step, ...]]:
    if asked.steps is not UNSET:
        return "given", None, ladders.safe(ladders.check_steps(asked.steps), asked.criticality)
    found = await engine.ladders_for(db, [(org, space)])
    steps = found.of(org, space, asked.category, asked.criticality)
    own = ladders.chosen_of(found.own.get(space, ()), asked.category, asked.criticality)
    if own is not None:
        return "resident", Matter(own.category, own.criticality), steps
    theirs = ladders.chosen_of(found.templates.get(org, ()), asked.category, asked.criticality)
    if theirs is not None:
        return "template", Matter(theirs.category, theirs.criticality), steps
    return "usual", None, steps


def _step(  # noqa: PLR0913, PLR0917  one more than five
    n: int,
    at: datetime,
    steps: tuple[Step, ...],
    people: list[Person],
    ways: Mapping[tuple[int, UUID], list[By]],
    names: Mapping[UUID, str],
) -> StepBody:
    (written,) = ladders.write_steps(steps[-1:])
    meant = {each.account for each in ladders.told_by(steps, people, critical=True)}
    named = sorted(
        ((names.get(person.account, ""), person.account, person) for person in people),
        key=lambda each: each[:2],
    )
    return StepBody(
        n=n + 1,
        at=at,
        tell=written["tell"],
        after=written["after"],
        by=written.get("by"),
        told=[
            Called(account, name, ways[n, account])
            for name, account, _ in named
            if (n, account) in ways
        ],
        not_told=[
            NotCalled(account, name, ladders.why_not(person, is_meant=account in meant))
            for name, account, person in named
            if (n, account) not in ways
        ],
    )


def require_days(days: int, most: int) -> None:
    """Let so many days be asked for; raises Invalid."""
    if not 1 <= days <= most:
        raise Invalid(f"Ask for 1 to {most} days.", field="days")
