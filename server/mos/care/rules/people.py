"""Decisions about people. Pure: no await, no clock, no database."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from mos.care.model import Access, Actor, Method, Permission, Policy, Reach, Role, SpaceKind
from mos.care.rules.common_passwords import is_common
from mos.care.rules.pins import SHIFT
from mos.kernel.errors import Invalid

_P = Permission
_SUPPORT = frozenset(
    {
        _P.PLAN_VIEW,
        _P.PLAN_EDIT,
        _P.OUTCOME_RECORD,
        _P.ALERT_TAKE,
        _P.MEALS_VIEW,
        _P.MEALS_EDIT,
        _P.MEDICATION_VIEW,
        _P.STATISTICS_VIEW,
    }
)

# The one rule table: the most that a role can ever have. A relation gives some of it, never more.
CEILING: dict[Role, frozenset[Permission]] = {
    Role.RESIDENT: frozenset(
        {
            _P.PLAN_VIEW,
            _P.OUTCOME_RECORD,
            _P.MEALS_VIEW,
            _P.MEDICATION_VIEW,
            _P.LOG_VIEW,
            _P.SOUND_CHOOSE,
        }
    ),
    Role.RELATIVE: _SUPPORT | {_P.MEDICATION_EDIT, _P.CARE_MANAGE, _P.LOG_VIEW},
    Role.CAREGIVER: _SUPPORT | {_P.MEDICATION_SIGN},
    Role.NURSE: _SUPPORT | {_P.MEDICATION_EDIT, _P.MEDICATION_SIGN},
    Role.MANAGER: _SUPPORT | {_P.CARE_MANAGE},
    # An administrator manages accounts and never sees a resident's content.
    Role.ADMIN: frozenset({_P.CARE_MANAGE}),
    # An auditor reads logs, nothing else.
    Role.AUDITOR: frozenset(),
}

# What is a relative's only where the family itself runs MOS, and not in a care record.
_FAMILY_ONLY = frozenset({_P.MEDICATION_EDIT, _P.CARE_MANAGE})

# What residents may do in their own space without any relation.
OWN: frozenset[Permission] = frozenset(
    {_P.PLAN_VIEW, _P.OUTCOME_RECORD, _P.MEDICATION_VIEW, _P.LOG_VIEW, _P.SOUND_CHOOSE}
)

# Who sees a space at all, and which words mean nothing there: a day holds no orders, and medication
# no plan.
SIGHT: dict[SpaceKind, Permission] = {
    "resident": _P.PLAN_VIEW,
    "medication": _P.MEDICATION_VIEW,
}
_ELSEWHERE: dict[SpaceKind, frozenset[Permission]] = {
    "resident": frozenset({_P.MEDICATION_EDIT, _P.MEDICATION_SIGN}),
    "medication": frozenset(
        {
            _P.PLAN_VIEW,
            _P.PLAN_EDIT,
            _P.MEALS_VIEW,
            _P.MEALS_EDIT,
            _P.STATISTICS_VIEW,
            _P.LOG_VIEW,
            _P.SOUND_CHOOSE,
            _P.CARE_MANAGE,
        }
    ),
}

# Whom a manager, or a relative who manages the family's home, may make, change and invite. Managers
# and administrators are the administrator's.
MANAGED_ROLES = frozenset({Role.RESIDENT, Role.RELATIVE, Role.CAREGIVER, Role.NURSE})


def cut(role: Role, policy: Policy, words: Iterable[str]) -> frozenset[Permission]:
    """Return the permissions among `words` that `role` can have under `policy`.

    A word that this release does not know gives nothing.
    """
    return _cut(role, policy, frozenset(words))


# Whoever helps fifty people was given the same words fifty times, and asks with each request.
@lru_cache(maxsize=1024)
def _cut(role: Role, policy: Policy, words: frozenset[str]) -> frozenset[Permission]:
    return frozenset(each for each in ceiling(role, policy) if each.value in words)


def known(words: Iterable[str]) -> frozenset[Permission]:
    """Return the permissions among `words`, whoever's role they are for."""
    given = frozenset(words)
    return frozenset(each for each in Permission if each.value in given)


def may(actor: Actor, permission: Permission, access: Access) -> bool:
    """Say whether `actor`, whose access to one space is `access`, may do this there."""
    return permission in CEILING[actor.role] and permission in access.permissions


