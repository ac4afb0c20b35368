"""A stolen disk says nothing: a canary is looked for in the bytes of a real home's files."""

import os
import subprocess
from pathlib import Path

import httpx
from disk import checkpoint, grepped
from real_up import Up, mos

from mos.ops.clusters import main_cluster
from mos.ops.demo.people import ORGANISATION, PASSWORD, PEOPLE
from mos.ops.demo.plans import PLANS

FLAT, DEVICE, LABEL = "Kanarielgh 4711", "Kanariefågelns platta", "Kanarielarmet 4711"
ADDRESS, CONSENT = "https://kanarie-4711.example/larm", "Kanariefågeln har sagt ja"


def test_no_title_of_the_demos_plans_is_in_any_file_of_its_home(tmp_path):
    titles = {planned.title for plans in PLANS.values() for planned in plans}
    notes = {planned.note for plans in PLANS.values() for planned in plans if planned.note}
    words = sorted(word for word in titles | notes if len(word) > 9)
    assert len(words) > 10
    up = Up(tmp_path / "home", "--demo")
    try:
        up.ready()
        checkpoint(up.data)
        assert grepped(up.data, words) == []
        # What is not sealed is found: so the search can find.
        assert grepped(up.data, [ORGANISATION])
    finally:
        up.stop()
    assert grepped(up.data, words) == []


def test_no_flat_consent_address_or_name_of_a_device_is_in_any_file_or_dump(tmp_path):
    up = Up(tmp_path / "home", "--demo")
    try:
        up.ready()
        write_canaries(up)
        checkpoint(up.data)
        dump = dumped(up.data, tmp_path)
        agreed = [person.consent for person in PEOPLE if person.consent]
        words = [FLAT, DEVICE, LABEL, ADDRESS, "kanarie-4711", CONSENT, *agreed]
        assert len(agreed) == 3
        assert grepped(up.data, words) == []
        assert grepped(dump, words) == []
        assert grepped(dump, [ORGANISATION])
        checked = mos("keys", "seal", "--check", data=up.data)
        assert (checked.returncode, "plain     0" in checked.stdout) == (0, True), checked.stderr
    finally:
        up.stop()
    assert grepped(up.data, words) == []


def write_canaries(up):
    """Let the administrator write each of them; and read them, so that they are there."""
    http = httpx.Client(base_url=f"http://127.0.0.1:{up.port}/api/v1", headers={"x-mos": "1"})
    with http:
        door = {"email": "admin@bjorkbacken.example", "password": PASSWORD}
        door |= {"device_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "device_name": DEVICE}
        assert http.post("/session", json=door).status_code == 201
        space = http.get("/residents").json()[0]["space"]
        relation = http.get("/relations").json()[0]["id"]
        hook = http.post("/webhooks", json={"address": ADDRESS, "label": LABEL})
        assert hook.status_code == 201, hook.text
        changes = {
            f"/residents/{space}": {"flat": FLAT}, f"/relations/{relation}": {"consent": CONSENT},
        }  # fmt: skip
        for path, change in changes.items():
            answer = http.patch(path, json=change)
            assert answer.status_code == 200, answer.text
        seen = "".join(
            http.get(path).text for path in ("/residents", "/relations", "/webhooks", "/sessions")
        )
        assert [word for word in (FLAT, DEVICE, LABEL, ADDRESS, CONSENT) if word not in seen] == []


def dumped(data, tmp_path):
    """Dump the main database as text, as whoever takes a backup does; return its folder."""
    cluster = main_cluster(data, data / "secrets")
    cluster.find_socket()
    folder = tmp_path / "dump"
    folder.mkdir()
    subprocess.run(
        [Path(cluster._binaries()) / "pg_dump", "-h", cluster.socket, "-U", "mos_owner",
         "-f", folder / "mos.sql", "mos"],
        check=True, env=os.environ | {"PGPASSWORD": cluster.password},
    )  # fmt: skip
    return folder
