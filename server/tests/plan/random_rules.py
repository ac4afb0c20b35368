"""Random rules, near what is hard: nights when clocks change, year ends, leap days, week 53."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ZONES = [
    *["Europe/Stockholm", "Europe/Helsinki", "Asia/Tokyo", "Africa/Algiers"],
    *["Australia/Lord_Howe", "Pacific/Apia", "America/New_York", "America/St_Johns"],
    *["Asia/Kathmandu", "Europe/Dublin", "Antarctica/Troll", "Asia/Beirut", "Pacific/Chatham"],
]
HARD_DAYS = [
    *["2026-03-29", "2026-10-25", "2026-10-04", "2026-04-05", "2026-03-08", "2026-11-01"],
    *["2026-12-31", "2027-01-01", "2028-02-29", "2020-12-28", "2021-01-03", "2026-12-28"],
    *["2011-12-30", "2026-09-27", "2026-06-15", "2024-12-30", "2032-02-29", "2026-10-24"],
]
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def a_case(random: Random) -> tuple[dict[str, Any], datetime, datetime]:
    """A rule and a window in which it may ring."""
    near = date.fromisoformat(random.choice(HARD_DAYS))
    rule = a_rule(random, near)
    begin = datetime(near.year, near.month, near.day, tzinfo=UTC) - timedelta(days=2)
    begin += timedelta(minutes=random.randrange(3 * 24 * 60))
    long = rule["kind"] == "rrule" and random.random() < 0.5
    length = random.randrange(500 * 24 * 60) if long else random.randrange(5 * 24 * 60)
    return rule, begin, begin + timedelta(minutes=length)


def a_rule(random: Random, near: date) -> dict[str, Any]:
    rule: dict[str, Any] = {"zone": random.choice(ZONES)}
    rule |= random.choice([once, weekly, rrule, interval])(random, near)
    if random.random() < 0.2:
        rule["except"] = [a_day(random, near).isoformat()]
    if random.random() < 0.2:
        rule["except_at"] = [f"{a_day(random, near)}T{clock(random)}"]
    if random.random() < 0.2:
        pause = {"from": a_day(random, near)}
        if random.random() < 0.7:
            pause["to"] = pause["from"] + timedelta(days=random.randrange(5))
        rule["pause"] = [{name: day.isoformat() for name, day in pause.items()}]
    return rule


def a_day(random: Random, near: date) -> date:
    return near + timedelta(days=random.randrange(-4, 5))


def clock(random: Random) -> str:
    hour = random.choice([0, 1, 2, 2, 2, 3, 3, 4, 8, 12, 22, 23])
    return f"{hour:02}:{random.choice([0, 15, 30, 45, random.randrange(60)]):02}"


def span(random: Random, near: date) -> dict[str, str]:
    start = near - timedelta(
        days=random.choice([0, 1, 2, 3, 10, 100, 1000, random.randrange(4000)])
    )
    days = {"start": start.isoformat()}
    if random.random() < 0.2:
        days["end"] = max(start, a_day(random, near)).isoformat()
    return days


def once(random: Random, near: date) -> dict[str, Any]:
    return {"kind": "once", "at": f"{a_day(random, near)}T{clock(random)}"}


def times(random: Random) -> list[str]:
    return [clock(random) for _ in range(random.randrange(1, 5))]


def weekly(random: Random, near: date) -> dict[str, Any]:
    days = [random.choice(NAMES) for _ in range(random.randrange(1, 9))]
    rule = {"kind": "weekly", "days": days, "times": times(random), **span(random, near)}
    return rule | ({"every": random.randrange(1, 5)} if random.random() < 0.5 else {})


def interval(random: Random, near: date) -> dict[str, Any]:
    step = random.choice([15, 20, 30, 45, 60, 90, 120, 240, 300, random.randrange(5, 1440)])
    short = f"PT{step}M" if random.random() < 0.5 else f"PT{step // 60}H{step % 60}M"
    return {
        "kind": "interval",
        "every": short,
        "from": clock(random),
        "to": clock(random),
        **span(random, near),
    }


def rrule(random: Random, near: date) -> dict[str, Any]:
    freq = random.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = {"FREQ": freq} | by_parts(random, freq)
    if random.random() < 0.4:
        parts["INTERVAL"] = str(random.choice([1, 2, 2, 3, 5, 12]))
    if random.random() < 0.2:
        parts["WKST"] = "MO" if "BYWEEKNO" in parts else random.choice(WEEKDAYS)
    ending = random.random()
    if ending < 0.2:
        parts["COUNT"] = str(random.choice([1, 2, 3, 10, 50, 1000]))
    elif ending < 0.3:
        parts["UNTIL"] = a_day(random, near).strftime("%Y%m%d")
    elif ending < 0.4:
        hour = random.randrange(24)
        parts["UNTIL"] = a_day(random, near).strftime("%Y%m%d") + f"T{hour:02}3000Z"
    shuffled = random.sample(sorted(parts.items()), len(parts))
    text = ";".join(f"{name}={value}" for name, value in shuffled)
    return {"kind": "rrule", "rrule": text, "times": times(random), **span(random, near)}


def some(random: Random, values: list[int]) -> str:
    return ",".join(str(random.choice(values)) for _ in range(random.randrange(1, 4)))


def by_parts(random: Random, freq: str) -> dict[str, str]:
    parts = {}
    if random.random() < 0.3:
        parts["BYMONTH"] = some(random, list(range(1, 13)))
    if freq != "WEEKLY" and random.random() < 0.3:
        parts["BYMONTHDAY"] = some(random, [1, 2, 13, 15, 28, 29, 30, 31, -1, -2, -3, -31])
    if freq == "YEARLY" and random.random() < 0.2:
        parts["BYYEARDAY"] = some(random, [1, 2, 59, 60, 61, 100, 365, 366, -1, -2, -366])
    if freq == "YEARLY" and random.random() < 0.3:
        parts["BYWEEKNO"] = some(random, [1, 2, 13, 40, 43, 52, 53, -1, -2, -53])
    if random.random() < 0.5 or "BYWEEKNO" in parts:
        parts["BYDAY"] = by_day(random, freq, parts)
    # Where a week reaches into the next year, readers count positions differently.
    if freq != "WEEKLY" and parts and "BYWEEKNO" not in parts and random.random() < 0.3:
        parts["BYSETPOS"] = some(random, [1, 2, 3, -1, -2])
    return parts


def by_day(random: Random, freq: str, parts: dict[str, str]) -> str:
    countable = freq in {"MONTHLY", "YEARLY"} and "BYWEEKNO" not in parts
    in_month = freq == "MONTHLY" or "BYMONTH" in parts
    # dateutil 2.9 fails on the sixth weekday of a month, the oracle knows few of a year's.
    numbers = [1, 2, 3, 4, 5, -1, -2, -5] if in_month else [1, 2, 3, 5, -1, -52]
    numbered = countable and random.random() < 0.5
    days = random.sample(WEEKDAYS, random.randrange(1, 4))
    return ",".join(f"{random.choice(numbers) if numbered else ''}{day}" for day in days)
