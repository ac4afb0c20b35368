"""The commands that developers live by: `mos test` counts truly, `mos check` lets nothing pass."""

import fcntl
import os
import re
import shutil
import subprocess
import sys

import pytest
import typer
from rich.console import Console

from mos.kernel.zones import zone_release
from mos.ops import bootstrap, chromium, cli
from mos.ops import check as checking
from mos.ops import test as testing
from mos.ops.check import Check
from mos.ops.settings import ROOT
from mos.ops.test import Tally

NOTHING = Tally()


@pytest.fixture
def suites(monkeypatch):
    """Lets a test say what each of the three suites would count."""

    def say(server=NOTHING, app=NOTHING, journeys=NOTHING):
        monkeypatch.setattr(testing, "_server", lambda _names: server)
        monkeypatch.setattr(testing, "_app", lambda _names: app)
        monkeypatch.setattr(testing, "_journeys", lambda _names: journeys)

    return say


def run_test_command(capsys, names=None):
    with pytest.raises(SystemExit) as ended:
        testing.command(names)
    return ended.value.code, capsys.readouterr().out.splitlines()


def test_the_last_line_counts_all_suites(suites, capsys):
    suites(server=Tally(100), app=Tally(20), journeys=Tally(3))

    assert run_test_command(capsys)[1][-1] == "123 passed, 0 failed"


def test_a_failure_in_any_suite_fails_the_whole(suites, capsys):
    suites(server=Tally(1), app=Tally(1, 1), journeys=Tally(1))
    status, lines = run_test_command(capsys)

    assert (status, lines[-1]) == (1, "3 passed, 1 failed")


def test_nothing_run_is_no_success(suites, capsys):
    suites()
    status, lines = run_test_command(capsys, ["nonsense"])

    assert status == 1
    assert lines[-2:] == ["No test is named nonsense.", "0 passed, 0 failed"]


def test_a_suite_that_breaks_as_a_whole_counts_as_a_failure():
    assert testing._at_least_one_failure(Tally(5), 2) == Tally(5, 1)
    assert testing._at_least_one_failure(Tally(5, 2), 1) == Tally(5, 2)
    assert testing._at_least_one_failure(Tally(5), 0) == Tally(5)


def test_errors_count_as_failures_and_skips_as_nothing(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite tests="10" failures="2" errors="1" skipped="3"/></testsuites>'
    )

    assert testing._read_junit(report) == Tally(4, 3)


def test_a_name_narrows_the_server_tests_by_file_and_by_test():
    def collected(*names):
        options = [f"--named={name}" for name in names]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--collect-only", "server/tests/db", *options],
            cwd=ROOT, check=False, capture_output=True, text=True,
        )  # fmt: skip
        return [line for line in done.stdout.splitlines() if "::" in line]

    assert collected("test_migrate")
    assert all("test_migrate" in line for line in collected("test_migrate"))
    assert [line.split("::")[1] for line in collected("a scope ends")] == [
        "test_a_scope_ends_with_its_transaction"
    ]
    assert collected("no such thing") == []


def test_a_name_is_found_in_either_case_in_the_apps_tests():
    assert testing._any_case("Nu .") == "[nN][uU] ."


def test_a_missing_browser_fails_in_ci_and_is_named(monkeypatch, capsys, tmp_path):
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "test_one.py").write_text("")
    monkeypatch.setattr(testing, "TESTS", tmp_path)
    monkeypatch.setattr(chromium, "find", lambda: None)
    monkeypatch.setenv("CI", "true")
    assert testing._journeys([]) == Tally(failed=1)
    monkeypatch.delenv("CI")
    assert testing._journeys([]) == Tally()

    assert "install Chromium" in capsys.readouterr().err


@pytest.fixture
def journey(monkeypatch, tmp_path):
    """Runs a suite of five journeys of which so many fail so often; returns what is counted."""

    def run(failing, times):
        folder = tmp_path / "journeys"
        folder.mkdir(exist_ok=True)
        (folder / "test_five.py").write_text(
            "import pathlib, pytest\n"
            "@pytest.mark.parametrize('n', range(5))\n"
            "def test_one(n):\n"
            f"    seen = pathlib.Path({str(folder)!r}, str(n))\n"
            "    tries = int(seen.read_text()) if seen.exists() else 0\n"
            "    seen.write_text(str(tries + 1))\n"
            f"    assert n >= {failing} or tries >= {times}\n"
        )
        monkeypatch.setattr(testing, "TESTS", tmp_path)
        monkeypatch.setattr(chromium, "find", lambda: tmp_path / "chromium")
        return testing._journeys([])

    return run


def test_a_journey_that_fails_once_is_named_and_one_that_fails_twice_fails(
    journey, monkeypatch, capfd
):
    monkeypatch.setenv("CI", "true")

    assert journey(failing=2, times=1) == Tally(5)
    said = capfd.readouterr().out
    assert "FAILED" in said
    assert re.search(r"Unsteady.*test_one\[0\].*test_one\[1\]\n", said)
    assert journey(failing=1, times=9) == Tally(4, 1)
    assert "Unsteady" not in capfd.readouterr().out