@lru_cache(maxsize=1024)
def words_in(kind: SpaceKind, permissions: frozenset[Permission]) -> frozenset[Permission]:
    """Return what of `permissions` holds in a space of this kind; nothing where it is not seen."""
    if SIGHT[kind] not in permissions:
        return frozenset()
    return permissions - _ELSEWHERE[kind]


def signed_words(
    role: Role, kind: SpaceKind, permissions: frozenset[Permission]
) -> frozenset[Permission]:
    """Return what of `permissions` somebody may sign by a PIN in a space of this kind.

    Staff sign for doses with `medication.sign` alone. A family's relatives cannot have it, and give
    doses with `outcome.record`.
    """
    words = words_in(kind, permissions & CEILING[role])
    lacks = _P.MEDICATION_SIGN in CEILING[role] and _P.MEDICATION_SIGN not in words
    return words - {_P.OUTCOME_RECORD} if kind == "medication" and lacks else words


def is_elsewhere(kind: SpaceKind, word: str) -> bool:
    """Say whether a permission means nothing in a space of this kind, but in the other."""
    return word in {each.value for each in _ELSEWHERE[kind]}


def ceiling(role: Role, policy: Policy) -> frozenset[Permission]:
    """Return what a relation may give `role` in an organisation of this policy.

    In a care record only nurses decide about medication, and staff manage; in a family a relative
    may do both.
    """
    if role is Role.RELATIVE and policy is Policy.CARE_RECORD:
        return CEILING[role] - _FAMILY_ONLY
    return CEILING[role]


def managing_policies(role: Role) -> frozenset[Policy]:
    """Return under which policies a relation to a unit lets `role` manage it."""
    if role is Role.ADMIN:
        # The whole organisation is theirs without any relation.
        return frozenset()
    return frozenset(policy for policy in Policy if _P.CARE_MANAGE in ceiling(role, policy))


def founding_role(policy: Policy) -> Role:
    """Return what whoever founds an organisation is in it."""
    match policy:
        case Policy.FAMILY:
            return Role.RELATIVE
        case Policy.CARE_RECORD:
            return Role.ADMIN


def may_manage_unit(reach: Reach, unit: UUID) -> bool:
    """Say whether people and residents of `unit` are theirs to manage."""
    return reach.everything or unit in reach.units


def may_manage_role(actor: Actor, role: Role) -> bool:
    """Say whether `actor`, who manages something, may make, change or invite such accounts."""
    match actor.role:
        case Role.ADMIN:
            return True
        case Role.MANAGER | Role.RELATIVE:
            return role in MANAGED_ROLES
        case _:
            return False


# A supporter's session ends after two idle weeks, and after a month however busy. A resident's
# tablet must not ask for a password that nobody there knows: it stays while it is used.
_STAFF_IDLE = timedelta(days=14)
_STAFF_TOTAL = timedelta(days=30)
_RESIDENT_IDLE = timedelta(days=60)
# Writing "last seen" at each request would make every read a write.
_SEEN_STEP = timedelta(minutes=1)


# For how long a session that has ended is known. A tablet may hold what was written in it, unsent,
# and signs that with its key: longer than any device works without the server (60 days).
SESSION_KEPT = timedelta(days=90)


def session_end(
    role: Role, *, created_at: datetime, now: datetime, methods: Collection[Method] = ()
) -> datetime:
    """Return when a session in use at `now` ends unless it is used again.

    A supporter who proved nothing but a PIN has it for a shift.
    """
    if role is Role.RESIDENT:
        return now + _RESIDENT_IDLE
    if methods and set(methods) <= {"pin", "picture"}:
        return created_at + SHIFT
    return min(now + _STAFF_IDLE, created_at + _STAFF_TOTAL)


def is_seen_due(seen_at: datetime, now: datetime) -> bool:
    """Say whether "last seen" is old enough to be written again."""
    return now - seen_at >= _SEEN_STEP


# ────────────────────────────────────────────────────────────── tries at a door

# How many tries pass before the first lock. An address may stand for a whole home.
FREE_TRIES_PER_ACCOUNT = 5
FREE_TRIES_PER_ADDRESS = 20
TRIES_REMEMBERED = timedelta(days=1)
_LONGEST_LOCK = timedelta(hours=1)


