"""Who is told when nobody answers: templates, previews, quiet hours, how much it is."""

from datetime import UTC, datetime, timedelta

from builders import a_device, a_home, a_relation, an_account
from engine_world import occ_of

from mos.kernel.ids import named_id, new_id

AT = "2026-11-27T07:00:00Z"
ASKED = f"category=meal&criticality=normal&at={AT}"


async def a_phone(database, org, account):
    device = await a_device(database, org, account)
    await database.sql(
        "UPDATE device SET push_endpoint = 'https://push.example/' || device_id, push_p256dh = '', "
        "push_auth = '' WHERE device_id = $1", device,
    )  # fmt: skip
    return device


async def a_supporter(site, home, name, *, phone=True, **relation):
    account = await an_account(site.database, home.org, "caregiver", name=name)
    where = relation.pop("where", {"space": home.space})
    await a_relation(site.database, home.org, account, **where, **relation)
    if phone:
        await a_phone(site.database, home.org, account)
    return account


async def rest(site, account, from_="22:00", to="07:30"):
    browser = await site.as_account(*account)
    hours = {"from": from_, "to": to, "zone": "Europe/Stockholm"}
    assert (await browser.put("me/quiet-hours", hours)).json() == hours


def names(people):
    return [each["name"] for each in people]


async def test_a_preview_says_who_is_told_when_and_why_others_are_not(site):
    home = await a_home(site.database)
    await a_phone(site.database, home.org, home.caregiver)
    await a_supporter(site, home, "Cia", is_primary=True)
    quiet = await a_supporter(site, home, "Qvist")
    await a_supporter(site, home, "Ulla", phone=False)
    # At half past eight, when everybody is told, she sleeps still.
    await rest(site, (home.org, quiet), to="09:30")
    browser = await site.signed_in("caregiver@example.test")

    body = (await browser.get(f"residents/{home.space}/ladder?{ASKED}")).json()

    assert (body["chosen"], body["for"]) == ("usual", None)
    assert body["late_at"] == "2026-11-27T07:15:00Z"
    assert body["missed_at"] == "2026-11-27T07:30:00Z"
    assert body["reaches_somebody"] is True
    first, second, third = body["steps"]
    assert [step["at"][11:16] for step in body["steps"]] == ["07:15", "07:30", "08:00"]
    assert (first["tell"], first["after"], first["by"]) == ("primary", -15, None)
    assert names(first["told"]) == ["Cia"]
    assert first["told"][0]["by"] == ["push"]
    assert names(second["told"]) == names(third["told"]) == ["Cia", "Noor"]
    assert {each["name"]: each["why"] for each in third["not_told"]} == {
        "Qvist": "quiet",
        "Ulla": "no_channel",
    }
    assert {each["name"]: each["why"] for each in first["not_told"]} == {
        "Noor": "later",
        "Qvist": "later",
        "Ulla": "no_channel",
    }


async def test_steps_that_are_not_saved_can_be_tried_and_are_refused_as_saved_ones(site):
    home = await a_home(site.database)
    await a_phone(site.database, home.org, home.caregiver)
    browser = await site.signed_in("caregiver@example.test")
    asked = {"category": "meal", "criticality": "critical", "at": AT, "grace": 15}
    path = f"residents/{home.space}/ladder"

    tried = await browser.post(
        path, asked | {"steps": [{"tell": "unit", "after": 3, "by": ["sms"]}]}
    )
    wrong = await browser.post(path, asked | {"steps": [{"tell": "unit", "after": 999}]})
    far = await browser.post(path, asked | {"at": "9999-12-31T23:59:59Z"})
    assert (far.status_code, far.json()["field"]) == (400, "at")

    (step,) = tried.json()["steps"]
    assert tried.json()["chosen"] == "given"
    # It is critical: whatever it says, it ends with everybody. Nobody has an address for SMS.
    assert (step["tell"], step["at"], step["by"]) == ("all", "2026-11-27T07:18:00Z", ["sms"])
    assert step["told"] == [{"account": str(home.caregiver), "name": "Noor", "by": ["push"]}]
    assert (wrong.status_code, wrong.json()["code"]) == (400, "step_after")
    assert wrong.json()["field"] == "steps.0.after"


