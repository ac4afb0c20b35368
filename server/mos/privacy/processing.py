"""The record of processing (Article 30 of the GDPR), as the declarations have it. Pure."""

from collections.abc import Iterable, Iterator
from importlib import resources

from mos.privacy.declaring import DataClass, Table

_CLASSES: dict[DataClass, tuple[str, str]] = {
    "identity": ("who somebody is and how they are reached", "6(1)(e), or (b) towards staff"),
    "health": ("days, outcomes, food and medication", "6(1)(e) and 9(2)(h)"),
    "rights": ("who may do what for whom", "6(1)(c): access to care data is to be governed"),
    "activity": ("what somebody did or a device reported, and when", "6(1)(c) and (f): security"),
    "link": ("ids, which tell who only beside what they point to", "as what they point to"),
    "hidden": ("hashes, keys and addresses that open something", "6(1)(c): Article 32"),
    "operation": ("nothing about a person", "-"),
}
_OF = {
    "account": "whoever has the account",
    "space": "the resident",
    "nobody": "-",
}

_FRAME = resources.files(__package__).joinpath("processing.md")


def record(tables: Iterable[Table]) -> str:
    """Return the record in Markdown, ending with a line feed."""
    tables = list(tables)
    kinds = "".join(f"| {name} | {is_} | {why} |\n" for name, (is_, why) in _CLASSES.items())
    frame = _FRAME.read_text(encoding="utf-8")
    return frame.replace("{kinds}", kinds).replace("{tables}", "\n".join(_purposes(tables)))


def _purposes(tables: list[Table]) -> Iterator[str]:
    personal = [each for each in tables if each.personal]
    for purpose in dict.fromkeys(each.purpose for each in personal):
        yield f"\n### {purpose.rstrip('.')}\n"
        yield "| table | holds | of | kinds and columns | goes |"
        yield "|---|---|---|---|---|"
        for each in personal:
            if each.purpose == purpose:
                yield (
                    f"| `{each.name}` | {each.holds} | {_OF[each.subject]} | {_columns(each)} "
                    f"| {each.goes} |"
                )
    others = ", ".join(f"`{each.name}`" for each in tables if not each.personal)
    yield f"\nNothing about a person stands in {others}."


def _columns(each: Table) -> str:
    parts = []
    for kind in _CLASSES:
        names = [
            f"**{name}**" if name in each.sealed else name
            for name, of in each.columns.items()
            if of == kind and kind != "operation"
        ]
        if names:
            parts.append(f"{kind}: {', '.join(names)}")
    return "; ".join(parts)
