"""Who lives and works at Björkbacken. Data only; all of it invented."""

from dataclasses import dataclass, field
from typing import Any

# Printed by `mos up` and shown on the sign-in page of a demo; exists in no other installation.
PASSWORD = "frukost klockan 8"  # noqa: S105  a demo's password is public on purpose

ORGANISATION = "Björkbacken"
UNIT = "Björkbacken 1"
ZONE = "Europe/Stockholm"

_STAFF = (
    "plan.view", "plan.edit", "outcome.record", "alert.take", "meals.view", "meals.edit",
    "medication.view", "medication.sign", "statistics.view",
)  # fmt: skip
_NURSE = (*_STAFF, "medication.edit")


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    key: str
    name: str
    role: str
    # Permissions in the whole unit, or for one resident (`of`).
    permissions: tuple[str, ...] = ()
    of: str | None = None
    primary_for: tuple[str, ...] = ()
    consent: str = ""

    @property
    def email(self) -> str:
        """Return the address that this person signs in with."""
        return f"{self.key}@bjorkbacken.example"


@dataclass(frozen=True)
class Resident(Person):
    """A person whose day is planned; the last fields steer the invented history.

    `done`, `refused` and `by_themselves` are shares between 0 and 1.
    """

    flat: str = ""
    face: str = ""
    level: int = 3
    profile: dict[str, Any] = field(default_factory=dict)
    done: float = 0.94
    refused: float = 0.03
    late_minutes: int = 8
    by_themselves: float = 0.8
    # How many of the latest things stand unanswered when the demo begins, for the engine to find.
    unanswered: int = 0


RESIDENTS = (
    Resident(
        "elsa",
        "Elsa Lindqvist",
        "resident",
        flat="1",
        face="face-older-woman",
        level=2,
        late_minutes=10,
    ),
    Resident(
        "amir",
        "Amir Haddad",
        "resident",
        flat="2",
        face="face-man-beard-dark",
        level=4,
        done=0.97,
        late_minutes=4,
    ),
    Resident(
        "gunnar",
        "Gunnar Öberg",
        "resident",
        flat="3",
        face="face-man-bald",
        level=1,
        done=0.9,
        late_minutes=16,
        by_themselves=0.4,
    ),
    Resident(
        "maja",
        "Maja Svensson",
        "resident",
        flat="4",
        face="face-woman-blond",
        level=4,
        done=0.88,
        late_minutes=14,
    ),
    Resident(
        "birgitta",
        "Birgitta Ek",
        "resident",
        flat="5",
        face="face-older-woman-medium",
        level=2,
        done=0.82,
        refused=0.1,
        late_minutes=18,
        unanswered=2,
        by_themselves=0.5,
    ),
    Resident(
        "tor",
        "Tor Åkesson",
        "resident",
        flat="6",
        face="face-man-curly",
        level=3,
        done=0.95,
        late_minutes=6,
        profile={"weekdays": "weekend"},
    ),
)

SUPPORTERS = (
    Person("sara", "Sara Nyström", "caregiver", _STAFF, primary_for=("elsa", "gunnar")),
    Person("jonas", "Jonas Berg", "caregiver", _STAFF, primary_for=("birgitta", "tor")),
    Person("fatima", "Fatima Rahimi", "caregiver", _STAFF, primary_for=("amir", "maja")),
    Person("mikael", "Mikael Lund", "caregiver", _STAFF),
    Person("ingrid", "Ingrid Sandberg", "nurse", _NURSE),
    Person("henrik", "Henrik Dahl", "nurse", _NURSE),
    Person(
        "karin",
        "Karin Lindqvist",
        "relative",
        ("plan.view", "alert.take", "meals.view", "log.view"),
        of="elsa",
        consent="Elsa har sagt ja, 3 mars 2026",
    ),
    Person(
        "yusuf",
        "Yusuf Haddad",
        "relative",
        ("plan.view", "plan.edit", "outcome.record"),
        of="amir",
        consent="Amir har sagt ja, 12 maj 2026",
    ),
    Person(
        "lena",
        "Lena Ek",
        "relative",
        ("plan.view", "meals.view"),
        of="birgitta",
        consent="Birgitta och god man har sagt ja, 20 augusti 2026",
    ),
    Person("eva", "Eva Holm", "manager", ("care.manage", "statistics.view")),
    Person("admin", "Anders Admin", "admin"),
)

PEOPLE: tuple[Person, ...] = (*RESIDENTS, *SUPPORTERS)
