"""Whose folder is it? Each refusal is one sentence and leaves everything as it was."""

import os
import pwd
import shutil
import tempfile
from collections import namedtuple
from contextlib import contextmanager
from pathlib import Path

import pytest

from mos.ops import data_directory
from mos.ops.data_directory import DataDirectory, Refused, refuse_if_in_use, was_killed


def begin(path, *, wanted=None, default="demo"):
    return DataDirectory(path, wanted=wanted, default=default)


def everything_in(path):
    return {
        str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def refusal(path, **how):
    """Return the sentence with which `path` is refused, having checked that it was left alone."""
    before = everything_in(path) if path.is_dir() else None
    with pytest.raises(Refused) as refused:
        begin(path, **how)
    assert before is None or everything_in(path) == before
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_new_directory_becomes_what_was_asked_for_and_stays_that(tmp_path):
    first = begin(tmp_path / "deep" / "var", wanted="empty")
    first.finish()
    first.close()
    again = begin(tmp_path / "deep" / "var")

    assert again.marker.home == "empty"
    assert again.marker.made


def test_an_empty_directory_and_the_root_of_a_disk_are_new(tmp_path):
    (tmp_path / "lost+found").mkdir()

    assert begin(tmp_path).marker.home == "demo"


def test_a_directory_with_other_files_is_not_ours(tmp_path):
    (tmp_path / "thesis.odt").write_text("years of work")

    assert "holds other files" in refusal(tmp_path)


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").write_text("")

    assert "is a file" in refusal(tmp_path / "file")


@contextmanager
def as_nobody():
    """Go on as somebody who is not root."""
    if os.getuid() == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(os.getuid())


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_place_that_is_somebody_elses_is_named_with_what_to_do(mode):
    place = Path(tempfile.mkdtemp(prefix="mos-not-yours-"))
    place.chmod(mode if os.getuid() == 0 else mode & 0o555)
    try:
        with as_nobody(), pytest.raises(Refused) as refused:
            begin(place / "a home" / "var")
    finally:
        place.chmod(0o700)
        shutil.rmtree(place)

    assert f"you may not make {place}/a home/var" in str(refused.value)
    assert f"""sudo install -d -o "$USER" '{place}/a home/var'""" in str(refused.value)


@contextmanager
def a_place(mode, *, owner):
    """A directory with this mode; where we are root, of this owner."""
    place = Path(tempfile.mkdtemp(prefix="mos-read-only-"))
    if os.getuid() == 0:
        os.chown(place, pwd.getpwnam(owner).pw_uid, -1)
    place.chmod(mode)
    try:
        yield place
    finally:
        place.chmod(0o700)
        shutil.rmtree(place)


def test_a_directory_that_its_owner_may_not_write_in_is_named_with_what_to_do():
    with a_place(0o555, owner="nobody") as place, as_nobody():
        sentence = refusal(place)

    assert f"{place} is yours but may not be written to" in sentence
    assert f"chmod u+rwX {place}" in sentence
    assert "somebody else" not in sentence


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a directory of somebody else's")
def test_a_directory_of_somebody_elses_is_named_as_that():
    with a_place(0o755, owner="root") as place, as_nobody():
        sentence = refusal(place)

    assert f"{place} belongs to somebody else" in sentence


def test_a_marker_that_may_not_be_read_is_named_with_its_owner():
    with a_place(0o755, owner="nobody") as place:
        (place / "mos.json").write_text("{}")
        (place / "mos.json").chmod(0)
        with as_nobody(), pytest.raises(Refused) as refused:
            begin(place)

    whose = "belongs to somebody else" if os.getuid() == 0 else "is yours but may not be"
    assert f"{place}/mos.json {whose}" in str(refused.value)


def test_a_demo_never_becomes_a_home_nor_a_home_a_demo(tmp_path):
    begin(tmp_path / "a", wanted="demo").close()
    begin(tmp_path / "b", wanted="empty").close()

    assert "holds a demo home" in refusal(tmp_path / "a", wanted="empty")
    assert "holds a home of its own" in refusal(tmp_path / "b", wanted="demo")


def test_a_directory_of_a_newer_release_is_left_alone(tmp_path):
    (tmp_path / "mos.json").write_text('{"mos": 2}')

    assert "made by a newer MOS" in refusal(tmp_path)


def test_a_marker_that_cannot_be_read_is_damage(tmp_path):
    (tmp_path / "mos.json").write_bytes(b"\0\0\0\0")

    assert "damaged (mos.json" in refusal(tmp_path)


def test_a_second_start_is_told_who_uses_the_directory(tmp_path):
    first = begin(tmp_path)
    first.say_address("http://127.0.0.1:8080")

    assert "MOS already runs" in refusal(tmp_path)
    with pytest.raises(Refused, match=r"process \d+, http://127\.0\.0\.1:8080"):
        refuse_if_in_use(tmp_path)

    first.close()
    refuse_if_in_use(tmp_path)
    begin(tmp_path).close()


def test_looking_whether_a_directory_is_in_use_does_not_make_it(tmp_path):
    refuse_if_in_use(tmp_path / "nothing")

    assert not (tmp_path / "nothing").exists()


def test_a_killed_start_is_recognised_and_a_clean_end_is_not(tmp_path):
    directory = begin(tmp_path)
    directory.say_address("http://127.0.0.1:8080")

    assert was_killed(tmp_path)
    directory.close()
    assert not was_killed(tmp_path)


def test_a_full_disk_is_named_before_anything_is_made(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")  # noqa: PYI024
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 10**9, 5_000_000))

    sentence = refusal(tmp_path / "var")

    assert "is full: 5 MB are free, 240 MB are needed" in sentence
    assert not (tmp_path / "var").exists()


def test_a_home_that_is_made_needs_less_room(tmp_path, monkeypatch):
    directory = begin(tmp_path)
    directory.finish()
    directory.close()
    usage = namedtuple("usage", "total used free")  # noqa: PYI024
    monkeypatch.setattr(data_directory.shutil, "disk_usage", lambda _path: usage(1, 1, 50_000_000))

    begin(tmp_path).close()
