"""Accounts of supporters and of those who manage them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from mos.care import rules, store
from mos.care.actions import letters, permit
from mos.care.actions.news import News, telling
from mos.care.actions.noting import note
from mos.care.actions.pin_ends import end_pins_of_account
from mos.care.actions.step_up import require_step_up
from mos.care.actions.text import Email, Language, Name, named
from mos.care.model import Actor, Reach, Role
from mos.db import Db, Pool, UniqueViolation
from mos.dispatch.channels.messengers import Messengers
from mos.kernel.errors import Conflict, Forbidden, Invalid
from mos.kernel.ids import new_id
from mos.sync.pokes import Hub


class NewAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """A person to add. In each of `units` they get what is usual for their role."""

    role: Role
    name: Name
    email: Email
    language: Language
    units: Annotated[list[UUID], Meta(max_length=200)] = []


class AccountUpdate(Struct, frozen=True, forbid_unknown_fields=True):
    """What managers may change about a person."""

    name: Name | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    email: Email | UnsetType | None = UNSET
    language: Language | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


async def list_accounts(db: Db, actor: Actor, now: datetime) -> list[store.AccountEntry]:
    """Return the people whom the actor sees as a manager, by name."""
    reach = await permit.require_reach(db, actor, now)
    return await store.accounts_within(db, actor.org, reach, now)


async def add_account(
    db: Db, actor: Actor, wanted: NewAccount, now: datetime, *, news: News
) -> store.AccountEntry:
    """Add a person and their relations to units; raises Forbidden, Invalid or Conflict."""
    reach = await permit.require_reach(db, actor, now)
    _require_role(actor, wanted.role)
    await require_step_up(db, actor, now)
    if wanted.role is Role.RESIDENT:
        raise Invalid("Add a resident with their unit and flat instead.", field="role")
    account = store.Account(
        id=new_id(now),
        role=wanted.role,
        name=named(wanted.name),
        email=wanted.email.lower(),
        language=wanted.language,
        disabled=False,
    )
    try:
        await store.add_account(db, actor.org, account, now)
    except UniqueViolation as error:
        raise _email_taken() from error
    units = wanted.units or None
    note(db, actor, "account_added", now, of=account.id, role=account.role, units=units)
    organisation = await store.organisation(db, actor.org)
    for unit in dict.fromkeys(wanted.units):
        await _require_open_unit(db, actor.org, reach, unit)
        relation = _usual_relation(account, organisation, unit, now)
        await store.add_relation(db, actor.org, relation)
    news.access(await store.acquainted(db, actor.org, account.id))
    return (await store.accounts_within(db, actor.org, reach, now, account=account.id))[0]


async def change_account(  # noqa: PLR0913  one more than five
    db: Db, actor: Actor, account: UUID, update: AccountUpdate, now: datetime, *, news: News
) -> store.AccountEntry:
    """Change a person; raises Forbidden, NotFound, Invalid or Conflict. Disabling ends sessions."""
    # Roles change one at a time: two who step down at once must not both succeed.
    await store.lock_organisation(db, actor.org)
    before = await permit.managed_account(db, actor, account, now)
    after = _changed(before, update)
    _require_role(actor, after.role)
    await require_step_up(db, actor, now)
    _check_step(actor, before, after)
    try:
        await store.save_account(db, actor.org, after, now)
    except UniqueViolation as error:
        raise _email_taken() from error
    _note_change(db, actor, before, after, now)
    if after.role is not before.role:
        await _cut_relations(db, actor.org, after, now)
    if after.role is not before.role or after.disabled:
        await permit.require_steward(db, actor.org, now)
    # A link may be in the hands of whoever managed the person: it must not open a greater role.
    if after.disabled or after.email != before.email or after.role is not before.role:
        await store.void_invitations(db, actor.org, account, now)
    if after.disabled:
        await store.end_sessions(db, actor.org, account, now)
    news.access(await store.acquainted(db, actor.org, account))
    reach = await store.reach(db, actor, now)
    return (await store.accounts_within(db, actor.org, reach, now, account=account))[0]


class Desk(Struct, frozen=True):
    """Who asks and when, and what it takes: the mail leaves after the commit."""

    pool: Pool
    messengers: Messengers
    hub: Hub
    actor: Actor
    now: datetime


class SecondFactorReset(Struct, frozen=True):
    """Whether the mail that tells of it is on its way."""

    told: bool


async def reset_second_factor(desk: Desk, account: UUID) -> SecondFactorReset:
    """Remove what a colleague has beside their password, sign them out, and tell them.

    For the day when a phone is lost and the paper too. Raises Forbidden, NotFound, StepUpNeeded, or
    Conflict for one's own.
    """
    actor, now = desk.actor, desk.now
    async with telling(desk.pool, desk.hub, actor) as (db, news):
        await permit.managed_account(db, actor, account, now)
        if account == actor.account:
            raise Conflict("Ask somebody else, or use a code from your paper.", code="own_account")
        await require_step_up(db, actor, now)
        passkeys = await store.remove_passkeys(db, actor.org, account)
        had_totp = await store.remove_totp(db, actor.org, account)
        note(db, actor, "second_factor_reset", now, of=account, totp=had_totp, passkeys=passkeys)
        await end_account_sessions(db, actor, account, now, news=news)
    sent = await letters.send(
        desk.pool, desk.messengers, actor.org, account, "second_factor_reset", now=now
    )
    return SecondFactorReset(told=sent.outcome == "sent")


async def end_account_sessions(
    db: Db, actor: Actor, account: UUID, now: datetime, *, news: News
) -> None:
    """Sign a person out everywhere: a lost tablet, a phone left on a bus."""
    await permit.managed_account(db, actor, account, now)
    await end_pins_of_account(db, actor, account, now, why="signed_out")
    await store.end_sessions(db, actor.org, account, now)
    note(db, actor, "signed_out_everywhere", now, of=account)
    news.access([account])


def _note_change(
    db: Db, actor: Actor, before: store.AccountEntry, after: store.Account, now: datetime
) -> None:
    """Note what changed: the role and whether they may sign in, of the rest that it did."""
    what = [
        word
        for word in ("name", "email", "language", "role", "disabled")
        if getattr(before, word) != getattr(after, word)
    ]
    if what:
        note(
            db, actor, "account_changed", now, of=after.id, what=what, role=after.role,
            was=before.role, disabled=after.disabled,
        )  # fmt: skip


async def _cut_relations(db: Db, org: UUID, account: store.Account, now: datetime) -> None:
    """Let a new role keep only what it can have: the ladder calls whoever a relation names."""
    organisation = await store.organisation(db, org)
    kept = rules.ceiling(account.role, organisation.policy)
    await store.cut_relations(db, org, account.id, now, kept=kept)


def _changed(before: store.AccountEntry, update: AccountUpdate) -> store.Account:
    email = update.email.lower() if isinstance(update.email, str) else None
    return store.Account(
        id=before.id,
        role=before.role if update.role is UNSET else update.role,
        name=before.name if update.name is UNSET else named(update.name),
        email=before.email if update.email is UNSET else email,
        language=before.language if update.language is UNSET else update.language,
        disabled=before.disabled if update.disabled is UNSET else update.disabled,
    )


def _check_step(actor: Actor, before: store.AccountEntry, after: store.Account) -> None:
    if (before.role is Role.RESIDENT) != (after.role is Role.RESIDENT):
        raise Invalid("A resident stays a resident, and nobody else becomes one.", field="role")
    if before.role is Role.RESIDENT and _as_known(before) != _as_known(after):
        # Their profile says the same, and archiving does more than disabling.
        raise Conflict("Change a resident's own entry instead.", code="resident_entry")
    if after.email is None and after.role is not Role.RESIDENT:
        raise Invalid("Whoever signs in needs an address.", field="email")
    if after.disabled and before.id == actor.account:
        raise Conflict("Ask somebody else to disable your account.", code="own_account")


def _as_known(person: store.Account | store.AccountEntry) -> tuple[str, str, bool]:
    return person.name, person.language, person.disabled


def _require_role(actor: Actor, role: Role) -> None:
    if not rules.may_manage_role(actor, role):
        raise Forbidden("Only an administrator may give this role.")


async def _require_open_unit(db: Db, org: UUID, reach: Reach, unit: UUID) -> None:
    found = await store.unit_for_update(db, org, unit)
    if found is None or found.archived_at or not rules.may_manage_unit(reach, unit):
        raise Invalid("There is no such unit.", field="units")


def _usual_relation(
    account: store.Account, organisation: store.Organisation, unit: UUID, now: datetime
) -> store.Relation:
    permissions = rules.usual(account.role, organisation.policy)
    try:
        rules.check_relation(
            account.role, organisation.policy, permissions, is_primary=False, of="unit"
        )
    except Invalid as error:
        raise Invalid(error.detail, field="units") from error
    return store.Relation(
        id=new_id(now),
        account=account.id,
        space=None,
        unit=unit,
        permissions=sorted(permissions),
        is_primary=False,
        consent="",
        valid_from=now,
        valid_to=None,
    )


def _email_taken() -> Conflict:
    return Conflict("This address is in use.", code="email_taken")
