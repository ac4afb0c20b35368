"""From what an earlier MOS held to what will be written, and what there is to say of it. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from mos.care.model import Policy, Role
from mos.care.rules import founding_role
from mos.dispatch.channels.addresses import phone_number
from mos.ops.import_mos1 import diets, people, reminders
from mos.ops.import_mos1.model import Earlier, Finding, NewAccount, Plan


class Steward(Struct, frozen=True):
    """Somebody who will manage the home and was not in the earlier MOS."""

    name: str
    email: str


class Home(Struct, frozen=True):
    """The organisation to make, as whoever imports names it; `zone` is an IANA name."""

    organisation: str
    unit: str
    policy: Policy
    zone: str
    language: Literal["sv", "en", "fi"]
    steward: Steward | None = None


# In place of an id of the earlier database.
_NEW = UUID(int=0)


def plan(earlier: Earlier, home: Home, now: datetime) -> Plan:
    """Return what an import at the instant `now` writes."""
    accounts, findings = people.accounts(earlier, home.policy)
    taken = {account.email for account in accounts}
    added = home.steward if home.steward and home.steward.email not in taken else None
    if added is not None:
        role = founding_role(home.policy)
        accounts.append(NewAccount(_NEW, role, added.name, added.email, None, active=True))
    known = {account.of: account for account in accounts}
    relations, about_relations = people.relations(earlier, accounts, home.policy)
    if added is not None and home.policy is Policy.FAMILY:
        relations.append(people.head_of_family(_NEW))
    planned, about_reminders = reminders.reminders(
        earlier.reminders, known, zone=home.zone, language=home.language, now=now
    )
    eaten, about_diets = diets.diets(earlier.diets, known, language=home.language, now=now)
    return Plan(
        accounts=accounts,
        relations=relations,
        records=[*planned, *eaten],
        findings=[
            *findings,
            *(finding for account in accounts for finding in _phone(account)),
            *about_relations,
            *about_reminders,
            *about_diets,
        ],
    )


def stewards(plan: Plan) -> list[UUID]:
    """Return the users who will manage the home, and can be sent a link: by address, and active."""
    managing = {each.of for each in plan.relations if each.space_of is None}
    return [
        account.of
        for account in plan.accounts
        if account.active
        and account.email
        and (account.role is Role.ADMIN or account.of in managing)
    ]


def number_of(account: NewAccount) -> str | None:
    """Return the telephone in E.164 under which a supporter may be told, once it is proved."""
    if account.phone is None or account.role is Role.RESIDENT:
        return None
    try:
        return phone_number(account.phone)
    except ValueError:
        return None


def _phone(account: NewAccount) -> Iterator[Finding]:
    if account.phone is None:
        return
    if account.role is Role.RESIDENT:
        yield _said(account, "note", "phone_resident", account.phone)
    elif number_of(account) is None:
        yield _said(account, "check", "phone_unclear", account.phone)
    else:
        yield Finding("note", "phone", account.of, account.of)


def _said(account: NewAccount, weight: Literal["note", "check"], code: str, phone: str) -> Finding:
    return Finding(weight, code, account.of, account.of, {"phone": phone})
