"""Brings the programs that read aloud, where this machine lets us install Debian's packages."""

import os
import shutil
import subprocess
from collections.abc import Callable

PROGRAMS = ("espeak-ng", "lame")
_SECONDS = 300


def bring_voice(say: Callable[[str], None]) -> None:
    """Install what is missing to read aloud, or `say` how; MOS goes on without it."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing:
        return
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Installing {' and '.join(missing)}, to read aloud…")
        if _ran(command) or (_ran(["apt-get", "update", "-qq"]) and _ran(command)):
            return
    say(
        f"MOS cannot read aloud on devices without a voice of their own: {' and '.join(missing)} "
        f"missing. On Debian or Ubuntu: apt-get install {' '.join(missing)}"
    )


def _ran(command: list[str]) -> bool:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environ, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS,
            # Whoever stops MOS meanwhile does not leave packages half installed.
            start_new_session=True, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
