"""`mos plan preview`: JSON out, and exit 2 with the field named for what cannot be."""

import json
import os
import re
import subprocess
import sys

import pytest

from mos.ops.settings import ROOT

BREAKFAST = {
    "zone": "Europe/Stockholm", "kind": "weekly", "days": ["sun"], "times": ["02:30"],
    "start": "2026-03-01",
}  # fmt: skip


def preview(rule, *arguments, file="-"):
    return subprocess.run(
        [sys.executable, "-m", "mos.ops.cli", "plan", "preview", file, *arguments],
        input=rule if isinstance(rule, str) else json.dumps(rule),
        env=os.environ | {"PYTHONPATH": str(ROOT / "server")},
        check=False, capture_output=True, text=True,
    )  # fmt: skip


SPRING = ("--from", "2026-03-28T00:00Z", "--to", "2026-03-30T00:00Z")


def test_a_rule_is_printed_as_local_times_and_instants():
    done = preview(BREAKFAST, *SPRING)

    assert json.loads(done.stdout) == {
        "occurrences": [{"local": "2026-03-29T02:30", "at": "2026-03-29T01:00:00Z"}]
    }
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_rule_is_read_from_a_file(tmp_path):
    (tmp_path / "rule.json").write_text(json.dumps(BREAKFAST))
    done = preview("", *SPRING, file=str(tmp_path / "rule.json"))

    assert len(json.loads(done.stdout)["occurrences"]) == 1


def test_moments_without_an_offset_are_wall_time_in_the_rules_zone():
    at_noon = BREAKFAST | {"times": ["12:00"]}

    def occurrences(start, end):
        return json.loads(preview(at_noon, "--from", start, "--to", end).stdout)["occurrences"]

    assert len(occurrences("2026-03-29T12:00", "2026-03-30")) == 1
    assert occurrences("2026-03-29", "2026-03-29T12:00") == []


@pytest.mark.parametrize(
    ("rule", "arguments", "named"),
    [
        (BREAKFAST | {"zone": "Europe/Nowhere"}, SPRING, "zone"),
        (BREAKFAST | {"days": []}, SPRING, "days"),
        (BREAKFAST | {"times": ["24:00"]}, SPRING, "times"),
        ({"kind": "weekly"}, SPRING, "zone"),
        ([1], SPRING, "plan preview:"),
        ("not json", SPRING, "is not JSON"),
        (BREAKFAST, ("--from", "soon", "--to", "2026-03-30"), "--from"),
        (BREAKFAST, ("--from", "2026-03-30", "--to", "later"), "--to"),
        (BREAKFAST, ("--from", "2026-03-30", "--to", "2026-03-28"), "must come after --from"),
        (BREAKFAST, ("--from", "2026-03-30", "--to", "2026-03-30"), "must come after --from"),
        # In Stockholm it is an hour later already.
        (BREAKFAST, ("--from", "2026-03-28T12:00", "--to", "2026-03-28T11:00Z"), "must come after"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(rule, arguments, named):
    done = preview(rule, *arguments)

    assert done.returncode == 2
    assert named in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_the_example_prints_what_its_page_shows():
    page = (ROOT / "docs" / "rules.md").read_text()
    command, printed = re.search(
        r"```\n\$ \./mos (plan preview .*)\n((?:.*\n)*?)```", page
    ).groups()
    _, _, file, *arguments = command.split()
    done = preview("", *arguments, file=str(ROOT / file))

    assert done.returncode == 0
    assert printed == done.stdout
    shown = re.search(r"```json\n((?:.*\n)*?)```", page)[1]
    assert shown == (ROOT / file).read_text()
    assert f"./mos {command}" in (ROOT / "README.md").read_text()


def test_a_missing_file_is_named():
    done = preview("", *SPRING, file="/nowhere/rule.json")

    assert done.returncode == 2
    assert "cannot read /nowhere/rule.json" in done.stderr
