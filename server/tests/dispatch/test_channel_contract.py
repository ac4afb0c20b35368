"""What every channel promises (docs/channels/README.md), asked of each in the same words."""

import asyncio
import json
import tracemalloc
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
import pytest
from http_service import http_service
from mail_service import PASSWORD, mail_service
from push_service import push_service

from mos.dispatch import vapid, webpush
from mos.dispatch.channels.email import Email
from mos.dispatch.channels.message import Message, Service
from mos.dispatch.channels.sms import Sms
from mos.dispatch.channels.webhook import Webhook
from mos.dispatch.outward import open_outward
from mos.kernel.settings import Settings

HERE = ("127.0.0.0/8",)
# Far less than a service needs, and more than this machine does.
SOON = 1.0
MESSAGE = Message(
    id=UUID(int=1), to="+46701234567", subject="Ett larm väntar i MOS",
    text="Ett larm från kl. 08.15 väntar i MOS.\nhttps://mos.example/#/larm", data={"type": "test"},
    secret=b"k" * 32,
)  # fmt: skip


class OverHttp:
    """A channel that posts to a service of ours; `yes` is how that one says that it took it."""

    def __init__(self, service, sender, settings, yes, *, to=None):
        self.service, self.sender, self.yes = service, sender, yes
        self.settings = Service(settings=settings, secret="secret")
        self.message = msgspec.structs.replace(MESSAGE, to=to or MESSAGE.to)

    async def send(self):
        return await self.sender.send(self.settings, self.message)

    async def sent(self):
        self.service.answer = self.yes
        return await self.send()

    async def later(self):
        self.service.answer = (503, {"retry-after": "7"}, b"")
        return await self.send()

    async def refused(self):
        self.service.answer = (400, {}, b"no")
        return await self.send()

    async def gone(self):
        self.service.answer = (410, {}, b"")
        return await self.send()

    async def hangs(self):
        self.service.answer = "hangs"
        return await self.send()

    async def drips(self):
        self.service.answer = "drips"
        return await self.send()

    async def floods(self):
        self.service.answer = "floods"
        result = await self.send()
        assert self.service.poured < 20_000_000
        return result

    async def lies(self):
        self.service.answer = b"OK, message sent, trust me\r\n\r\n"
        return await self.send()

    async def away(self):
        self.service.answer = b""
        return await self.send()


class Gone400(OverHttp):
    """Twilio says 400 of a number that is gone, with a code."""

    async def gone(self):
        self.service.answer = (400, {}, b'{"code": 21610, "message": "opted out"}')
        return await self.send()


class GoneNever(OverHttp):
    """46elks never says of a number that nobody is there."""

    gone = None


@asynccontextmanager
async def over_http(kind):
    async with open_outward(HERE, limit_s=SOON) as outward, http_service() as service:
        elks = (200, {}, json.dumps({"id": "s1", "status": "created", "cost": 3500}).encode())
        twilio = (201, {}, json.dumps({"sid": "SM1", "status": "queued"}).encode())
        stages = {
            "webhook": lambda: OverHttp(
                service, Webhook(outward), {}, (204, {}, b""), to=f"{service.url}/hook"
            ),
            "sms_46elks": lambda: GoneNever(
                service, Sms(outward),
                {"provider": "46elks", "sender": "MOS", "login": "u", "url": service.url}, elks,
            ),
            "sms_twilio": lambda: Gone400(
                service, Sms(outward),
                {"provider": "twilio", "sender": "+46700000000", "login": "AC1",
                 "url": service.url},
                twilio,
            ),
            "sms_gateway": lambda: OverHttp(
                service, Sms(outward),
                {"provider": "gateway", "sender": "MOS", "url": f"{service.url}/sms"},
                (202, {}, b'{"id": "1"}'),
            ),
        }  # fmt: skip
        yield stages[kind]()


