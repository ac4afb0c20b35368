"""A tablet whose push service took the message, and that is not heard of, is told of in time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from people import DESKTOP, SOON_MS, People
from playwright.sync_api import expect
from push_service import PushService, b64
from test_device import PUSH, push
from test_first_day import through_welcome

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

__all__ = ["push"]

# Tells the server where this tablet's push messages go, as the app does.
SUBSCRIBE = """async ([endpoint, p256dh, auth]) => {
  const ask = (path, how = {}) => fetch(`/api/v1/${path}`, {
    headers: { 'x-mos': '1', 'content-type': 'application/json' }, ...how,
  });
  const { device } = await (await ask('session')).json();
  const { key } = await (await ask('push-key')).json();
  const body = JSON.stringify({ endpoint, p256dh, auth, key });
  return (await ask(`devices/${device}/push`, { method: 'PUT', body })).status;
}"""


@pytest.fixture
def home(tmp_path: Path, push: PushService) -> Iterator[Rehearsal]:
    """A demo home early on a Saturday, whose push messages take a detour to the test's service."""
    detour = {"MOS_PUSH_REWRITE": f"{PUSH}={push.url}", "MOS_PUSH_PRIVATE_HOSTS": "1"}
    push.url = PUSH
    with Rehearsal(tmp_path / "mos", "2026-11-28T07:57:00", environ=detour) as rehearsal:
        yield rehearsal


def test_a_tablet_that_is_not_heard_of_for_a_quarter_of_an_hour_is_an_alert(
    people: People, push: PushService
):
    tablet = people.open("amir")
    through_welcome(tablet)
    browser = push.subscribe()
    keys = [browser.endpoint, b64(browser.p256dh), b64(browser.auth)]
    assert tablet.evaluate(SUBSCRIBE, keys) == 204
    jonas = people.open("jonas", size=DESKTOP)
    expect(jonas.get_by_role("heading", name="Larm", exact=True)).to_be_visible(timeout=SOON_MS)
    # Its battery is empty; the push service knows nothing of that and takes every message.
    people.close(tablet)

    silent = jonas.get_by_text("Surfplattan hos Amir")
    people.move_to("2026-11-28T08:00:10", jonas)
    jonas.wait_for_timeout(4000)
    assert browser.told != []
    people.move_to("2026-11-28T08:12:00", jonas)
    jonas.wait_for_timeout(4000)
    expect(silent).to_have_count(0)

    people.move_to("2026-11-28T08:16:00", jonas)
    expect(silent.first).to_be_visible(timeout=2 * SOON_MS)