def test_many_failures_have_one_cause_and_are_not_tried_again(journey, monkeypatch):
    monkeypatch.setenv("CI", "true")

    assert journey(failing=4, times=1) == Tally(1, 4)


def test_whoever_works_on_it_sees_the_first_failure(journey, monkeypatch):
    monkeypatch.delenv("CI", raising=False)

    assert journey(failing=1, times=1) == Tally(4, 1)


def test_a_check_that_fails_shows_what_it_said(capsys):
    said = Check("grumble", (sys.executable, "-c", "print('why'); raise SystemExit(1)"))

    assert checking._run(said, Console()) is False
    assert "why" in capsys.readouterr().out


def test_a_failing_check_fails_the_command(monkeypatch):
    fine = Check("fine", (sys.executable, "-c", ""))
    wrong = Check("wrong", (sys.executable, "-c", "raise SystemExit(1)"))
    monkeypatch.setattr(checking, "checks", lambda: ((fine,), (wrong, fine)))
    with pytest.raises(SystemExit) as ended:
        checking.command()

    assert ended.value.code == 1


def test_every_command_says_what_it_does():
    app = typer.main.get_command(cli.build(None))

    assert {name: command.short_help for name, command in app.commands.items()} == (
        bootstrap.COMMANDS
    )
    assert all(command.help for command in app.commands.values())


def test_only_the_command_that_was_asked_for_is_imported():
    program = (
        "import sys; from mos.ops import cli; cli.build('migrate');"
        "sys.exit('litestar' in sys.modules or 'mos.ops.up' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT / "server", check=False)

    assert done.returncode == 0


def test_the_version_names_the_time_zone_rules_too(capsys):
    cli.version()

    mine, zones = capsys.readouterr().out.splitlines()
    assert mine == "0.1.0"
    assert zones.startswith(f"time zones {zone_release().name}, from ")


# ── ./mos itself


def test_the_script_says_what_it_needs_where_there_is_no_python(tmp_path):
    # The script itself asks for /usr/bin/python3 first; a copy looks for one that is not there.
    script = (ROOT / "mos").read_text().replace("/usr/bin/python3", "/nowhere/python3")
    (tmp_path / "mos").write_text(script)
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "mos"), "version"],
        env={"PATH": str(tools(tmp_path))}, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 1
    assert "needs Python 3.11 or newer, and found none" in done.stderr


def tools(folder):
    """Return a folder with the few programs of the script, and no Python."""
    path = folder / "bin"
    path.mkdir()
    for name in ("dirname", "readlink"):
        (path / name).symlink_to(f"/usr/bin/{name}")
    return path


