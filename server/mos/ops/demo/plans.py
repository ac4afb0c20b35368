"""What a week looks like for each of the six, but for medicines: those are ordered. Data only.

Titles are Swedish, as the home is.
"""

from dataclasses import dataclass
from typing import Any

_ALL = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WORK = _ALL[:5]
_WEEKEND = _ALL[5:]


@dataclass(frozen=True)
class Planned:
    """One reminder of the demo."""

    title: str
    category: str
    symbol: str
    times: tuple[str, ...]
    minutes: int
    days: tuple[str, ...] = _ALL
    note: str = ""
    criticality: str = "normal"
    checkable: bool = True
    before: int | None = None
    rule: dict[str, Any] | None = None  # in place of days and times


def _meal(title: str, symbol: str, time: str, minutes: int, note: str = "", **more: Any) -> Planned:
    return Planned(title, "meal", symbol, (time,), minutes, note=note, **more)


def _sleep(time: str, minutes: int) -> Planned:
    return Planned(
        "Sova", "sleep", "bed", (time,), minutes, criticality="important", checkable=False
    )


ELSA = (
    _meal("Frukost", "porridge", "07:30", 45, "Gröt och lingon"),
    Planned(
        "Dusch", "hygiene", "shower", ("08:45",), 30, ("mon", "thu"), "Sara hjälper till", before=15
    ),
    _meal("Mellanmål", "banana", "10:00", 25),
    Planned("Promenad", "movement", "walk", ("10:45",), 45, note="Runt dammen"),
    _meal("Lunch", "plate-fish", "12:00", 45, "Fisk med potatis"),
    Planned("Vila", "rest", "sofa", ("13:00",), 60, checkable=False),
    _meal("Mellanmål", "strawberry", "14:30", 30),
    Planned("Pussel", "other", "puzzle", ("15:15",), 60),
    _meal("Middag", "stew", "17:30", 45, "Kalops"),
    Planned("Radio", "rest", "radio", ("19:00",), 60, checkable=False),
    _meal("Kvällsmål", "sandwich", "20:30", 30, criticality="important"),
    _sleep("22:00", 540),
)
AMIR = (
    _meal("Frukost", "bread", "08:00", 30),
    Planned(
        "Snickeri",
        "other",
        "carpentry",
        ("09:00",),
        150,
        _WORK,
        "Daglig verksamhet",
        checkable=False,
    ),
    _meal("Lunch", "pasta", "12:00", 45),
    Planned("Gym", "movement", "gym", ("13:30",), 60, ("mon", "wed", "fri"), before=15),
    _meal("Mellanmål", "apple", "15:00", 20),
    Planned("Tvätta", "cleaning", "laundry", ("16:30",), 45, ("tue", "sat")),
    Planned("Dusch", "hygiene", "shower", ("17:00",), 30, ("mon", "wed", "fri")),
    _meal("Middag", "rice", "18:00", 45),
    Planned("Spela spel", "rest", "dice", ("19:30",), 75, checkable=False),
    _meal("Kvällsmål", "yoghurt", "21:30", 20),
    _sleep("22:30", 510),
)
GUNNAR = (
    _meal("Frukost", "egg", "07:45", 40),
    _meal("Förmiddagskaffe", "coffee", "09:30", 25),
    Planned("Läsa tidningen", "rest", "newspaper", ("10:15",), 40, checkable=False),
    _meal("Lunch", "meat", "12:15", 45),
    Planned("Vila", "rest", "sofa", ("13:15",), 60, checkable=False),
    _meal("Mellanmål", "bun", "15:00", 25),
    Planned("Promenad", "movement", "walk", ("16:00",), 30, note="Med rollator", before=10),
    _meal("Middag", "soup", "17:15", 45),
    Planned("Nyheter", "rest", "tv", ("19:00",), 45, checkable=False),
    _meal("Kvällsmål", "sandwich", "21:00", 25),
    _sleep("21:45", 555),
)
MAJA = (
    _meal("Frukost", "yoghurt", "07:15", 25, criticality="important", before=5),
    Planned(
        "Verksamhet",
        "other",
        "work",
        ("08:30",),
        390,
        _WORK,
        "Caféet på torget",
        checkable=False,
        before=30,
    ),
    _meal("Mellanmål", "orange", "15:30", 20),
    Planned("Städa rummet", "cleaning", "cleaning", ("16:15",), 30, ("wed", "sun"), before=10),
    Planned("Dans", "movement", "dance", ("16:30",), 90, ("tue",)),
    _meal("Middag", "pizza", "18:30", 40),
    Planned("Ring mamma", "meeting", "phone", ("19:30",), 20, ("mon", "thu", "sun")),
    _meal("Kvällsmål", "tea", "21:00", 20),
    Planned("Skärmen av", "rest", "mobile", ("21:45",), 15),
    _sleep("22:30", 495),
)
BIRGITTA = (
    _meal("Frukost", "porridge", "07:30", 45, criticality="important"),
    _meal("Mellanmål", "glass", "10:30", 20, "Näringsdryck", criticality="important"),
    _meal("Lunch", "chicken", "12:30", 45, criticality="important"),
    Planned("Vila", "rest", "sofa", ("13:30",), 60, checkable=False),
    _meal("Mellanmål", "pancakes", "15:00", 30, criticality="important"),
    Planned("Sång", "meeting", "music", ("16:00",), 60, ("wed",), "I samlingssalen"),
    _meal("Middag", "fish", "17:30", 45, criticality="important"),
    _meal("Kvällsmål", "sandwich", "20:30", 25, criticality="important"),
    _sleep("22:00", 540),
)
TOR = (
    _meal("Frukost", "bread", "07:30", 30),
    Planned("Borsta tänderna", "hygiene", "toothbrush", ("08:10", "21:00"), 10),
    Planned("Busstur", "movement", "bus", ("09:30",), 120, ("tue", "fri")),
    _meal("Lunch", "meatballs", "12:00", 40),
    _meal("Mellanmål", "chocolate", "14:30", 20, days=_WEEKEND),
    _meal("Mellanmål", "pear", "14:30", 20, days=_WORK),
    Planned("Bada", "movement", "swim", ("16:00",), 60, ("thu",)),
    _meal("Middag", "sausage", "17:45", 40),
    Planned(
        "Fotvård",
        "hygiene",
        "lotion",
        ("10:00",),
        30,
        rule={"kind": "rrule", "rrule": "FREQ=MONTHLY;BYDAY=-1FR", "times": ["10:00"]},
    ),
    _meal("Kvällsmål", "yoghurt", "20:15", 20),
    _sleep("21:45", 555),
)

PLANS: dict[str, tuple[Planned, ...]] = {
    "elsa": ELSA,
    "amir": AMIR,
    "gunnar": GUNNAR,
    "maja": MAJA,
    "birgitta": BIRGITTA,
    "tor": TOR,
}
