"""Makes a checkout runnable, then becomes the `mos` command. Runs on a bare Python: no packages.

Three things are made, each only when what it is made from has changed: the virtual environment,
the packages of requirements.lock (Node among them), and the built app. A lock on the checkout's
folder lets two starts at once take turns. Who asks for help is answered at once, unprepared too.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
PWA = ROOT / "pwa"
LOCK = ROOT / "requirements.lock"

PACKAGES_STAMP = VENV / "mos-packages"
MODULES_STAMP = PWA / "node_modules" / ".mos-modules"
BUILD_STAMP = PWA / "node_modules" / ".mos-build"

# Every command and what it does, in a line: the `mos` command says it, and so do we before it can.
COMMANDS = {
    "up": "Start MOS: make what is missing, then serve and work.",
    "serve": "Serve the app, the API and synchronisation.",
    "work": "Claim what is due, and tell devices and people.",
    "migrate": "Apply pending migrations to the database.",
    "account": "Help somebody who cannot get in.",
    "audit": "Prove that nobody has changed the audit log; export it.",
    "erase": "Erase what a space holds, for good.",
    "keys": "Look after the keys that open personal data.",
    "import-mos1": "Bring a home over from an earlier MOS.",
    "privacy": "See what MOS keeps of people.",
    "vapid": "Look at the keys of push, and renew them.",
    "plan": "Look at plans.",
    "sim": "Simulate devices and networks; check what must hold.",
    "bench": "Measure how fast MOS is, beside others.",
    "test": "Run all tests, or those of a NAME.",
    "check": "Check formatting, lint, types and migrations.",
    "screenshots": "Photograph every screen of a demo home.",
    "version": "Print the version, and the time-zone rules.",
}

# What the built app is made from, within pwa/.
_APP_SOURCES = ("src", "public", "scripts")
_APP_FILES = ("*.html", "*.json", "*.ts", "*.js")

NETWORK_HINT = "Is there a network? Behind a proxy, set HTTPS_PROXY; then start again."
CERTIFICATES_HINT = (
    "This network's certificates are signed by an authority of its own. Set SSL_CERT_FILE to the "
    "file that holds it (/etc/ssl/certs/ca-certificates.crt where the machine trusts it; npm gets "
    "it as NODE_EXTRA_CA_CERTS); then start again."
)
SEE_ABOVE = "The lines above say why; then start again."

# How pip, uv, npm and apt say that nobody could be reached.
_UNREACHED = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH"
    r"|ERR_SOCKET_TIMEOUT|name resolution|resolving|dns error|tcp connect|timed out"
    r"|error sending request|no route to host|network is unreachable|connection refused"
    r"|could not connect|NewConnectionError|ProxyError",
    re.IGNORECASE,
)
# How they say that a company's own authority signed for the other side.
_UNKNOWN_ISSUER = re.compile(
    r"UnknownIssuer|SELF_SIGNED_CERT|self[- ]signed certificate|UNABLE_TO_VERIFY_LEAF_SIGNATURE"
    r"|unable.to.get.(local.)?issuer|certificate issuer is unknown",
    re.IGNORECASE,
)
_DISK_FULL = re.compile(r"ENOSPC|No space left on device|EDQUOT|Disk quota exceeded")


class StepFailed(Exception):
    """A step of the preparation failed; the text says which, why and what to do."""


def main() -> None:
    """Prepare what is missing and replace this process by the `mos` command.

    Who asks for help waits for nothing: without packages, plain lines are all there is to say.
    """
    words = sys.argv[1:]
    helps = not words or "--help" in words
    if helps and _stamp(PACKAGES_STAMP) != _packages():
        print(_usage(words))
        return
    try:
        if not helps:
            with _one_at_a_time():
                prepare()
    except StepFailed as failure:
        sys.exit(f"\nmos: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"\nmos: could not prepare {ROOT}: {error.strerror} ({error.filename}).")
    python = str(VENV / "bin" / "python")
    os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.execv(python, [python, "-m", "mos.ops.cli", *words])


def _usage(words: list[str]) -> str:
    """Return what can be said of the command in `words`, or of all, before there are packages."""
    wanted = next((word for word in words if word in COMMANDS), None)
    if wanted:
        return (
            f"Usage: mos {wanted} [OPTIONS]\n\n  {COMMANDS[wanted]}\n\n"
            f"Its options: `./mos version`, which fetches packages once; then "
            f"`./mos {wanted} --help`."
        )
    width = max(map(len, COMMANDS))
    lines = [f"  {name.ljust(width)}  {does}" for name, does in COMMANDS.items()]
    return "\n".join(
        [
            "Usage: mos COMMAND [OPTIONS]\n\nMOS, the food-and-sleep clock.\n",
            *lines,
            "\nThe first command fetches packages and builds the app, once.",
        ]
    )


def _packages() -> str:
    """Return what the packages' stamp says when they are all there."""
    return _digest([LOCK], f"{ROOT} {sys.version_info[:2]}")


def prepare() -> None:
    """Bring environment, packages and app up to date. Raises StepFailed."""
    packages = _packages()
    if _stamp(PACKAGES_STAMP) != packages:
        PACKAGES_STAMP.unlink(missing_ok=True)
        _make_environment()
        _install_packages()
        PACKAGES_STAMP.write_text(packages)
    if not (PWA / "package.json").exists():
        return
    modules = _digest([PWA / "package-lock.json"], packages)
    if _stamp(MODULES_STAMP) != modules:
        # What an interrupted start left half made, npm stumbles over.
        if MODULES_STAMP.parent.exists():
            shutil.rmtree(MODULES_STAMP.parent)
        _step("Installing the app's packages", [_tool("npm"), "ci"], PWA, NETWORK_HINT)
        MODULES_STAMP.write_text(modules)
    sources = _digest(_app_sources(), modules)
    if _stamp(BUILD_STAMP) != sources or not (PWA / "dist" / "index.html").exists():
        BUILD_STAMP.unlink(missing_ok=True)
        _step("Building the app", [_tool("npm"), "run", "build"], PWA, SEE_ABOVE)
        BUILD_STAMP.write_text(sources)