async def test_what_is_an_order_is_told_to_those_alone_who_see_medication(site):
    home = await a_home(site.database)
    await a_phone(site.database, home.org, home.caregiver)
    await a_supporter(site, home, "Rut", permissions=("plan.view", "alert.take"))
    browser = await site.signed_in("caregiver@example.test")

    path = f"residents/{home.space}/ladder?{ASKED}&order=true"
    last = (await browser.get(path)).json()["steps"][-1]

    assert names(last["told"]) == ["Noor"]
    assert last["not_told"][0] | {"account": ""} == {
        "account": "", "name": "Rut", "why": "no_sight"
    }  # fmt: skip


async def test_nobody_who_can_be_reached_is_said_so(site):
    home = await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")

    body = (await browser.get(f"residents/{home.space}/ladder?{ASKED}")).json()

    assert body["reaches_somebody"] is False
    assert [step["told"] for step in body["steps"]] == [[], [], []]


async def test_a_template_holds_for_whoever_has_no_ladder_of_their_own(site):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    caregiver = await site.signed_in("caregiver@example.test")
    steps = [{"tell": "on_call", "after": 5}, {"tell": "all", "after": 20}]

    made = await admin.put("ladder-templates", {"category": "meal", "steps": steps})
    (template,) = made.json()["templates"]
    assert (template["category"], template["criticality"], template["steps"]) == (
        "meal", None, steps,
    )  # fmt: skip
    assert made.json()["usual"]["critical"][0] == {"tell": "primary", "after": -5}
    path = f"residents/{home.space}/ladder?{ASKED}"
    body = (await caregiver.get(path)).json()
    assert (body["chosen"], body["for"]) == ("template", {"category": "meal", "criticality": None})

    assert (await admin.delete("ladder-templates?category=rest")).status_code == 404
    assert (await admin.delete("ladder-templates?category=meal")).status_code == 204
    assert (await caregiver.get(path)).json()["chosen"] == "usual"


async def test_a_template_comes_to_be_for_something_else_and_takes_nobodys_place(site):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    caregiver = await site.signed_in("caregiver@example.test")
    steps = [{"tell": "unit", "after": 0}]
    await admin.put("ladder-templates", {"category": "meal", "steps": steps})
    await admin.put("ladder-templates", {"category": "rest", "steps": steps})
    was = {"category": "meal", "criticality": None}

    taken = await admin.put(
        "ladder-templates", {"category": "rest", "steps": steps, "instead_of": was}
    )
    gone = await admin.put(
        "ladder-templates",
        {"category": "sleep", "steps": steps, "instead_of": {"category": "hygiene"}},
    )
    moved = await admin.put(
        "ladder-templates", {"criticality": "critical", "steps": steps, "instead_of": was}
    )

    assert (taken.status_code, taken.json()["code"]) == (409, "template_there")
    assert gone.status_code == 404
    there = {("rest", None), (None, "critical")}
    for answer in (moved, await caregiver.get("ladder-templates")):
        found = answer.json()["templates"]
        assert {(each["category"], each["criticality"]) for each in found} == there


async def test_whoever_manages_a_unit_asks_what_a_template_would_do_and_not_what_holds(site):
    home = await a_home(site.database)
    await a_phone(site.database, home.org, home.caregiver)
    admin = await site.signed_in("admin@example.test")
    path = f"residents/{home.space}/ladder"
    asked = {"category": "meal", "criticality": "normal", "at": AT}

    tried = await admin.post(path, asked | {"steps": [{"tell": "unit", "after": 0}]})
    holds = await admin.post(path, asked)

    assert names(tried.json()["steps"][0]["told"]) == ["Noor"]
    assert holds.status_code == 404


