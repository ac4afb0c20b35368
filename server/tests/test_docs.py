"""What the documents say is there, and the words that the house forbids are not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for place in ("*.md", "docs/**/*.md", "spec/**/*.md", ".github/**/*.md")
    for path in ROOT.glob(place)
)
SOURCES = sorted(
    path
    for place in ("server/**/*.py", "server/**/*.sql", "pwa/src/**/*.ts", "pwa/src/**/*.svelte")
    for path in ROOT.glob(place)
    if path != Path(__file__)
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(document: Path):
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text)
    missing = [target for target in targets if not (document.parent / target).exists()]

    assert missing == []


def test_the_architecture_names_every_package():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    server = {path.parent.name for path in ROOT.glob("server/mos/*/__init__.py")}
    app = {path.name for path in (ROOT / "pwa/src").iterdir() if path.is_dir()}

    assert {name for name in server | app if f"`{name}`" not in text} == set()


def test_decisions_are_numbered_without_gaps():
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/decisions").glob("*.md"))

    assert numbers == list(range(1, len(numbers) + 1))


def test_nobody_is_called_by_a_word_that_confuses_giver_and_receiver():
    found = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        # A column of somebody else's schema.
        if path.name not in {"source.sql", "earlier_mos.py"}
        and re.search(r"caretaker", path.read_text(encoding="utf-8"), re.IGNORECASE)
    ]

    assert found == []


def test_no_drawer_for_everything():
    found = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.stem.split(".")[0] in {"utils", "util", "helpers", "misc", "common"}
        or {"utils", "helpers", "misc", "common"} & set(path.parent.parts)
    ]

    assert found == []


SYNC = (ROOT / "docs" / "sync.md").read_text(encoding="utf-8")
INVARIANTS = dict(re.findall(r"^\| (P\d+) \|.*\|([^|]*)\|$", SYNC, re.MULTILINE))
TESTS = {
    path.name.removesuffix(ending)
    for place, ending in (
        ("server/tests/**/test_*.py", ".py"),
        ("pwa/src/**/*.test.ts", ".ts"),
    )
    for path in ROOT.glob(place)
}


def test_the_invariants_of_synchronisation_are_26():
    assert list(INVARIANTS) == [f"P{number}" for number in range(1, 27)]


@pytest.mark.parametrize("number", INVARIANTS)
def test_every_invariant_is_held_by_tests_that_exist(number: str):
    named = re.findall(r"`([\w.-]+)`", INVARIANTS[number])

    assert named, f"{number} names no test"
    assert [name for name in named if name not in TESTS] == []
