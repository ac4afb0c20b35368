"""What the app's source must never do: show text as markup, or stand in a password's way."""

import re
from pathlib import Path

APP = Path(__file__).parents[3] / "pwa/src"
SOURCES = {
    file.relative_to(APP).as_posix(): file.read_text(encoding="utf-8")
    for file in sorted(APP.rglob("*"))
    if file.suffix in {".svelte", ".ts"} and not file.name.endswith(".test.ts")
}
# Every way in which a browser makes markup or code of text.
MARKUP = re.compile(
    r"\{@html|\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|setHTMLUnsafe"
    r"|createContextualFragment|DOMParser|\beval\(|new Function\(|srcdoc"
)
PASTE = re.compile(r"\bon:?paste\b|['\"](?:before)?paste['\"]")
_INPUT = re.compile(r"<input\b(?:[^>{]|\{[^}]*\}|=>)*>", re.DOTALL)


def test_text_is_shown_as_text_everywhere():
    for example in ("{@html note}", "box.innerHTML = note", "eval(note)", "document.write(note)"):
        assert MARKUP.search(example)

    assert len(SOURCES) > 300
    assert [name for name, text in SOURCES.items() if MARKUP.search(text)] == []


def test_a_password_is_masked_while_it_is_typed_and_managers_may_fill_it_in():
    field = SOURCES["ui/PasswordInput.svelte"]
    [masked] = _INPUT.findall(field)

    # Masked until its person asks to see it.
    assert "type={shown ? 'text' : 'password'}" in masked
    assert re.search(r"\bshown\s*=\s*\$state\(false\)", field)
    # Whoever keeps passwords knows which of them is asked for.
    uses = [
        use
        for text in SOURCES.values()
        for use in re.findall(r"<PasswordInput\b.*?/>", text, re.DOTALL)
    ]
    assert len(uses) > 5
    assert [
        use for use in uses if not re.search(r"autocomplete=.*(current|new)-password", use)
    ] == []
    # Nobody asks for a password in any other field.
    for name, text in SOURCES.items():
        for found in _INPUT.findall(text):
            if name != "ui/PasswordInput.svelte" and re.search(r"\bpassword\b", found):
                assert 'type="password"' in found, name


def test_nothing_stands_in_the_way_of_pasting():
    assert PASTE.search("<input onpaste={refuse}>")
    assert PASTE.search("field.addEventListener('paste', refuse)")

    assert [name for name, text in SOURCES.items() if PASTE.search(text)] == []