async def test_a_template_of_nonsense_is_refused_with_the_place(site):
    await a_home(site.database)
    admin = await site.signed_in("admin@example.test")

    refused = await admin.put("ladder-templates", {"steps": [{"tell": "primary", "after": 0}]})

    assert (refused.status_code, refused.json()["code"]) == (400, "step_alone")
    assert refused.json()["field"] == "steps.0.tell"


async def test_quiet_hours_are_chosen_changed_and_ended(site):
    home = await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    assert (await browser.get("me/quiet-hours")).json() is None

    await rest(site, (home.org, home.caregiver))
    assert (await browser.get("me/quiet-hours")).json()["from"] == "22:00"
    for wrong in (
        {"from": "22:00", "to": "22:00", "zone": "Europe/Stockholm"},
        {"from": "24:00", "to": "06:00", "zone": "Europe/Stockholm"},
        {"from": "22:00", "to": "06:00", "zone": "Europe/Nowhere"},
    ):
        assert (await browser.put("me/quiet-hours", wrong)).status_code == 400
    assert (await browser.delete("me/quiet-hours")).status_code == 204

    assert (await browser.get("me/quiet-hours")).json() is None


async def _told(database, home, account, at, *, kind, subject, state="sent", space=None):
    await database.sql(
        "INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, device_id, "
        "channel, state, expires_at, created_at) "
        "VALUES ($1, $2, $3, $4, 1, $5, $5, 'webpush', $6, now(), $7)",
        home.org, space or home.space, kind, subject, account, state, at,
    )  # fmt: skip


async def _alert(database, home, name, opened_at, *, space=None, closed=False):
    alert = named_id(home.space, name)
    await database.sql(
        "INSERT INTO alert (org_id, space_id, alert_id, kind, ladder, grace_s, from_at, opened_at, "
        "closed_at, closed_why, occ) "
        "VALUES ($1, $2, $3, 'missed', 'normal', 0, $4, $4, $5, $6, $7)",
        home.org, space or home.space, alert, opened_at, opened_at if closed else None,
        "outcome" if closed else None, name,
    )  # fmt: skip
    return str(alert)


async def test_the_alarm_load_is_counted_by_the_day_and_many_are_marked(site, clock):
    home = await a_home(site.database)
    caregiver = await site.signed_in("caregiver@example.test")
    yesterday = clock() - timedelta(days=1)
    occ = occ_of(new_id(clock()), "08:00")
    for n in range(6):
        alert = await _alert(site.database, home, f"x{n}", yesterday, closed=True)
        await _told(site.database, home, home.caregiver, yesterday, kind="alert", subject=alert)
    await _told(site.database, home, home.resident.account, yesterday, kind="ring", subject=occ)
    await _told(
        site.database, home, home.resident.account, yesterday, kind="ring", subject="y",
        state="expired",
    )  # fmt: skip
    # What is about medication counts for those who see it.
    await _alert(
        site.database, home, "z", yesterday - timedelta(days=2), space=home.resident.medication
    )

    load = (await caregiver.get(f"residents/{home.space}/alarm-load?days=3")).json()
    mine = (await caregiver.get("me/alarm-load?days=3")).json()

    assert [(day["rings"], day["alerts"], day["many"]) for day in load["days"]] == [
        (0, 1, False), (0, 0, False), (1, 6, True),
    ]  # fmt: skip
    assert load["alerts"] == {"median": 1.0, "worst": 6}
    assert load["rings"] == {"median": 0.0, "worst": 1}
    assert load["most"] == 5
    assert [day["alerts"] for day in mine["days"]] == [0, 0, 6]
    assert (await caregiver.get("me/alarm-load?days=32")).json()["field"] == "days"


