"""`mos privacy export` against a running MOS: both files, for whoever runs it alone."""

import json
from io import BytesIO

import asyncpg
import pytest
from pypdf import PdfReader
from real_up import Up, mos

from mos.ops.clusters import main_dsn


@pytest.fixture
def up(tmp_path):
    running = Up(tmp_path / "home")
    running.ready()
    yield running
    running.stop()


async def test_a_person_is_given_as_data_and_in_words_and_no_file_is_left_of_a_failure(
    up, tmp_path
):
    owner = await asyncpg.connect(main_dsn(up.data))
    [elsa] = await owner.fetch("SELECT org_id, account_id FROM account WHERE name LIKE 'Elsa%'")
    await owner.close()
    org, account = str(elsa["org_id"]), str(elsa["account_id"])
    data, paper = tmp_path / "elsa.json", tmp_path / "elsa.pdf"

    done = mos("privacy", "export", org, account, "--out", str(data), "--pdf", str(paper),
               "--language", "fi", data=up.data)  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(data.read_bytes())["tables"]["account"][0]["name"].startswith("Elsa")
    words = PdfReader(BytesIO(paper.read_bytes())).pages[0].extract_text()
    assert "Mitä tietoja on: Elsa" in words
    assert {file.stat().st_mode & 0o777 for file in (data, paper)} == {0o600}

    other = tmp_path / "other.json"
    refused = mos("privacy", "export", org, account, "--out", str(other), "--pdf", str(paper),
                  data=up.data)  # fmt: skip
    assert refused.returncode == 1
    assert not other.exists()
    assert paper.read_bytes().startswith(b"%PDF-")
