"""The commands of docs/backup.md, as they stand there, on a home that runs."""

import os
import re
import subprocess

import pytest
from real_up import Up

from mos.ops.settings import ROOT

GUIDE = (ROOT / "docs" / "backup.md").read_text()


def block(after):
    """Return the commands that stand under a heading, or under a sentence of it."""
    return re.search(r"```sh\n(.*?)```", GUIDE[GUIDE.index(after) :], re.DOTALL)[1]


class Operator:
    """Somebody at a shell who does what the guide says, with places of their own."""

    def __init__(self, tmp_path):
        self.data = tmp_path / "home"
        places = {"DATA": self.data, "COPIES": tmp_path / "copies", "KEYS": tmp_path / "keys"}
        for place in ("COPIES", "KEYS"):
            places[place].mkdir()
        self._begin = block("Run this first")
        for name, place in places.items():
            self._begin, changed = re.subn(
                rf"^{name}=.*$", f"{name}={place}", self._begin, flags=re.MULTILINE
            )
            assert changed == 1

    def does(self, commands):
        """Run commands in the checkout; return what they say."""
        ran = subprocess.run(
            ["bash", "-ec", f"{self._begin}\n{commands}"], cwd=ROOT, check=False,
            capture_output=True, text=True, env=os.environ,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr + ran.stdout
        return ran.stdout

    def sql(self, statement):
        """Run a statement in the home's database; return its one value."""
        return self.does(
            'PGPASSWORD=$(cat "$DATA/secrets/mos_owner.password") '
            f'"$BIN/psql" -h "$(socket "$DATA")" -U mos_owner -d mos -qAtc "{statement}"'
        ).strip()


@pytest.fixture
def up(tmp_path):
    running = []

    def start(*options):
        while running:
            assert running.pop().stop() == 0
        running.append(Up(tmp_path / "home", *options))
        running[0].ready()
        return running[0]

    yield start
    for each in running:
        each.stop()


def test_the_guides_copies_can_be_put_back_as_it_says(tmp_path, up):
    operator = Operator(tmp_path)
    names = "SELECT name FROM organisation"
    rename = "UPDATE organisation SET name = 'Sedan'"
    home = up("--demo")
    # As keys.md asks for on the first day: its sealed copy of the epoch key is copied, too.
    operator.does('./mos keys split --yes --data "$DATA"')
    before = operator.sql(names), operator.sql("SELECT count(*) FROM rec")

    operator.does(block("## Copy while MOS runs"))
    operator.does(block("## Before you put a copy back"))
    home.stop()
    operator.does(block("## Stop and copy"))
    assert list((tmp_path / "copies").rglob("epoch-*")) == []
    assert [each.name for each in (tmp_path / "keys").rglob("epoch-*")] == ["epoch-1.age"]

    home = up()
    operator.sql(rename)
    home.stop()
    operator.does(block("## Put the files back"))
    home = up()
    assert (operator.sql(names), operator.sql("SELECT count(*) FROM rec")) == before
    opened = operator.does(block("## After it"))
    assert home.answers()

    operator.sql(rename)
    operator.does(block("## Put the dump back"))
    home = up()
    assert (operator.sql(names), operator.sql("SELECT count(*) FROM rec")) == before
    assert operator.does(block("## After it")) == opened
    assert home.answers()