async def test_of_what_one_was_told_the_nights_are_counted_on_the_clock_of_the_home(site, clock):
    home = await a_home(site.database)
    caregiver = await site.signed_in("caregiver@example.test")
    yesterday = (clock() - timedelta(days=1)).date()
    # 22:59, 23:00 and 05:59 in Stockholm, in winter.
    for n, time in enumerate(("21:59", "22:00", "04:59")):
        at = datetime.fromisoformat(f"{yesterday}T{time}").replace(tzinfo=UTC)
        alert = await _alert(site.database, home, f"n{n}", at, closed=True)
        await _told(site.database, home, home.caregiver, at, kind="alert", subject=alert)

    for path in ("me/alarm-load?days=1", f"residents/{home.space}/alarm-load?days=1"):
        (day,) = (await caregiver.get(path)).json()["days"]
        assert (day["alerts"], day["at_night"]) == (3, 2)


async def test_the_alarm_load_leaves_out_what_one_may_not_see(site, clock):
    home = await a_home(site.database)
    relative = await an_account(site.database, home.org, "relative")
    await a_relation(
        site.database, home.org, relative, space=home.space, permissions=("plan.view",)
    )
    browser = await site.as_account(home.org, relative)
    yesterday = clock() - timedelta(days=1)
    await _alert(site.database, home, "z", yesterday, space=home.resident.medication)

    load = (await browser.get(f"residents/{home.space}/alarm-load?days=1")).json()

    assert load["days"][0]["alerts"] == 0


async def test_what_failed_for_good_is_listed_while_its_alert_is_open_without_content(site, clock):
    home = await a_home(site.database)
    admin = await site.signed_in("admin@example.test")
    opened = await _alert(site.database, home, "open", clock())
    closed = await _alert(site.database, home, "closed", clock(), closed=True)
    for subject, state in ((opened, "failed"), (opened, "sent"), (closed, "failed")):
        await _told(
            site.database, home, new_id(clock()) if state == "sent" else home.caregiver, clock(),
            kind="alert", subject=subject, state=state,
        )  # fmt: skip
    await site.database.sql("UPDATE delivery SET error = 'gone_410'")

    (letter,) = (await admin.get("dead-letters")).json()

    assert letter.keys() == {"id", "kind", "channel", "code", "account", "at"}
    assert (letter["channel"], letter["code"], letter["account"]) == (
        "webpush", "gone_410", str(home.caregiver),
    )  # fmt: skip


async def test_a_manager_sees_the_dead_letters_of_their_units_alone(site, clock):
    home = await a_home(site.database)
    alert = await _alert(site.database, home, "open", clock())
    await _told(
        site.database, home, home.caregiver, clock(), kind="alert", subject=alert, state="failed"
    )
    from builders import a_unit

    elsewhere = await a_unit(site.database, home.org, name="Linden")
    counts = []
    for unit in (home.unit, elsewhere):
        manager = await an_account(site.database, home.org, "manager")
        await a_relation(site.database, home.org, manager, unit=unit, permissions=("care.manage",))
        browser = await site.as_account(home.org, manager)
        counts.append(len((await browser.get("dead-letters")).json()))

    assert counts == [1, 0]


async def test_a_preview_names_the_channels_that_would_be_used_at_each_step(site):
    home = await a_home(site.database)
    await a_phone(site.database, home.org, home.caregiver)
    for channel, when in (("email", "always"), ("sms", "last")):
        await site.database.sql(
            "INSERT INTO contact (org_id, contact_id, account_id, channel, address, when_told, "
            "verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, now(), now())",
            home.org, named_id(home.space, channel), home.caregiver, channel, f"x@{channel}", when,
        )  # fmt: skip
    browser = await site.signed_in("caregiver@example.test")
    asked = {"category": "meal", "criticality": "normal", "at": AT}
    steps = [
        {"tell": "unit", "after": 0},
        {"tell": "all", "after": 5, "by": ["sms"]},
        {"tell": "all", "after": 10},
    ]

    path = f"residents/{home.space}/ladder"
    body = (await browser.post(path, asked | {"steps": steps})).json()

    assert [step["told"][0]["by"] for step in body["steps"]] == [
        ["email", "push"], ["sms"], ["email", "push", "sms"],
    ]  # fmt: skip
