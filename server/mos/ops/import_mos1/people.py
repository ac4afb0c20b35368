"""Who comes along from an earlier MOS, as what, and what they may do. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from mos.care import rules
from mos.care.model import Permission, Policy, Role
from mos.ops.import_mos1.model import (
    Assigned,
    Earlier,
    Finding,
    NewAccount,
    NewRelation,
    OldReminder,
    User,
    Weight,
)

_P = Permission
# What caring for somebody meant then; anything else hung on a permission of one's own.
_CARES = (_P.PLAN_VIEW, _P.PLAN_EDIT, _P.OUTCOME_RECORD, _P.ALERT_TAKE)
_MORE = {
    "MEAL_REQUIREMENTS": (_P.MEALS_VIEW, _P.MEALS_EDIT),
    "MEAL_SUGGESTIONS": (_P.MEALS_VIEW,),
    "STATISTICS": (_P.STATISTICS_VIEW,),
    # In force for whom one cares for anyway.
    "VIEW_REMINDERS": (),
    "CREATE_REMINDERS": (),
}
_KINDS = {"ADMIN": Role.ADMIN, "CAREGIVER": Role.CAREGIVER, "RESIDENT": Role.RESIDENT}
_MAIL = re.compile(r"[^\x00-\x20\x7f@]+@[^\x00-\x20\x7f@]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
# What a profile can hold.
_LONGEST_NAME = 80
_LONGEST_MAIL = 254

# The accounts that every earlier MOS was delivered with, all with one printed password.
_EXAMPLE = "550e8400-e29b-41d4-a716-44665544000{}"
_EXAMPLES = {
    UUID(_EXAMPLE.format(number)): (email, name)
    for number, email, name in (
        (1, "admin@mos.test", "System Administrator"),
        (2, "caregiver1@mos.test", "Anna Andersson"),
        (3, "caregiver2@mos.test", "Erik Eriksson"),
        (4, "resident1@mos.test", "Maria Svensson"),
        (5, "resident2@mos.test", "Lars Larsson"),
        (6, "resident3@mos.test", "Ingrid Johansson"),
        (7, "inactive@mos.test", "Inactive User"),
    )
}
_EVERY_DAY = {"Måndag", "Tisdag", "Onsdag", "Torsdag", "Fredag", "Lördag", "Söndag"}
_EXAMPLE_WEEKS = (
    ("MEAL", _EVERY_DAY, {"08:00"}),
    ("MEDICATION", {"Måndag", "Onsdag"}, {"07:00", "19:00"}),
)
_EXAMPLE_MOMENTS = {("MEAL", "2025-09-17T10:00"), ("MEETING", "2025-09-18T07:30")}


def examples(earlier: Earlier) -> frozenset[UUID]:
    """Return the accounts that came with the earlier MOS and that nobody ever used for real.

    One that was renamed, or given a reminder, a diet or somebody real to care for, is not among
    them: then it is somebody's.
    """
    left = {user.id for user in earlier.users if _EXAMPLES.get(user.id) == (user.email, user.name)}
    left -= {diet.user for diet in earlier.diets}
    left -= {reminder.user for reminder in earlier.reminders if not _is_example(reminder)}
    while True:
        used = {
            one
            for each in earlier.assigned
            for one, other in ((each.caregiver, each.resident), (each.resident, each.caregiver))
            if one in left and other not in left
        }
        if not used:
            return frozenset(left)
        left -= used


def _is_example(reminder: OldReminder) -> bool:
    if reminder.at is not None:
        return (reminder.category, f"{reminder.at:%Y-%m-%dT%H:%M}") in _EXAMPLE_MOMENTS
    days, times = words_of(reminder.recurrence, "days"), words_of(reminder.recurrence, "times")
    return (reminder.category, set(days), set(times)) in _EXAMPLE_WEEKS


def words_of(recurrence: Any, key: str) -> list[str]:
    """Return the words under `key` in what lay in the earlier database as a recurrence."""
    found = recurrence.get(key) if isinstance(recurrence, dict) else None
    return [str(word) for word in found] if isinstance(found, list) else []


def accounts(earlier: Earlier, policy: Policy) -> tuple[list[NewAccount], list[Finding]]:
    """Return the accounts to make, in the order in which they were made then."""
    findings: list[Finding] = []
    made: list[NewAccount] = []
    taken: set[str] = set()
    apart = examples(earlier)
    roles = _roles(earlier, policy)
    for user in earlier.users:
        role = roles.get(user.id)
        if user.id in apart:
            findings.append(_about(user, "note", "example"))
        elif role is None:
            findings.append(_about(user, "dropped", "kind", kind=user.kind))
        else:
            if user.kind.upper() not in _KINDS:
                findings.append(_about(user, "check", "role", kind=user.kind, role=role.value))
            account, more = _account(user, role, taken)
            made.append(account)
            findings += more
    return made, findings


def _account(user: User, role: Role, taken: set[str]) -> tuple[NewAccount, list[Finding]]:
    findings = []
    email: str | None = user.email.strip().lower()
    name = _CONTROL.sub(" ", user.name).strip() or user.email.partition("@")[0].strip() or "?"
    if name != user.name.strip():
        findings.append(_about(user, "check", "name", name=name))
    if len(name) > _LONGEST_NAME:
        findings.append(_about(user, "check", "name_cut", name=name))
        name = name[:_LONGEST_NAME].strip()
    if email is None or not _MAIL.fullmatch(email) or len(email) > _LONGEST_MAIL:
        findings.append(_about(user, "check", "email", email=user.email))
        email = None
    elif email in taken:
        findings.append(_about(user, "check", "email_twice", email=user.email))
        email = None
    else:
        taken.add(email)
    if not user.active:
        findings.append(_about(user, "note", "inactive"))
    phone = (user.phone or "").strip() or None
    return NewAccount(user.id, role, name, email, phone, user.active), findings


def _roles(earlier: Earlier, policy: Policy) -> dict[UUID, Role]:
    """Return as what each user comes along: by their kind, or where it says nothing by their part.

    A family has neither administrators nor staff: those who looked after it are its relatives.
    """
    cared_for = {each.resident for each in earlier.assigned}
    cared_for |= {reminder.user for reminder in earlier.reminders}
    cared_for |= {diet.user for diet in earlier.diets}
    caring = {each.caregiver for each in earlier.assigned}
    roles = {}
    for user in earlier.users:
        role = _KINDS.get(user.kind.upper())
        if role is None and user.id in caring:
            role = Role.CAREGIVER
        elif role is None and user.id in cared_for:
            role = Role.RESIDENT
        if role is not None:
            at_home = policy is Policy.FAMILY and role is not Role.RESIDENT
            roles[user.id] = Role.RELATIVE if at_home else role
    return roles


def relations(
    earlier: Earlier, made: Iterable[NewAccount], policy: Policy
) -> tuple[list[NewRelation], list[Finding]]:
    """Return who will be able to do what for whom: never more than they could, and what they could.

    Whoever cared for somebody first becomes their contact person.
    """
    people = {account.of: account for account in made}
    allowed = _allowed(earlier)
    found: list[NewRelation] = []
    findings = list(_unknown(earlier, people))
    carers: dict[UUID, list[UUID]] = defaultdict(list)
    for each in earlier.assigned:
        why = _refused(each, people)
        if why == "example":
            continue
        if why is not None:
            findings.append(_between(each, why, people))
            continue
        carers[each.resident].append(each.caregiver)
        most = rules.ceiling(people[each.caregiver].role, policy)
        first = len(carers[each.resident]) == 1
        words = sorted({*_CARES, *allowed[each.caregiver]} & most)
        found.append(NewRelation(each.caregiver, each.resident, tuple(words), first))
    for resident, several in carers.items():
        if len(several) > 1:
            primary = people[several[0]].name
            findings.append(Finding("check", "primary", resident, resident, {"name": primary}))
    if policy is Policy.FAMILY:
        found += [
            head_of_family(user.id)
            for user in earlier.users
            if user.kind.upper() == "ADMIN" and user.id in people
        ]
    findings += _lonely(people, carers)
    return found, findings


def _allowed(earlier: Earlier) -> Mapping[UUID, set[Permission]]:
    allowed: dict[UUID, set[Permission]] = defaultdict(set)
    for each in earlier.given:
        allowed[each.user].update(_MORE.get(each.permission.upper(), ()))
    return allowed


def _unknown(earlier: Earlier, people: Mapping[UUID, NewAccount]) -> Iterator[Finding]:
    for each in earlier.given:
        if each.user not in people:
            continue
        if each.permission.upper() not in _MORE:
            more = {"permission": each.permission}
            yield Finding("check", "permission", each.user, each.user, more)
        elif people[each.user].role is Role.RESIDENT and each.permission.upper() in {
            "CREATE_REMINDERS",
            "MEAL_REQUIREMENTS",
        }:
            more = {"permission": each.permission}
            yield Finding("note", "own_permission", each.user, each.user, more)


def _refused(each: Assigned, people: Mapping[UUID, NewAccount]) -> str | None:
    if each.caregiver not in people or each.resident not in people:
        return "example"
    if people[each.resident].role is not Role.RESIDENT:
        return "assigned_no_resident"
    match people[each.caregiver].role:
        case Role.ADMIN:
            return "assigned_admin"
        case Role.RESIDENT:
            return "assigned_resident"
        case _:
            return None


def _between(each: Assigned, why: str, people: Mapping[UUID, NewAccount]) -> Finding:
    other = people[each.resident].name
    return Finding("dropped", why, each.caregiver, each.caregiver, {"name": other})


def head_of_family(of: UUID) -> NewRelation:
    """Return what lets somebody manage a family's home and help everybody in it."""
    most = tuple(sorted(rules.ceiling(Role.RELATIVE, Policy.FAMILY)))
    return NewRelation(of, None, most, is_primary=False)


def _lonely(
    people: Mapping[UUID, NewAccount], carers: Mapping[UUID, list[UUID]]
) -> Iterator[Finding]:
    for of, account in people.items():
        if account.role is Role.RESIDENT and account.active and not carers.get(of):
            yield Finding("check", "nobody_cares", of, of)
        elif account.role is Role.ADMIN:
            yield Finding("note", "admin", of, of)


def _about(user: User, weight: Weight, code: str, **more: str) -> Finding:
    return Finding(weight, code, user.id, user.id, more)
