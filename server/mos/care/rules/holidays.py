"""The days on which a country rests. Pure; `spec/vectors/holidays.json` has them by the year.

Sweden: lag (1989:253) om allmänna helgdagar, and the three eves that 3 a § semesterlagen counts as
Sundays. Finland: the holidays of church and state, and the eves of midsummer and Christmas, on
which the country is closed.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache

_COUNTRIES = {
    "Europe/Stockholm": "SE",
    "Europe/Helsinki": "FI",
    "Europe/Mariehamn": "FI",
}
_FRIDAY, _SATURDAY = 4, 5
# After Easter Sunday: Good Friday, itself, Monday, Ascension, Pentecost.
_BY_EASTER = (-2, 0, 1, 39, 49)
_FIXED = {
    "SE": ((1, 1), (1, 6), (5, 1), (6, 6), (12, 24), (12, 25), (12, 26), (12, 31)),
    "FI": ((1, 1), (1, 6), (5, 1), (12, 6), (12, 24), (12, 25), (12, 26)),
}


def country_of(zone: str) -> str | None:
    """Return the country of a time zone, `SE` or `FI`; None: its holidays are not known here."""
    return _COUNTRIES.get(zone)


def holiday_test(zone: str) -> Callable[[date], bool]:
    """Return what says of a day whether it is a holiday where clocks show this zone."""
    country = country_of(zone)
    if country is None:
        return lambda _day: False
    return lambda day: day in holidays(country, day.year)


@cache
def holidays(country: str, year: int) -> frozenset[date]:
    """Return a country's holidays of a year (`SE` or `FI`), without Sundays that are no more."""
    easter = easter_sunday(year)
    midsummer = _on_or_after(date(year, 6, 20), _SATURDAY)
    return frozenset(
        {
            *(date(year, month, day) for month, day in _FIXED[country]),
            *(easter + timedelta(days=days) for days in _BY_EASTER),
            midsummer - timedelta(days=1),
            midsummer,
            _on_or_after(date(year, 10, 31), _SATURDAY),
        }
    )


def easter_sunday(year: int) -> date:
    """Return Easter Sunday (Gregorian; Oudin's form of the anonymous computus)."""
    century = year // 100
    golden = year % 19
    k = (century - 17) // 25
    epact = (century - century // 4 - (century - k) // 3 + 19 * golden + 15) % 30
    moon = epact - (epact // 28) * (1 - (epact // 28) * (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    offset = moon - weekday
    month = 3 + (offset + 40) // 44
    return date(year, month, offset + 28 - 31 * (month // 4))


def _on_or_after(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.weekday()) % 7)