def test_the_script_runs_from_anywhere_by_a_link_with_spaces(tmp_path):
    place = tmp_path / "with spaces"
    (place / "server/mos/ops").mkdir(parents=True)
    (place / "server/mos/ops/bootstrap.py").write_text("import sys; print(__file__, sys.argv[1:])")
    (place / "mos").write_text((ROOT / "mos").read_text())
    (place / "mos").chmod(0o755)
    (tmp_path / "link").symlink_to(place / "mos")
    done = subprocess.run(
        [str(tmp_path / "link"), "up", "--data", "a b"],
        cwd="/", check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert done.stdout.strip() == f"{place}/server/mos/ops/bootstrap.py ['up', '--data', 'a b']"


def test_the_preparation_needs_no_package():
    done = subprocess.run(
        ["/usr/bin/env", "python3", "-I", "-S", "-c",
         f"import runpy; runpy.run_path({str(ROOT / 'server/mos/ops/bootstrap.py')!r})"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


@pytest.fixture
def clone(tmp_path):
    """A clean clone: ./mos and what runs before there are packages."""
    place = tmp_path / "clone"
    (place / "server/mos/ops").mkdir(parents=True)
    for file in ("mos", "server/mos/ops/bootstrap.py"):
        shutil.copy(ROOT / file, place / file)
    (place / "requirements.lock").write_text("")
    return place


def ask(clone, *words):
    """Return what ./mos says at once, while another ./mos prepares the same clone."""
    before = sorted(clone.rglob("*"))
    folder = os.open(clone, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        done = subprocess.run(
            [str(clone / "mos"), *words], check=False, capture_output=True, text=True, timeout=60
        )
    finally:
        os.close(folder)
    assert done.returncode == 0, done.stderr
    assert sorted(clone.rglob("*")) == before
    return done.stdout


@pytest.mark.parametrize("words", [[], ["--help"], ["--help", "nonsense"]])
def test_a_clean_clone_lists_its_commands_and_installs_nothing(clone, words):
    said = ask(clone, *words)

    assert "Usage: mos" in said
    for name, does in bootstrap.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(does)}$", said, re.MULTILINE)
    assert max(map(len, said.splitlines())) <= 80


def test_a_clean_clone_says_what_one_command_does_and_how_to_hear_more(clone):
    said = ask(clone, "erase", "--help")

    assert bootstrap.COMMANDS["erase"] in said
    assert bootstrap.COMMANDS["up"] not in said
    assert "./mos version" in said


def test_once_there_are_packages_the_command_itself_helps(monkeypatch, tmp_path, capsys):
    became = []
    monkeypatch.setattr(bootstrap, "PACKAGES_STAMP", tmp_path / "stamp")
    monkeypatch.setattr(os, "execv", lambda _python, words: became.append(words[-2:]))
    monkeypatch.setattr(sys, "argv", ["mos", "up", "--help"])
    (tmp_path / "stamp").write_text(bootstrap._packages())
    bootstrap.main()

    assert became == [["up", "--help"]]
    assert capsys.readouterr().out == ""


def test_the_installer_is_pinned_with_its_hashes():
    pins = bootstrap._pins_of("uv")

    assert pins.startswith("uv==")
    assert "--hash=sha256:" in pins
    assert "uvicorn" not in pins


@pytest.mark.parametrize(
    ("said", "todo"),
    [
        ("npm error code ENOTFOUND", "Is there a network"),
        ("error: tcp connect error: Network is unreachable (os error 101)", "Is there a network"),
        (
            "cause: error sending request\ncause: invalid peer certificate: UnknownIssuer",
            "SSL_CERT",
        ),
        ("npm error code UNABLE_TO_VERIFY_LEAF_SIGNATURE", "SSL_CERT_FILE"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "SSL_CERT_FILE"),
        ("SSLError(CERTIFICATE_VERIFY_FAILED: unable to get local issuer)", "SSL_CERT_FILE"),
        ("npm error code ENOTEMPTY: directory not empty, rename", "lines above"),
        ("npm error nospc ENOSPC: no space left on device, write", "is full: about 1 GB"),
    ],
)
def test_a_failed_step_shows_its_last_words_and_what_to_do(tmp_path, capsys, said, todo):
    with pytest.raises(bootstrap.StepFailed, match=todo) as failed:
        bootstrap._step(
            "Installing packages",
            [sys.executable, "-c", f"print({said!r}); raise SystemExit(1)"],
            tmp_path,
            bootstrap.NETWORK_HINT,
        )

    assert said in capsys.readouterr().err
    assert ("network?" in str(failed.value)) == (todo == "Is there a network")


def test_one_file_of_certificates_serves_every_installer(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/company.pem")
    monkeypatch.setenv("PIP_CERT", "/for-pip.pem")
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    told = tmp_path / "told"
    names = "'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'PIP_CERT'"
    program = f"import os; open({str(told)!r}, 'w').write(str([os.environ[n] for n in ({names})]))"
    bootstrap._step("Telling", [sys.executable, "-c", program], tmp_path, bootstrap.SEE_ABOVE)

    # What somebody chose for one of them stays.
    assert told.read_text() == "['/company.pem', '/company.pem', '/for-pip.pem']"


def test_what_an_interrupted_start_left_is_cleared_before_packages_are_fetched_again(
    tmp_path, monkeypatch
):
    pwa = tmp_path / "pwa"
    half_made = pwa / "node_modules" / ".vite-k3nq1" / "deep"
    half_made.mkdir(parents=True)
    (pwa / "package.json").write_text("{}")
    (pwa / "package-lock.json").write_text("{}")
    (tmp_path / "requirements.lock").write_text("")
    (tmp_path / ".venv").mkdir()
    for name, path in {
        "ROOT": tmp_path, "PWA": pwa, "LOCK": tmp_path / "requirements.lock",
        "PACKAGES_STAMP": tmp_path / ".venv" / "mos-packages",
        "MODULES_STAMP": pwa / "node_modules" / ".mos-modules",
        "BUILD_STAMP": pwa / "node_modules" / ".mos-build",
    }.items():  # fmt: skip
        monkeypatch.setattr(bootstrap, name, path)
    monkeypatch.setattr(bootstrap, "_make_environment", lambda: None)
    monkeypatch.setattr(bootstrap, "_install_packages", lambda: None)
    found = {}

    def step(title, _command, _cwd, _hint):
        found[title] = half_made.exists()
        (pwa / "node_modules").mkdir(exist_ok=True)
        (pwa / "dist").mkdir(exist_ok=True)
        (pwa / "dist" / "index.html").write_text("")

    monkeypatch.setattr(bootstrap, "_step", step)
    bootstrap.prepare()
    assert found == {"Installing the app's packages": False, "Building the app": False}

    found.clear()
    bootstrap.prepare()
    assert found == {}


def test_an_app_is_built_again_when_a_source_changes_and_not_for_a_test(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "PWA", tmp_path / "pwa")
    source = tmp_path / "pwa" / "src" / "main.ts"
    source.parent.mkdir(parents=True)

    def digest():
        return bootstrap._digest(bootstrap._app_sources(), "modules")

    source.write_text("one")
    first = digest()
    source.with_name("main.test.ts").write_text("a test")
    assert digest() == first
    source.write_text("two")
    assert digest() != first