def lock_after(failures: int, *, free: int) -> timedelta | None:
    """Return how long a door stays shut after this many failures: 1 min, doubling, at most 1 h."""
    if failures < free:
        return None
    doublings = min(failures - free, 6)
    return min(timedelta(minutes=1 << doublings), _LONGEST_LOCK)


# ────────────────────────────────────────────────────────────── passwords

PASSWORD_LEAST = 10

# The most used passwords that are long enough to pass otherwise; compared without case.
_COMMON_WORDS = """
0123456789 0987654321 1029384756 1111111111 1122334455 123123123123 1231231234 1234512345
123456789a 1234567890 12345678900 12345678901 12345678910 123456789abc 1234567890a 123qweasdzxc
1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc 9876543210 abcdefghij abcdefghijk abc1234567
administrator administrat0r asdfghjkl1 asdfghjkl; asdfghjklö basketball1 changeme123
chelsea123 computer123 daniel1234 dragonball football123 football12 fotboll123 hammarby123
hejhej1234 hejhejhej1 helsinki123 iloveyou12 iloveyou123 internet123 jagälskardig
jagalskardig kissakissa kaffekaffe letmein123 letmein1234 liverpool1 lösenord12 lösenord123
losenord12 losenord123 lösenordet manchester manchester1 master1234 matochsovklocka michael123
mittlösenord mittlosenord passw0rd123 password01 password10 password11 password12 password123
password1234 password123! password12! passwordpassword princess12 princess123 q1w2e3r4t5
q1w2e3r4t5y6 qazwsxedcrfv qwerty1234 qwerty12345 qwerty123456 qwertyuiop qwertyuiop1
qwertyuiop123 qwertyuiopå qwertzuiop salasana12 salasana123 sommar2024 sommar2025 sommar2026
starwars123 stockholm1 stockholm123 sunshine12 sunshine123 superman12 superman123 sverige123
testtest12 testtest123 trustno1234 välkommen1 välkommen123 valkommen1 valkommen123 welcome123
welcome1234 welcome2024 welcome2025 welcome2026 whatever12 zaq12wsxcde3 zxcvbnm123 zxcvbnm,./
"""
_COMMON = frozenset(_COMMON_WORDS.split())
# Words with which passwords begin in Swedish and Finnish: seasons, days, months, places, teams,
# pets and what people say. English ones are among the common passwords.
_COMMON_BEGINNINGS = """
vinter vår sommar höst midsommar julafton semester helgen fredag lördag söndag måndag tisdag onsdag
torsdag januari februari mars april maj juni juli augusti september oktober november december
sverige stockholm göteborg malmö uppsala västerås örebro linköping norrköping helsingborg jönköping
umeå gävle borås halmstad växjö karlstad sundsvall hammarby djurgården brynäs frölunda färjestad
fotboll ishockey innebandy handboll hejsan hejhej jagälskardig älskling sötnos gullunge kärlek
hund hunden katten kissen hästen kanin blomma solros smultron blåbär choklad kaffe godis pannkaka
mamma pappa mormor farmor morfar farfar familjen sommaren hemligt hemlig lösen inloggning datorn
talvi kevät kesä syksy juhannus joulu loma maanantai tiistai keskiviikko torstai perjantai lauantai
sunnuntai tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu
marraskuu joulukuu suomi helsinki espoo tampere vantaa turku oulu jyväskylä lahti kuopio pori vaasa
jokerit tappara ilves jääkiekko jalkapallo salibandy kissa kissakissa koira koirakoira hevonen
kukka mansikka mustikka suklaa kahvi perkele saatana rakastan kulta rakas äiti isä mummo perhe
perunamaa salainen salasana kirjautuminen moimoi heippa tietokone
"""
_BEGINNINGS = frozenset(_COMMON_BEGINNINGS.split())
# So many digits and signs beside one such word are a guess, not a secret.
_SIGNS_BESIDE_A_WORD = 6

# What anybody tries first here: MOS, the work and the people in it. docs/sign-in.md lists them.
_CONTEXT_WORDS = """
mos matochsovklocka matochsovklockan foodandsleepclock ruokajaunikello
boende boendet hemmet personal vårdare sköterska sjuksköterska chef administratör lösenord
resident residents caregiver nurse manager administrator admin password welcome
asukas hoitaja sairaanhoitaja esimies ylläpitäjä salasana tervetuloa välkommen
"""
CONTEXT_WORDS = frozenset(_CONTEXT_WORDS.split())
# So many letters beside those words make a password of one's own.
_LETTERS_OF_ONES_OWN = 3
_SHORTEST_NAME = 3


