"""What people wrote stands in no log, no count, no answer to a mistake and no operator's terminal.

A real demo home is used, by its people and by somebody who asks for nonsense; then every place that
an operator, a monitor or a bystander reads is searched for what the home knows.
"""

import subprocess
import sys

import httpx
import pytest
from disk import grepped
from real_up import Up, mos

from mos.ops.demo.people import PASSWORD, RESIDENTS, SUPPORTERS
from mos.ops.demo.plans import PLANS
from mos.ops.settings import ROOT

# A caregiver sees everybody but who administers.
NAMES = sorted({each.name for each in (*RESIDENTS, *SUPPORTERS) if each.role != "admin"})
TITLES = sorted({each.title for plans in PLANS.values() for each in plans if len(each.title) > 9})
# What a visitor types, in the address and beside it.
TYPED = "canary-bird-4711"
SECRET = "canary-secret-0815"


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    running = Up(tmp_path_factory.mktemp("canary") / "home", "--demo")
    running.ready()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def used(up):
    """Let somebody work in the home, and mistype; return the answers to what was wrong."""
    http = httpx.Client(base_url=f"http://127.0.0.1:{up.port}", headers={"x-mos": "1"})
    with http:
        worker = next(person for person in SUPPORTERS if person.role == "caregiver")
        device = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
        door = {"email": worker.email, "password": PASSWORD, "device_id": device}
        entered = http.post("/api/v1/session", json=door)
        assert entered.status_code == 201, entered.text
        # The canaries are in the house: who may see them does.
        seen = entered.text
        for each in entered.json()["residents"]:
            with http.stream("GET", f"/sync/v1/snapshot/{each['space']}") as stream:
                seen += stream.read().decode()
        assert [word for word in (*NAMES, *TITLES) if word not in seen] == []

        wrong = [
            http.get(f"/api/v1/{TYPED}", params={"q": TYPED}),
            http.get("/api/v1/logs/accesses", params={"space": TYPED}),
            http.get(f"/cal/{TYPED}.ics"),
            http.get(f"/{TYPED}", headers={"referer": f"http://x/{TYPED}"}),
            http.post("/api/v1/units", json={"name": [TYPED]}),
            http.post("/api/v1/units", content=f'{{"name": "{TYPED}'.encode()),
            http.post("/api/v1/session", json=door | {"password": SECRET, "device_name": TYPED}),
            http.post("/api/v1/session", json=door | {"email": f"{TYPED}@x.test"}),
            http.post("/api/v1/invitations/open", json={"token": SECRET}),
            http.post("/api/v1/session/step-up/password", json={"password": SECRET}),
            http.post("/sync/v1/push", content=f'{{"ops": "{TYPED}"}}'.encode()),
            http.patch("/api/v1/account", json={"language": TYPED}),
            http.get("/api/v1/session", headers={"cookie": f"mos={SECRET}", "user-agent": TYPED}),
        ]
    return [answer for answer in wrong if not answer.is_success]


def test_no_answer_to_a_mistake_repeats_what_was_typed(used):
    assert len(used) > 10
    for answer in used:
        assert answer.status_code < 500
        for word in (TYPED, SECRET, *NAMES, *TITLES):
            assert word not in answer.text, answer.request.url.path


def test_no_count_tells_of_anybody(up, used):
    metrics = httpx.get(f"http://127.0.0.1:{up.port}/metrics").text

    # What was done is counted: so these are the numbers of that day.
    assert 'route="/api/v1/invitations/open"' in metrics
    assert [word for word in (TYPED, SECRET, *NAMES, *TITLES) if word in metrics] == []


def test_no_log_tells_of_anybody(up, used):
    logs = up.data / "log"

    # The search can find: what happened stands there, by its route.
    assert grepped(logs, ["/api/v1/invitations/open"])
    assert grepped(logs, [TYPED, SECRET, PASSWORD, *NAMES, *TITLES]) == []


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "verify"), ("audit", "export"), ("privacy", "retention"), ("keys", "status"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_command_that_looks_after_a_home_tells_of_anybody(up, used, words):
    done = mos(*words, data=up.data)

    assert done.stdout.strip(), done.stderr
    said = done.stdout + done.stderr
    assert [word for word in (TYPED, SECRET, *NAMES, *TITLES) if word in said] == []


@pytest.mark.parametrize("command", ["serve", "work", "migrate"])
def test_a_command_that_fails_repeats_no_password(command):
    place = f"postgresql://mos:{SECRET}@127.0.0.1:1/mos"
    done = subprocess.run(
        [sys.executable, "-m", "mos.ops.cli", command], capture_output=True, text=True, timeout=60,
        check=False,
        env={"PYTHONPATH": str(ROOT / "server"), "PATH": "/usr/bin:/bin", "DATABASE_URL": place,
             "MOS_KEYS_URL": place},
    )  # fmt: skip

    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert said.strip()
    assert SECRET not in said
