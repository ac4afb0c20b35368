"""`mos check --overdue`: which locked package has had a newer release for longer than allowed.

uv resolves our own requirements as if today were so many days ago: what it would have locked then
and we have not locked yet is overdue. It asks the package index that is configured, and no other
service; SECURITY.md says within which time what is mended.
"""

import re
import subprocess
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from mos.ops.settings import ROOT

# Days for which a release may wait (SECURITY.md).
ALLOWED_DAYS = 90
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_TOO_YOUNG = re.compile(r"`([A-Za-z0-9._-]+)` was filtered by `exclude-newer`")
# A lower bound may be younger than the day that is looked at; an upper one is meant.
_AT_LEAST = re.compile(r">=[0-9a-z.]+,?")


class Overdue(NamedTuple):
    """A package, what is locked, and what was there already so many days ago."""

    name: str
    locked: str
    newer: str


class CannotLook(Exception):
    """No index could be asked; the text says why."""


def behind(locked: str, then: str) -> list[Overdue]:
    """Return what is older in the lock file `locked` than in `then`, the one of a day before."""
    ours = dict(_LOCKED.findall(locked))
    theirs = dict(_LOCKED.findall(then))
    return [
        Overdue(name, ours[name], version)
        for name, version in theirs.items()
        if name in ours and _key(ours[name]) < _key(version)
    ]


def overdue(now: datetime, *, days: int = ALLOWED_DAYS) -> list[Overdue]:
    """Return what is overdue at `now`; raises CannotLook where no index answers."""
    asked = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    young: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "pyproject.toml"
        project.write_text(_AT_LEAST.sub("", asked), encoding="utf-8")
        while True:
            done = _resolved(project, now - timedelta(days=days), now, young)
            if done.returncode == 0:
                break
            # What has no release so old cannot be overdue: it is taken as it is today.
            too_young = set(_TOO_YOUNG.findall(done.stderr)) - set(young)
            if not too_young:
                raise CannotLook(done.stderr.strip())
            young += sorted(too_young)
    found = behind((ROOT / "requirements.lock").read_text(encoding="utf-8"), done.stdout)
    return [each for each in found if each.name not in young]


def _resolved(
    project: Path, then: datetime, now: datetime, young: list[str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            ROOT / ".venv" / "bin" / "uv", "pip", "compile", project, "--group", "build",
            "--group", "dev", "--universal", "--python-version", "3.11", "--no-header",
            "--no-annotate", "--quiet", "--exclude-newer", f"{then:%Y-%m-%d}",
            *(f"--exclude-newer-package={name}={now + timedelta(days=1):%Y-%m-%d}"
              for name in young),
        ],
        cwd=project.parent, check=False, capture_output=True, text=True,
    )  # fmt: skip


def _key(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version.partition("+")[0])]
