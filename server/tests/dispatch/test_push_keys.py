"""The key that signs push is changed without any device falling silent."""

import asyncio
import stat
from datetime import UTC, datetime

import pytest
from builders import a_home
from engine_world import a_world
from push_service import b64, push_service

from mos.dispatch import vapid, webpush
from mos.dispatch.channels.result import Result
from mos.dispatch.webpush import Message, Subscription
from mos.worker.loop import Worker

NOW = datetime(2026, 11, 27, 7, tzinfo=UTC)
MESSAGE = Message(payload=b'{"kind":"test","nonce":"1"}', ttl_s=60, tag="t")


def signer(post):
    """Return the public key that a message was signed with."""
    return post["authorization"].split("k=")[1]


def test_a_new_key_stands_beside_the_old_one(tmp_path):
    before = vapid.load_or_make(tmp_path / "vapid.pem")

    kept = vapid.renew(tmp_path, NOW)

    after = vapid.load_or_make(tmp_path / "vapid.pem")
    assert after.public_key != before.public_key
    assert kept.name == "vapid-20261127T070000Z.pem"
    assert [key.public_key for key in vapid.load_older(tmp_path)] == [before.public_key]
    assert sorted(file.name for file in tmp_path.iterdir()) == [kept.name, "vapid.pem"]
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_who_subscribed_before_is_told_by_the_old_key_and_who_did_after_by_the_new(database):
    folder = database.settings.secrets
    old = vapid.load_or_make(folder / "vapid.pem")
    vapid.renew(folder, NOW)
    new = vapid.load_or_make(folder / "vapid.pem")
    async with (
        push_service() as service,
        webpush.open_post(new, database.settings, older=vapid.load_older(folder)) as post,
    ):
        for point in (old.point, new.point, None):
            browser = service.subscribe()
            bound = Subscription(browser.endpoint, browser.p256dh, browser.auth, point)
            assert (await webpush.send(post, bound, MESSAGE)).outcome == "sent"

        assert [signer(one) for one in service.posts] == [
            old.public_key, new.public_key, new.public_key,
        ]  # fmt: skip


async def test_a_device_whose_key_is_lost_counts_as_gone_and_is_asked_of_nobody(database):
    other = vapid.load_or_make(database.settings.secrets / "other.pem")
    key = vapid.load_or_make(database.settings.secrets / "vapid.pem")
    async with push_service() as service, webpush.open_post(key, database.settings) as post:
        browser = service.subscribe()
        bound = Subscription(browser.endpoint, browser.p256dh, browser.auth, other.point)

        assert await webpush.send(post, bound, MESSAGE) == Result("gone", "key_lost")
        assert service.posts == []


async def test_a_worker_rings_devices_of_both_keys(database):
    async with a_world(database) as world:
        old = world.post.vapid
        await database.sql("UPDATE device SET push_key = $1", old.point)
        _, phone = await world.phone(world.home.resident.account)
        folder = database.settings.secrets
        vapid.renew(folder, NOW)
        new = vapid.load_or_make(folder / "vapid.pem")
        older = vapid.load_older(folder)
        await database.sql(
            "UPDATE device SET push_key = $1 WHERE push_endpoint = $2", new.point, phone.endpoint
        )
        await world.plan("08:00")
        async with webpush.open_post(new, database.settings, older=older) as post:
            worker = Worker(database.app, database.engine, post, world.messengers)
            await worker.tick(world.local("08:00"))
            await worker.idle()
            await worker.close()

        assert {signer(one) for one in world.service.posts} == {old.public_key, new.public_key}
        assert len(world.rings()) == len(phone.told) == 1


async def test_a_message_that_is_too_large_is_sent_once_more_without_content(database):
    key = vapid.load_or_make(database.settings.secrets / "vapid.pem")
    async with push_service() as service, webpush.open_post(key, database.settings) as post:
        browser = service.subscribe()
        bound = Subscription(browser.endpoint, browser.p256dh, browser.auth)
        service.answers = [413]

        assert (await webpush.send(post, bound, MESSAGE)).outcome == "sent"
        assert browser.told == [None]

        service.answers = [413, 413]
        assert await webpush.send(post, bound, MESSAGE) == Result("refused", "http_413")
        assert len(service.posts) == 4


async def test_a_device_says_to_which_key_it_is_bound(site):
    await a_home(site.database)
    browser = await site.signed_in("caregiver@example.test")
    ours = (await browser.get("push-key")).json()["key"]
    body = {
        "endpoint": "https://push.example.com/abc", "p256dh": b64(b"\x04" + b"p" * 64),
        "auth": b64(b"a" * 16),
    }  # fmt: skip
    path = f"devices/{browser.device}/push"

    assert (await browser.put(path, body | {"key": ours})).status_code == 204
    [row] = await site.database.sql("SELECT push_key FROM device")
    assert b64(row["push_key"]) == ours

    answer = await browser.put(path, body | {"key": b64(b"\x04" + b"x" * 64)})
    assert (answer.status_code, answer.json()["field"]) == (400, "key")


async def test_the_operator_sees_which_key_no_device_needs_any_more(database, monkeypatch, capsys):
    from mos.ops import vapid as command

    folder = database.settings.secrets
    monkeypatch.setenv("MOS_APP_URL", database.settings.app_url)
    monkeypatch.setenv("MOS_ENGINE_URL", database.settings.engine_url)
    monkeypatch.setenv("MOS_KEYS_APP_URL", database.settings.keys_url)
    monkeypatch.setenv("MOS_SECRETS", str(folder))
    home = await a_home(database)
    old = vapid.load_or_make(folder / "vapid.pem")
    await database.sql(
        "INSERT INTO device (org_id, device_id, account_id, push_endpoint, push_key, created_at, "
        "seen_at) VALUES ($1, $1, $2, 'https://push.example/1', $3, now(), now())",
        home.org, home.caregiver, old.point,
    )  # fmt: skip

    await asyncio.to_thread(command.renew)
    await asyncio.to_thread(command.show)
    said = capsys.readouterr().out
    assert "vapid.pem  0 devices\n" in said
    assert "Z.pem  1 devices\n" in said

    await database.sql(
        "UPDATE device SET push_key = $1", vapid.load_or_make(folder / "vapid.pem").point
    )
    await asyncio.to_thread(command.show)
    assert "Z.pem  0 devices  no device left: the file can go" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"not a key"])
def test_a_file_that_holds_no_key_is_named(tmp_path, content):
    (tmp_path / "vapid-20260101T000000Z.pem").write_bytes(content)

    with pytest.raises(ValueError, match="vapid-20260101"):
        vapid.load_older(tmp_path)
