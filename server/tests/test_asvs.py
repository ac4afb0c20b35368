"""docs/security/asvs.md has each requirement of ASVS 5.0.0, levels 1 and 2, and real tests."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/security/asvs.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| V")
]
# A line for each section, a digit for each of its requirements: the level.
LEVELS = {
    f"V{section}.{number}": int(level)
    for section, levels in (
        line.split() for line in (ROOT / "spec/asvs-5.0.0.txt").read_text().splitlines()
    )
    for number, level in enumerate(levels, 1)
}


def test_the_standard_has_345_requirements():
    assert Counter(LEVELS.values()) == {1: 70, 2: 183, 3: 92}


def test_each_requirement_of_levels_1_and_2_stands_once_with_its_level():
    expected = [(name, str(level)) for name, level in LEVELS.items() if level < 3]

    assert [(row[0], row[1]) for row in ROWS] == expected


def test_what_holds_names_a_test_that_exists_or_a_document():
    wrong = []
    for name, _, asks, verdict, why in ROWS:
        assert asks, name
        assert why, name
        assert verdict in {"holds", "does not apply", "not yet"}, name
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", why)
        if verdict == "holds" and not named and not re.search(r"\]\(\.\./", why):
            wrong.append(name)
        for file, test in named:
            path = ROOT / "server/tests" / file
            code = path.read_text(encoding="utf-8") if path.is_file() else ""
            if not re.search(rf"^(async )?def {test}\(", code, re.MULTILINE):
                wrong.append(f"{name}: {file}::{test}")

    assert wrong == []


def test_what_is_not_yet_is_listed_at_the_top():
    top = TEXT.partition("**Not yet")[2].partition("\n\n")[0]

    assert set(re.findall(r"V[\d.]+\d", top)) == {row[0] for row in ROWS if row[3] == "not yet"}
