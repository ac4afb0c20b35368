"""A device in the home's network learns to trust it, and then has all that HTTPS gives an app."""

import os
import subprocess
from base64 import b64encode
from contextlib import contextmanager
from hashlib import sha256
from shutil import which

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from people import ARGUMENTS, CHROMIUM
from playwright.sync_api import expect
from real_up import Up

from mos.ops.lan import addresses
from mos.ops.lan.authority import Files


@pytest.fixture
def lan(tmp_path):
    """An empty home that serves its network; None on a machine that is on no network."""
    one = Up(tmp_path / "var", "--lan", "--empty")
    try:
        if not addresses.lan_addresses():
            assert one.ended() == 1
            assert "this machine is on no network" in one.said
            yield None
            return
        one.greeted()
        yield one
    finally:
        one.stop()


@contextmanager
def device(playwright, place, *, trusting=None):
    """Open a page on a device of its own; `trusting`: whose authority its owner installed."""
    arguments = list(ARGUMENTS)
    if trusting is not None:
        arguments += trust(place, trusting)
    context = playwright.chromium.launch_persistent_context(
        str(place / "profile"), executable_path=CHROMIUM, args=arguments, locale="sv-SE",
        env=os.environ | {"HOME": str(place)},
    )  # fmt: skip
    try:
        yield context.pages[0]
    finally:
        context.close()


def trust(place, files):
    """Install the authority as a person does; return what the browser must be told beside."""
    if which("certutil") is None:
        # Debian's libnss3-tools is missing here: then the browser is told to take this one key.
        key = x509.load_pem_x509_certificate(files.leaf.read_bytes()).public_key()
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        digest = b64encode(sha256(spki).digest()).decode()
        return [f"--ignore-certificate-errors-spki-list={digest}"]
    store = place / ".pki" / "nssdb"
    store.mkdir(parents=True)
    database = ["-d", f"sql:{store}"]
    for step in (["-N", "--empty-password"], ["-A", "-n", "MOS", "-t", "C,,", "-i", files.ca]):
        subprocess.run(["certutil", *database, *step], check=True)
    return []


def test_the_page_turns_green_once_the_device_trusts_the_home(lan, playwright, tmp_path):
    if lan is None:
        return
    with device(playwright, tmp_path / "before") as page:
        page.goto(lan.trust_page)
        with page.expect_event("requestfailed", lambda asked: "__lbheartbeat__" in asked.url):
            pass
        expect(page.get_by_role("status")).to_have_text("Apparaten litar inte på servern än.")

    files = Files(tmp_path / "var" / "lan")
    with device(playwright, tmp_path / "after", trusting=files) as page:
        missing = []
        page.on("response", lambda answer: missing.append(answer.url) if not answer.ok else None)
        page.goto(lan.trust_page)
        expect(page.get_by_role("status")).to_have_text("Klart! Apparaten litar på servern.")
        assert missing == []

        page.get_by_role("link", name="Öppna MOS").click()
        page.wait_for_url(f"{lan.address}/**")
        assert page.evaluate("isSecureContext")
        assert page.evaluate(
            "navigator.serviceWorker.ready.then(worker => worker.active.scriptURL)"
        ) == (f"{lan.address}/sw.js")
