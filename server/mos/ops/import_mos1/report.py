"""What an import brings, what it leaves, and what somebody must look at, in words. Pure.

For whoever runs MOS and for the manager who plans anew what did not come along. It names people and
says what they take: it is shown and kept like the database itself.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec

from mos.ops.import_mos1.model import Earlier, Finding, Plan, Weight

HEADINGS: dict[Weight, str] = {
    "dropped": "Does not come along: plan it anew",
    "check": "Comes along: look at it",
    "note": "Good to know",
}

_SENTENCES = {
    # ── people
    "example": "came with the earlier MOS as an example, unused: left out",
    "kind": "is of the unknown kind “{kind}”, cares for nobody and has no plan",
    "role": "was of the unknown kind “{kind}”; by what there is, a {role}",
    "name": "had a name that cannot be shown; it is now “{name}”",
    "name_cut": "has a name that is longer than 80 characters: “{name}”",
    "email": "has the address “{email}”, which no mail reaches: give them one",
    "email_twice": "has the address “{email}”, as somebody before them: give them one of their own",
    "inactive": "was inactive: cannot sign in here, and a resident is archived",
    "phone": "has a telephone that is told nothing until they type the code that it is sent",
    "phone_unclear": "has the telephone “{phone}”: write it with its country, as +46 70 123 45 67",
    "phone_resident": "has the telephone “{phone}”, which residents have no use for here",
    "admin": "manages accounts here, and sees no resident's day",
    # ── who may do what
    "permission": "had the unknown permission “{permission}”: it gives nothing here",
    "own_permission": "might do “{permission}” for themselves: here supporters plan with residents",
    "primary": "had several carers; the first, {name}, is now the contact person",
    "nobody_cares": "has nobody who is told when they do not answer: give them somebody",
    "assigned_admin": "cared for {name} as an administrator, who sees no day here: give the carer "
    "an account of their own",
    "assigned_resident": "was assigned to {name}, but is a resident",
    "assigned_no_resident": "was assigned to {name}, who is no resident",
    # ── reminders
    "no_resident": "had a reminder of their own, but is no resident: “{text}”",
    "once_without_time": "had a reminder for once, without a time: “{text}”",
    "past": "had a reminder that is past: {at} “{text}”",
    "once_may_have_moved": "{at} “{text}”: each time one was saved in the earlier MOS it moved by "
    "an hour or two; make sure of the time",
    "no_when": "had a reminder without weekdays or times that anybody can read (days {days}; times "
    "{times}): “{text}”",
    "odd_when": "“{text}”: left out what nobody can read ({odd})",
    "odd_kind": "“{text}”: was of the unknown kind “{kind}”, and is weekly now",
    "category": "“{text}”: the unknown category “{category}” is shown as its own word",
    "medicine": "“{text}”: is a reminder, without drug or dose; a nurse writes an order for it",
    "too_long": "a title holds 80 characters and a note 400; the rest is only here: “{text}”",
    # ── food
    "diet_severity": "“{text}”: how severe it is was never written down; it counts as {severity} "
    "until somebody who knows lowers it",
    "diet_wish": "“{text}”: kept as a wish, which food is chosen by, and nothing is refused for",
    "diet_typed": "“{text}”: typed freely; kept as an allergy in those words until somebody says "
    "what it is of and how severe",
    "diet_no_resident": "had “{text}” as a diet, but is no resident",
    "diet_says_nothing": "had a diet that says nothing: “{text}”",
}  # fmt: skip


def sentence(finding: Finding) -> str:
    """Return what a finding says of whom it is about."""
    return _SENTENCES[finding.code].format_map(finding.more)


def summary(plan: Plan) -> dict[str, int]:
    """Return how much comes along, by kind."""
    roles = Counter(account.role.value for account in plan.accounts)
    records = Counter(record.coll for record in plan.records)
    counts = {f"people: {role}": number for role, number in sorted(roles.items())}
    counts["relations"] = len(plan.relations)
    counts["reminders"] = records["reminder"]
    counts["allergies and wishes"] = records["allergy"]
    return counts


def lines(earlier: Earlier, plan: Plan) -> Iterator[str]:
    """Yield the whole report: counts, then what is dropped, to be looked at and to be known."""
    names = _names(earlier)
    for what, number in summary(plan).items():
        yield f"{number:6}  {what}"
    for weight, heading in HEADINGS.items():
        found = [each for each in plan.findings if each.weight == weight]
        if found:
            yield f"\n{heading} ({len(found)})"
            # Together what is about one person: whoever mends it goes by people.
            order = {who: at for at, who in enumerate(dict.fromkeys(each.who for each in found))}
            for each in sorted(found, key=lambda each: order[each.who]):
                yield f"  {names.get(each.who, each.who)}: {sentence(each)}"


def as_json(earlier: Earlier, plan: Plan) -> bytes:
    """Return the report for a program: counts, and each finding with its rows' ids."""
    names = _names(earlier)
    value: dict[str, Any] = {
        "brings": summary(plan),
        "findings": [
            {
                "weight": each.weight,
                "code": each.code,
                "who": {"id": each.who, "name": names.get(each.who)},
                "id": each.id,
                "text": sentence(each),
                **({"more": each.more} if each.more else {}),
            }
            for each in plan.findings
        ],
    }
    return msgspec.json.format(msgspec.json.encode(value), indent=1)


def _names(earlier: Earlier) -> Mapping[UUID, str]:
    return {user.id: " ".join(user.name.split()) or user.email for user in earlier.users}
