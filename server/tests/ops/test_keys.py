"""`mos keys` beside a running `mos up`: split, join, rotate, and back from nothing but paper."""

import itertools
import os
import re
import shutil
import subprocess
import sys

import pytest
from real_up import Up

from mos.ops.settings import ROOT


def keys(data, *words, shares=()):
    ended = subprocess.run(
        [sys.executable, "-m", "mos.ops.cli", "keys", *words, "--data", str(data)],
        input="\n".join(shares), capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("MOS_")}
        | {"PYTHONPATH": str(ROOT / "server"), "COLUMNS": "200"},
    )  # fmt: skip
    return ended.returncode, ended.stdout, ended.stderr


def shares_of(said):
    parts = said.partition("recipient")[0].split("Share ")[1:]
    return [" ".join(re.findall(r"\d+ ([a-z]+)", part.partition("open)")[2])) for part in parts]


@pytest.fixture
def up(tmp_path):
    running = Up(tmp_path / "home", "--empty")
    running.ready()
    yield running
    running.stop()


def test_the_keys_come_back_on_a_host_that_has_nothing_but_a_copy_and_two_shares(up, tmp_path):
    status, said, _ = keys(up.data, "status")
    assert status == 1
    assert "no recovery root" in said

    status, said, _ = keys(up.data, "split", "--yes")
    shares = shares_of(said)
    assert status == 0
    assert [len(share.split()) for share in shares] == [33, 33, 33]
    assert keys(up.data, "rotate")[0] == 0
    assert keys(up.data, "status")[0] == 0
    assert keys(up.data, "join", shares=shares[:2])[0] == 0
    status, _, refusal = keys(up.data, "join", shares=shares[:1])
    assert (status, "2 different shares" in refusal) == (1, True)
    status, _, refusal = keys(up.data, "split", "--yes")
    assert (status, "--replace" in refusal) == (1, True)
    # One word of a share may be a word of any sentence; two in a row are not.
    words = shares[0].split()
    for pair in itertools.pairwise(words):
        assert " ".join(pair) not in refusal
    assert up.stop() == 0

    # Another host: everything but the epoch key.
    other = tmp_path / "other"
    subprocess.run(["cp", "-a", up.data, other], check=True)
    for file in (other / "secrets").glob("epoch-*.key"):
        file.unlink()
    lost = Up(other)
    assert lost.ended() == 1
    assert "mos keys recover" in lost.said

    status, said, refusal = keys(other, "recover", shares=shares[1:])
    assert status == 0, refusal
    found = Up(other)
    found.ready()
    try:
        assert keys(other, "status")[0] == 0
    finally:
        found.stop()


def test_a_data_directory_that_has_lost_its_key_store_is_refused(up):
    up.stop()
    shutil.rmtree(up.data / "keys")

    lost = Up(up.data)
    assert lost.ended() == 1
    assert "damaged" in lost.said
    assert not (up.data / "keys" / "pgdata").exists()


def test_a_directory_from_before_there_were_key_stores_gets_one(up):
    up.stop()
    shutil.rmtree(up.data / "keys")
    for file in (up.data / "secrets").glob("*epoch*"):
        file.unlink()

    older = Up(up.data)
    older.ready()
    assert older.stop() == 0
    assert (up.data / "secrets" / "epoch-1.key").exists()
