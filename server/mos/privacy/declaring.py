"""How a table says what of whom lies in it, why, and for how long.

Each domain declares its tables in `personal_data`; `mos.wiring` lists them all. From there come the
record of processing (Article 30 of the GDPR, docs/privacy/processing.md) and what a person is given
of themselves (Article 15). A column that nobody declared fails a test.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from msgspec import Struct

# Of what kind what stands in a column is. The first four are of the person whose row it is.
#   identity   who somebody is and how they are reached
#   health     days, outcomes, food and medication (Article 9)
#   rights     who may do what for whom
#   activity   what somebody did or a device reported, and when
#   link       ids: they tell who only beside what they point to
#   hidden     hashes, keys, addresses that open something: of use to nobody but the machine
#   operation  nothing about a person
DataClass = Literal["identity", "health", "rights", "activity", "link", "hidden", "operation"]

# What a row is of: the column that names the person, or a space of theirs.
Subject = Literal["account", "space", "nobody"]


# What drops a class of rows when its time has come.
#   job     the worker's daily job, in SQL (retention_drop)
#   upkeep  the worker, as it looks after each space once a day
#   log     the worker, a month at a time
#   watch   the worker, as it holds what was expected against what was told
#   person  a person decides: the job only says that it is time
By = Literal["job", "upkeep", "log", "watch", "person"]


class Term(Struct, frozen=True):
    """A class of rows that stays for a time of its own, whoever they are of.

    `since` says in words from when the time counts; `why` it is as long as that, by law or purpose.
    """

    name: str
    kept: timedelta
    since: str
    why: str
    by: By = "job"

    @property
    def goes(self) -> str:
        """Say in words when such a row has had its time."""
        return f"{in_words(self.kept)} after {self.since}" if self.kept else f"when {self.since}"


class Table(Struct, frozen=True, kw_only=True):
    """One table: what it is for, of whom its rows are, how long they stay, and each column's class.

    `of` names the column that says of whom a row is, `also` a space whose resident it is of, too;
    `sealed` those whose content only the person's
    own key opens. `terms` are its classes of rows that go when their time has come; `other` says
    what else ends a row.
    """

    name: str
    holds: str
    purpose: str
    subject: Subject
    of: str | None
    also: str | None
    terms: tuple[Term, ...]
    other: str
    columns: Mapping[str, DataClass]
    sealed: frozenset[str]
    store: Literal["data", "keys"]

    @property
    def personal(self) -> bool:
        """Say whether anything of a person stands in it."""
        return any(kind != "operation" for kind in self.columns.values())

    @property
    def goes(self) -> str:
        """Say in words what ends its rows."""
        terms = [term.goes for term in self.terms]
        return "; ".join([*terms, *([self.other] if self.other else [])])

    @property
    def given(self) -> list[str]:
        """Return the columns that a person is given of themselves: all but what is hidden."""
        return [name for name, kind in self.columns.items() if kind != "hidden"]


def in_words(time: timedelta) -> str:
    """Return how long that is: "90 days", "1 day", "30 seconds"."""
    number, unit = (time.days, "day") if time.days else (time.seconds, "second")
    return f"{number} {unit}" + ("" if number == 1 else "s")


def table(  # noqa: PLR0913  what there is to say of a table
    name: str,
    holds: str,
    *,
    purpose: str,
    goes: str = "",
    terms: tuple[Term, ...] = (),
    account: str | None = None,
    space: str | None = None,
    also: str | None = None,
    store: Literal["data", "keys"] = "data",
    sealed: str = "",
    identity: str = "",
    health: str = "",
    rights: str = "",
    activity: str = "",
    link: str = "",
    hidden: str = "",
    operation: str = "",
) -> Table:
    """Return a table's declaration; the columns of each class come as words.

    `account` or `space` names the column that says of whom a row is. Raises ValueError for a column
    of two classes, or a sealed or naming one of none; and where nothing says when what is personal
    goes, or why it never does.
    """
    classes: dict[DataClass, str] = {
        "link": link,
        "identity": identity,
        "health": health,
        "rights": rights,
        "activity": activity,
        "hidden": hidden,
        "operation": operation,
    }
    pairs = [(column, kind) for kind, words in classes.items() for column in words.split()]
    columns = dict(pairs)
    of = account or space
    missing = ({*sealed.split()} | {name for name in (of, also) if name}) - columns.keys()
    if len(columns) != len(pairs) or missing:
        raise ValueError(f"{name}: declare each column once ({sorted(missing)})")
    made = Table(
        name=name,
        holds=holds,
        purpose=purpose,
        subject="account" if account else "space" if space else "nobody",
        of=of,
        also=also,
        terms=terms,
        other=goes,
        columns=columns,
        sealed=frozenset(sealed.split()),
        store=store,
    )
    if made.personal and made.goes in {"", "never"}:
        raise ValueError(f"{name}: say when its rows go, or why they never do")
    return made
