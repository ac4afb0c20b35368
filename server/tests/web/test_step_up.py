"""What of administration asks once more who it is, after five minutes."""

import pytest
from builders import a_contact, a_home
from test_matrix import _ROTA, _STEPS

_ASKS = {
    "add a resident": ("POST", "residents", {"name": "Ny", "language": "sv", "unit": "{unit}"}),
    "change a resident": ("PATCH", "residents/{space}", {"flat": "9"}),
    "take a tablet back": ("POST", "residents/{space}/devices/{device}/wipe", None),
    "add a unit": ("POST", "units", {"name": "Ny", "zone": "Europe/Stockholm", "language": "sv"}),
    "change a unit": ("PATCH", "units/{unit}", {"name": "Ny"}),
    "add a rota": ("POST", "units/{unit}/rotas", _ROTA | {"accounts": ["{caregiver}"]}),
    "let a webhook rest": ("PATCH", "webhooks/{webhook}", {"paused": True}),
    "change a webhook's secret": ("POST", "webhooks/{webhook}/secret", None),
    "change a template": ("PUT", "ladder-templates", {"steps": _STEPS}),
    "invite": ("POST", "accounts/{caregiver}/invitations", {"kind": "password"}),
}


@pytest.mark.parametrize("what", _ASKS)
async def test_asked_again_after_five_minutes(site, clock, what):
    home = await a_home(site.database)
    tablet = await site.as_account(home.org, home.resident.account)
    admin = await site.signed_in("admin@example.test")
    webhook = await a_contact(
        site.database, home.org, None, "https://example.org/", channel="webhook", secret=b"-"
    )
    method, path, body = _ASKS[what]
    names = {
        "unit": home.unit, "space": home.space, "caregiver": home.caregiver,
        "device": tablet.device, "webhook": webhook,
    }  # fmt: skip
    clock.move(minutes=6)

    asked = await admin.ask(method, path.format(**names), _filled(body, names))
    await admin.post("session/step-up/password", {"password": "a long enough password"})
    done = await admin.ask(method, path.format(**names), _filled(body, names))

    assert (asked.status_code, asked.json()["code"]) == (403, "step_up_needed")
    assert done.is_success, done.text


def _filled(body, names):
    match body:
        case str():
            return body.format(**names)
        case list():
            return [_filled(each, names) for each in body]
        case dict():
            return {key: _filled(value, names) for key, value in body.items()}
        case _:
            return body
