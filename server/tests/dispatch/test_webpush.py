"""Web Push messages: the RFC's own example, the signature, and where a message may go."""

import asyncio
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from push_service import b64, decrypt, point, push_service, unb64

from mos.dispatch import vapid, webpush
from mos.dispatch.outward import is_public
from mos.dispatch.webpush import Message, Subscription

# RFC 8291 §5 and appendix A.
RFC = {
    "plaintext": b"When I grow up, I want to be a watermelon",
    "as_private": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    "ua_private": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
    "ua_public": (
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    ),
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    "salt": "DGv6ra1nlYgDCS1FRnbzlw",
    "body": (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6"
        "TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy"
        "4a-fN"
    ),
}  # fmt: skip


def private(text):
    return ec.derive_private_key(int.from_bytes(unb64(text), "big"), ec.SECP256R1())


def test_the_example_of_rfc_8291_comes_out_byte_for_byte():
    subscription = Subscription("https://push.example", unb64(RFC["ua_public"]), unb64(RFC["auth"]))

    body = webpush.encrypt(
        RFC["plaintext"], subscription, key=private(RFC["as_private"]), salt=unb64(RFC["salt"])
    )

    assert b64(body) == RFC["body"]


def test_the_tests_own_receiver_opens_the_example_of_rfc_8291():
    opened = decrypt(unb64(RFC["body"]), private(RFC["ua_private"]), unb64(RFC["auth"]))

    assert opened == RFC["plaintext"]


def test_two_messages_of_the_same_words_look_different():
    key = ec.generate_private_key(ec.SECP256R1())
    subscription = Subscription("https://push.example", point(key.public_key()), b"0" * 16)

    assert webpush.encrypt(b"{}", subscription) != webpush.encrypt(b"{}", subscription)


def test_a_key_that_is_no_point_and_a_payload_too_long_are_refused():
    with pytest.raises(ValueError, match=r"point|key"):
        webpush.encrypt(b"{}", Subscription("https://push.example", b"\x04" * 65, b"0" * 16))
    good = Subscription("https://push.example", unb64(RFC["ua_public"]), unb64(RFC["auth"]))
    assert len(webpush.encrypt(b"x" * 3993, good)) == 4096
    with pytest.raises(ValueError, match="payload"):
        webpush.encrypt(b"x" * 3994, good)


def test_two_processes_that_start_at_once_sign_with_one_key(tmp_path):
    first = vapid.load_or_make(tmp_path / "vapid.pem")
    second = vapid.load_or_make(tmp_path / "vapid.pem")

    assert first.public_key == second.public_key
    assert len(unb64(first.public_key)) == 65
    assert (tmp_path / "vapid.pem").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["vapid.pem"]


def test_a_signature_is_kept_for_its_service_and_renewed_in_time(tmp_path):
    now = [datetime(2026, 11, 27, 7, tzinfo=UTC)]
    key = vapid.load_or_make(tmp_path / "vapid.pem", contact="https://mos.example")
    key.clock = lambda: now[0]

    first = key.authorization("https://push.example")
    assert key.authorization("https://push.example") == first
    assert key.authorization("https://other.example") != first

    now[0] += timedelta(hours=7)
    assert key.authorization("https://push.example") != first
    claims = msgspec.json.decode(unb64(first.split("t=")[1].split(",")[0].split(".")[1]))
    assert claims["aud"] == "https://push.example"
    assert claims["sub"] == "https://mos.example"
    assert timedelta(0) < datetime.fromtimestamp(claims["exp"], UTC) - now[0] < timedelta(hours=24)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d70e", True),
        ("2002:7f00:1::1", False),
    ],
)
def test_only_public_addresses_are_public(address, public):
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x",
        "https://localhost/x",
        "https://127.0.0.1:8443/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://0x7f.1/x",
        "https://user@127.0.0.1/x",
        "ftp://push.example/x",
        "nothing at all",
        "",
    ],
)
async def test_an_endpoint_inside_the_servers_own_network_is_never_called(database, endpoint):
    settings = msgspec.structs.replace(database.settings, push_private_hosts=False)
    key = vapid.load_or_make(settings.secrets / "vapid.pem")
    subscription = Subscription(endpoint, unb64(RFC["ua_public"]), unb64(RFC["auth"]))

    async with webpush.open_post(key, settings) as post:
        result = await webpush.send(post, subscription, Message(payload=b"{}", ttl_s=1, tag="t"))

    assert result == webpush.Result("refused", "blocked")


async def test_a_name_that_leads_inside_is_refused_at_the_connection(database):
    settings = msgspec.structs.replace(database.settings, push_private_hosts=False)
    key = vapid.load_or_make(settings.secrets / "vapid.pem")
    async with push_service() as service:
        port = service.url.rpartition(":")[2]
        subscription = Subscription(
            f"https://localhost:{port}/push/x", unb64(RFC["ua_public"]), unb64(RFC["auth"])
        )
        async with webpush.open_post(key, settings) as post:
            await webpush.send(post, subscription, Message(payload=b"{}", ttl_s=1, tag="t"))

        assert service.posts == []


async def test_a_rewritten_origin_is_called_and_signed_for_by_its_own_name(database):
    async with push_service() as service:
        browser = service.subscribe()
        real, service.url = service.url, "https://push.example"
        settings = msgspec.structs.replace(
            database.settings,
            push_private_hosts=False,
            push_rewrite=("https://push.example", real),
        )
        key = vapid.load_or_make(settings.secrets / "vapid.pem")
        endpoint = f"https://push.example/push/{browser.name}"
        async with webpush.open_post(key, settings) as post:
            result = await webpush.send(
                post,
                Subscription(endpoint, browser.p256dh, browser.auth),
                Message(payload=b'{"kind": "test", "nonce": "1"}', ttl_s=60, tag="ring-test"),
            )

        assert result.outcome == "sent"
        assert browser.told == [{"kind": "test", "nonce": "1"}]
        headers = service.posts[0]
        assert (headers["ttl"], headers["urgency"]) == ("60", "high")
        assert len(headers["topic"]) == 32


async def test_a_service_that_is_not_there_is_tried_later(database):
    key = vapid.load_or_make(database.settings.secrets / "vapid.pem")
    async with push_service() as service:
        endpoint = f"{service.url}/push/x"
    async with webpush.open_post(key, database.settings) as post:
        result = await webpush.send(
            post,
            Subscription(endpoint, unb64(RFC["ua_public"]), unb64(RFC["auth"])),
            Message(payload=b"{}", ttl_s=1, tag="t"),
        )

    assert (result.outcome, result.code) == ("later", "unreachable")


async def test_a_service_whose_certificate_does_not_hold_is_tried_later(database, server_tls):
    key = vapid.load_or_make(database.settings.secrets / "vapid.pem")
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", ssl=server_tls)
    async with server, webpush.open_post(key, database.settings) as post:
        port = server.sockets[0].getsockname()[1]
        result = await webpush.send(
            post,
            Subscription(
                f"https://localhost:{port}/x", unb64(RFC["ua_public"]), unb64(RFC["auth"])
            ),
            Message(payload=b"{}", ttl_s=1, tag="t"),
        )

    assert (result.outcome, result.code) == ("later", "tls")
