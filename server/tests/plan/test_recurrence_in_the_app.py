"""The server and the app, side by side: random rules ring alike, faults are refused alike."""

import json
import os
import secrets
import subprocess
import sysconfig
from pathlib import Path
from random import Random

import pytest
from random_rules import a_case

from mos.kernel.errors import Invalid
from mos.plan.model.rule import decode_rule
from mos.plan.rules.recurrence import occurrences

HERE = Path(__file__).parent
NODE = Path(sysconfig.get_path("scripts")) / "node"
# Each run has rules of its own. After a change: MOS_RULES=5000.
RULES = int(os.environ.get("MOS_RULES", "300"))
FAULTS = [
    *[None, True, 0, -1, 1.5, 10**12, "", "x", "08:00", "24:00", "2026-02-30", "2026-11-27"],
    *["PT1M", "PT24H", "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1", "FREQ=DAILY;BYHOUR=1"],
    *[[], [None], ["08:00", 8], ["mon"], ["MON"], {}, [{}], [{"from": "2026-11-27"}]],
    *["2026-11-27T08:00", "2026-11-27T24:00", "0000-01-01", "UTC", "GMT+5", "EST5EDT", "Etc/UTC"],
    *[["2026-11-27T08:00"], [["08:00"]], [{"from": "2026-11-27", "to": "2026-11-26"}]],
]


def in_the_app(asked):
    ran = subprocess.run(
        [NODE, HERE / "in_the_app.mjs"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def on_the_server(rule, start, end):
    try:
        found = occurrences(decode_rule(rule), start=start, end=end)
    except Invalid as refused:
        return {"problem": {"field": refused.field, "code": refused.code}}
    return {"occurrences": [{"local": one.local, "at": ms(one.at)} for one in found]}


def ms(moment):
    return round(moment.timestamp() * 1000)


def compare(cases):
    asked = [{"rule": rule, "from": ms(start), "to": ms(end)} for rule, start, end in cases]
    differing = [
        (case, server, app)
        for case, app in zip(cases, in_the_app(asked), strict=True)
        if (server := on_the_server(*case)) != app
    ]
    assert differing[:3] == []


@pytest.fixture
def randoms():
    first = secrets.randbits(30)
    return [Random(seed) for seed in range(first, first + RULES)]  # noqa: S311  no secret


def damaged(text, random):
    """The text with one character changed, added or lost."""
    at = random.randrange(len(text) + 1)
    lost = random.randrange(2)
    return text[:at] + random.choice(["", *"0159-+,;=:TZMOÅ\n "]) + text[at + lost :]


def test_random_rules_ring_alike(randoms):
    compare([a_case(random) for random in randoms])


def test_random_faults_are_refused_alike(randoms):
    cases = []
    for random in randoms:
        rule, start, end = a_case(random)
        field = random.choice([*sorted(rule), "start", "pause", "other"])
        text = rule.get(field)
        rule[field] = random.choice(FAULTS)
        if isinstance(text, str) and random.randrange(3):
            rule[field] = damaged(text, random)
        cases.append((rule, start, end))
    compare(cases)