def _make_environment() -> None:
    if (VENV / "bin" / "python").exists() and _belongs_here():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    if shutil.which("uv"):
        command.append("--without-pip")
    elif not _can_make_pip():
        _install_venv_package()
    _step("Making the Python environment", command, ROOT, "Remove .venv and start again.")


def _belongs_here() -> bool:
    """Return whether the environment was made in this place by this version of Python."""
    with contextlib.suppress(OSError):
        made = (VENV / "pyvenv.cfg").read_text().splitlines()
        version = ".".join(map(str, sys.version_info[:2]))
        return any(line.startswith(f"version = {version}.") for line in made) and any(
            line.startswith("command =") and line.endswith(f" {VENV}") for line in made
        )
    return False


def _can_make_pip() -> bool:
    probe = [sys.executable, "-c", "import ensurepip, venv"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


def _install_venv_package() -> None:
    # Debian keeps pip's seed in a package of its own.
    name = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    todo = f"apt-get install -y {name}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise StepFailed(
            f"this Python cannot make environments. Run `{todo}` as root "
            "(or install your system's package for Python's venv), then start again."
        )
    script = f"apt-get update -q && DEBIAN_FRONTEND=noninteractive {todo}"
    _step(f"Installing {name}", ["sh", "-c", script], ROOT, NETWORK_HINT)


def _install_packages() -> None:
    uv = shutil.which("uv")
    if uv is None:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as pins:
            pins.write(_pins_of("uv"))
            pins.flush()
            pip = [
                _tool("python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ]
            pip += ["--require-hashes", "--no-deps", "-r", pins.name]
            _step("Fetching the installer", pip, ROOT, NETWORK_HINT)
        uv = _tool("uv")
    sync = [uv, "pip", "sync", "--require-hashes", "--python", _tool("python"), str(LOCK)]
    _step("Installing packages", sync, ROOT, NETWORK_HINT)
    # One line puts the server's folder on the path; it needs no build and follows every edit.
    (site,) = (VENV / "lib").glob("python3.*/site-packages")
    (site / "mos.pth").write_text(f"{ROOT / 'server'}\n")


def _pins_of(name: str) -> str:
    """Return one package's lines of the lock, hashes included."""
    found = re.search(rf"^{name}==.*?(?=^\S|\Z)", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    if found is None:
        raise StepFailed(f"requirements.lock does not name {name}: restore the file.")
    return found.group(0)


def _app_sources() -> list[Path]:
    files = [path for pattern in _APP_FILES for path in PWA.glob(pattern)]
    for folder in _APP_SOURCES:
        files += [path for path in (PWA / folder).rglob("*") if path.is_file()]
    return sorted(path for path in files if not path.name.endswith(".test.ts"))


def _digest(files: list[Path], and_of: str) -> str:
    digest = hashlib.sha256(and_of.encode())
    for file in files:
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _stamp(file: Path) -> str | None:
    with contextlib.suppress(OSError):
        return file.read_text()
    return None


def _tool(name: str) -> str:
    return str(VENV / "bin" / name)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    # The lock stands on the folder itself, so that it leaves no file, and ends with the process.
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another ./mos that is preparing…", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _step(title: str, command: list[str], cwd: Path, hint: str) -> None:
    """Run one command under a line that counts its seconds; show its last words if it fails."""
    begun = time.monotonic()
    done = threading.Event()
    counting = threading.Thread(target=_count, args=(title, begun, done))
    counting.start()
    environment = os.environ | {"PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    # uv and npm may be set to speak in colours and bars; this is a log.
    environment |= {"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "npm_config_progress": "false"}
    environment.pop("VIRTUAL_ENV", None)
    # uv reads this one alone, pip and npm others: who has set it is understood by all.
    if certificates := environment.get("SSL_CERT_FILE"):
        environment = {
            "PIP_CERT": certificates, "NODE_EXTRA_CA_CERTS": certificates
        } | environment  # fmt: skip
    try:
        with tempfile.TemporaryFile() as log:
            ended = subprocess.run(
                command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
            log.seek(0)
            said = log.read().decode(errors="replace")
    finally:
        done.set()
        counting.join()
    if ended.returncode != 0:
        print("\n".join(said.strip().splitlines()[-25:]), file=sys.stderr)
        todo = _what_to_do(said, hint)
        raise StepFailed(f"{title.lower()} failed (`{' '.join(command[:4])} …`). {todo}")


def _what_to_do(said: str, hint: str) -> str:
    """Return what to do about what a failed step said; the network is asked for only if it is."""
    if _DISK_FULL.search(said):
        return f"The disk that holds {ROOT} is full: about 1 GB is needed; then start again."
    if hint == NETWORK_HINT and _UNKNOWN_ISSUER.search(said):
        return CERTIFICATES_HINT
    return SEE_ABOVE if hint == NETWORK_HINT and not _UNREACHED.search(said) else hint


def _count(title: str, begun: float, done: threading.Event) -> None:
    live = sys.stdout.isatty()
    print(f"{title}… ", end="", flush=True)
    while not done.wait(0.5):
        if live:
            print(f"\r{title}… {time.monotonic() - begun:.0f} s", end="", flush=True)
    took = f"{time.monotonic() - begun:.0f} s"
    print(f"\r{title}… {took}" if live else took, flush=True)


if __name__ == "__main__":
    main()