class ByMail:
    """E-mail, to a real server or to one that speaks no SMTP."""

    def __init__(self, outward, mail):
        self.mail = mail
        self.sender = Email(outward, "mos.example")
        self.message = msgspec.structs.replace(MESSAGE, to="sam@example.org")

    async def send(self, port=None):
        settings = self.mail.settings | {"port": port or self.mail.port}
        return await self.sender.send(Service(settings=settings, secret=PASSWORD), self.message)

    async def sent(self):
        return await self.send()

    async def later(self):
        self.mail.answers = ["451 4.3.2 Later, please"]
        return await self.send()

    async def refused(self):
        self.mail.answers = ["554 5.7.1 Not from you"]
        return await self.send()

    async def gone(self):
        self.mail.answers = ["550 5.1.1 Nobody here"]
        return await self.send()

    async def lies(self):
        self.mail.after_data = ["OK, all is well"]
        return await self.send()

    async def hangs(self):
        return await self._wrong_server(b"")

    async def drips(self):
        return await self._wrong_server(b"220-")

    async def floods(self):
        return await self._wrong_server(b"220-" + b"x" * 70 + b"\r\n")

    async def away(self):
        return await self.send(port=1)

    async def _wrong_server(self, greeting):
        """Speak to a server that says this again and again, and never comes to an end."""

        async def serve(_reader, writer):
            try:
                while True:
                    writer.write(greeting)
                    await writer.drain()
                    await asyncio.sleep(0 if len(greeting) > 10 else 0.02)
            except (ConnectionError, asyncio.CancelledError):
                writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            return await self.send(port=server.sockets[0].getsockname()[1])
        finally:
            server.close()
            await asyncio.sleep(0.05)


@asynccontextmanager
async def by_mail(tls):
    async with open_outward(HERE, limit_s=SOON) as outward, mail_service(tls) as mail:
        yield ByMail(outward, mail)


class ByPush:
    """Web Push, to a service that checks everything, or to a bare socket."""

    gone_code = 410

    def __init__(self, post, service, raw):
        self.post, self.service, self.raw = post, service, raw
        self.browser = service.subscribe()

    async def send(self, endpoint=None):
        subscription = webpush.Subscription(
            endpoint or self.browser.endpoint, self.browser.p256dh, self.browser.auth
        )
        message = webpush.Message(payload=b"{}", ttl_s=60, tag="t")
        return await webpush.send(self.post, subscription, message)

    async def answered(self, answer):
        self.raw.answer = answer
        return await self.send(f"{self.raw.url}/push/x")

    async def sent(self):
        return await self.send()

    async def later(self):
        return await self.answered((503, {"retry-after": "7"}, b""))

    async def refused(self):
        return await self.answered((400, {}, b""))

    async def gone(self):
        return await self.answered((410, {}, b""))

    async def hangs(self):
        return await self.answered("hangs")

    async def drips(self):
        # A status is all that push needs: what comes after it is not waited for.
        return None

    async def floods(self):
        result = await self.answered("floods")
        assert self.raw.poured < 20_000_000
        return result

    async def lies(self):
        return await self.answered(b"OK, message sent, trust me\r\n\r\n")

    async def away(self):
        return await self.answered(b"")


@asynccontextmanager
async def by_push(folder):
    key = vapid.load_or_make(folder / "vapid.pem")
    settings = Settings(
        app_url="", engine_url="", secrets=folder, app_dir=folder, push_private_hosts=True
    )
    async with (
        push_service() as service,
        http_service() as raw,
        webpush.open_post(key, settings, limit_s=SOON) as post,
    ):
        yield ByPush(post, service, raw)


CHANNELS = ["email", "webhook", "sms_46elks", "sms_twilio", "sms_gateway", "webpush"]


@pytest.fixture(params=CHANNELS)
async def stage(request, server_tls, tmp_path):
    if request.param == "email":
        opened = by_mail(server_tls)
    elif request.param == "webpush":
        opened = by_push(tmp_path)
    else:
        opened = over_http(request.param)
    async with opened as stage:
        yield stage


async def test_what_the_service_took_is_sent(stage):
    assert (await stage.sent()).outcome == "sent"


async def test_a_service_that_is_busy_is_tried_later_as_it_asks(stage):
    result = await stage.later()

    assert result.outcome == "later"
    assert result.retry_after_s in (7.0, None)


async def test_what_is_refused_is_given_up(stage):
    assert (await stage.refused()).outcome == "refused"


async def test_an_address_that_is_gone_is_told_apart_from_a_refusal(stage):
    if stage.gone is not None:
        assert (await stage.gone()).outcome == "gone"


@pytest.mark.parametrize("way", ["hangs", "drips"])
async def test_a_service_that_never_comes_to_an_end_is_left_in_time(stage, way):
    async with asyncio.timeout(5 * SOON):
        result = await getattr(stage, way)()

    assert result is None or (result.outcome, result.code) == ("later", "timeout")


async def test_an_answer_without_end_is_not_kept(stage):
    tracemalloc.start()
    try:
        async with asyncio.timeout(5 * SOON):
            result = await stage.floods()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 20_000_000
    assert len(result.words) <= 300


async def test_words_that_only_sound_like_yes_are_no_yes(stage):
    assert (await stage.lies()).outcome != "sent"


async def test_a_service_that_is_not_there_is_tried_later(stage):
    result = await stage.away()

    assert result.outcome == "later"