def check_password(password: str, *, email: str | None, name: str, field: str = "password") -> None:
    """Refuse a password that is short, common, or says whose it is; raises Invalid.

    Length counts, not the kinds of characters (NIST SP 800-63B).
    """
    plain = password.casefold().strip()
    address, called = (email or "").casefold(), name.casefold()
    mailbox = address.partition("@")[0]
    if len(password) < PASSWORD_LEAST:
        raise Invalid(
            f"Use at least {PASSWORD_LEAST} characters.", field=field, code="password_short"
        )
    if _is_common(plain) or len(set(plain)) < 4 or _is_made_of(plain, CONTEXT_WORDS):
        raise Invalid("This password is too common.", field=field, code="password_common")
    own = {word for word in _words(f"{mailbox} {called}") if len(word) >= _SHORTEST_NAME}
    if plain in {address, mailbox, called} or _is_made_of(plain, own | CONTEXT_WORDS):
        raise Invalid("Do not use the address or the name.", field=field, code="password_personal")


def _is_common(plain: str) -> bool:
    """Say whether many have it, or whether it is one common word, perhaps again, and some signs."""
    letters = "".join(_words(plain))
    again = (letters[: len(letters) // times] * times == letters for times in (1, 2, 3))
    words = {letters[: len(letters) // times] for times, so in enumerate(again, 1) if so}
    return (
        plain in _COMMON
        or is_common(plain)
        or (
            len(plain) - len(letters) <= _SIGNS_BESIDE_A_WORD
            and any(word in _BEGINNINGS or is_common(word) for word in words)
        )
    )


def _is_made_of(plain: str, words: Collection[str]) -> bool:
    """Say whether nothing but such words, digits and signs are in a password."""
    letters = rest = "".join(_words(plain))
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest != letters and len(rest) < _LETTERS_OF_ONES_OWN


def _words(text: str) -> list[str]:
    return "".join(sign if sign.isalpha() else " " for sign in text).split()


# ────────────────────────────────────────────────────────────── relations

# What a relation gives when nobody chooses: all that the role can have, but for relatives.
_FIRST_FOR_RELATIVES = frozenset({_P.PLAN_VIEW, _P.ALERT_TAKE})


def usual(role: Role, policy: Policy) -> frozenset[Permission]:
    """Return what a new relation of this role holds until somebody chooses otherwise."""
    if role is Role.RELATIVE:
        return _FIRST_FOR_RELATIVES
    return ceiling(role, policy)


def check_relation(
    role: Role,
    policy: Policy,
    permissions: frozenset[Permission],
    *,
    is_primary: bool,
    of: Literal["resident", "unit"],
) -> None:
    """Refuse a relation that its role cannot have or that would mean nothing; raises Invalid."""
    most = ceiling(role, policy)
    if role is Role.RESIDENT or not most & _SUPPORT:
        raise Invalid("A person with this role supports nobody.", field="account")
    if not permissions:
        raise Invalid("Choose at least one permission.", field="permissions")
    beyond = sorted(permissions - most)
    if beyond:
        raise Invalid(f"A {role.value} cannot have {beyond[0].value}.", field="permissions")
    if of == "resident" and _P.CARE_MANAGE in permissions:
        raise Invalid("care.manage is given for whole units.", field="permissions")
    if is_primary and of == "unit":
        raise Invalid("A contact person is one resident's.", field="is_primary")
    if is_primary and _P.ALERT_TAKE not in permissions:
        raise Invalid("A contact person needs alert.take.", field="permissions")


# ────────────────────────────────────────────────────────────── residents


def first_profile(*, name: str, flat: str, zone: str, language: str) -> dict[str, Any]:
    """Return the profile that a new resident's space begins with (docs/records.md)."""
    return {
        "name": name,
        "flat": flat,
        "face": "",
        "zone": zone,
        "language": language,
        "level": 2,
        "weekdays": "all",
        "theme": "auto",
        "night": {"from": "23:00", "to": "06:00"},
        "parts": {"morning": "06:00", "day": "10:00", "evening": "18:00", "night": "23:00"},
        "sound": "soft",
        "pause": [],
    }
