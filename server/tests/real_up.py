"""`mos up` in a process of its own, as an operator starts it."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

from mos.ops.settings import ROOT

PATIENCE_S = 90


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def mos(*words, data):
    """Run a command for the home in `data`, as its operator does, without this test's settings."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("MOS_", "DATABASE"))}
    return subprocess.run(
        [sys.executable, "-m", "mos.ops.cli", *words, "--data", str(data)],
        capture_output=True, text=True, timeout=120, check=False,
        env=outside | {"PYTHONPATH": str(ROOT / "server"), "COLUMNS": "200"},
    )  # fmt: skip


class Up:
    """One `mos up` in a process of its own."""

    def __init__(self, data, *options, port=None, **environment):
        self.data, self.port = data, port or free_port()
        inherited = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mos.ops.cli", "up", "--data", str(data), *options,
             "--port", str(self.port)],
            env=inherited | {"PYTHONPATH": str(ROOT / "server"), "COLUMNS": "120"} | environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.said = ""

    def ready(self):
        """Read what it says until it is ready; return how long that took, in seconds."""
        begun = time.monotonic()
        while "MOS is ready at" not in self.said:
            line = self.process.stdout.readline()
            assert line, f"ended before it was ready:\n{self.said}\n{self.logs()}"
            self.said += line
            assert time.monotonic() - begun < PATIENCE_S, self.said
        return time.monotonic() - begun

    def stop(self, how=signal.SIGTERM):
        """Stop it and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.ended()

    def ended(self):
        """Wait for its end; return its exit status."""
        if not self.process.stdout.closed:
            self.said += self.process.stdout.read()
            self.process.stdout.close()
        return self.process.wait(PATIENCE_S)

    def greeted(self):
        """Read on until all has been said that there is to say at the start; return it."""
        self.ready()
        while "Stop: Ctrl-C" not in self.said:
            self.said += self.process.stdout.readline()
        return self.said

    @property
    def address(self):
        """Where it says that it is."""
        return re.search(r"MOS is ready at (\S+)", self.said)[1]

    @property
    def trust_page(self):
        """With `--lan`: where it says that a phone learns to trust it."""
        return re.search(r"scan this or open (\S+)", self.said)[1]

    def logs(self):
        return "\n".join(
            f"== {log.name}\n{log.read_text()[-1500:]}" for log in self.data.glob("log/*.log")
        )

    def get(self, path, **how):
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10, **how) as answer:
            return json.load(answer)

    def post(self, path, body):
        request = Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(),
            {"content-type": "application/json", "x-mos": "1"},
        )  # fmt: skip
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def answers(self):
        try:
            parts = self.get("/__heartbeat__")
            return (parts["database"], parts["worker"]) == ("ok", "ok")
        except OSError:
            return False

    def child(self, word):
        """Return the process number of the child whose command line has `word`."""
        for line in self.children():
            if word in line:
                return int(line.split()[0])
        return None

    def children(self):
        found = []
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if (
                    process.name.isdigit()
                    and f"\nPPid:\t{self.process.pid}\n" in (process / "status").read_text()
                ):
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found.append(f"{process.name} {command}")
        return found
