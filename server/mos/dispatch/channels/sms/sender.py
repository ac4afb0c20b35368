"""Hands a message to an SMS gateway, and believes it only when it says so in its own way."""

from typing import Annotated, Literal, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from mos.dispatch.channels.asked import asked, basic, understood
from mos.dispatch.channels.message import Message, Service
from mos.dispatch.channels.result import Result, cut
from mos.dispatch.channels.sms.alphabet import one_message
from mos.dispatch.outward import Answer, Outward

_Said = TypeVar("_Said", bound=Struct)

_FORM = {"content-type": "application/x-www-form-urlencoded", "user-agent": "MOS"}
_ELKS = "https://api.46elks.com"
_TWILIO = "https://api.twilio.com"

# Twilio's codes for numbers at which no message ever arrives: no number, no mobile, opted out.
_NOBODY = frozenset({21211, 21214, 21217, 21610, 21614, 21635})


class SmsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation's gateway. The password or token is the channel's secret."""

    provider: Literal["46elks", "twilio", "gateway"]
    # A number in E.164, up to 11 letters, or with Twilio a messaging service.
    sender: Annotated[str, Meta(min_length=1, max_length=34, pattern=r"^[A-Za-z0-9+ ]+\Z")]
    # 46elks: the API user; Twilio: the account.
    login: Annotated[str, Meta(max_length=100, pattern=r"^[A-Za-z0-9_-]*\Z")] = ""
    # One's own gateway; of the others another region's, in place of the usual one.
    url: Annotated[str, Meta(max_length=2048, pattern=r"^[!-~]*\Z")] = ""
    # What one message costs, in hundredths: what counts against the cap where nobody says better.
    price: Annotated[int, Meta(ge=0, le=10_000)] = 60
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")] = "SEK"


class _Elks(Struct, frozen=True):
    id: str
    status: str
    cost: int | None = None  # in ten thousandths


class _Twilio(Struct, frozen=True):
    sid: str
    status: str
    error_code: int | None = None


class _TwilioError(Struct, frozen=True):
    code: int


class _Gateway(Struct, frozen=True):
    id: Annotated[str, Meta(min_length=1)] | int


class Sms:
    """The channel `sms`."""

    name = "sms"
    is_metered = True

    def __init__(self, outward: Outward) -> None:
        """Post through `outward`."""
        self._outward = outward

    async def send(self, service: Service, message: Message) -> Result:
        """Hand one message to the organisation's gateway; it is never longer than one SMS."""
        settings = msgspec.convert(service.settings, SmsSettings)
        text = one_message(message.text)
        match settings.provider:
            case "46elks":
                return await self._elks(settings, service.secret, message, text)
            case "twilio":
                return await self._twilio(settings, service.secret, message, text)
            case "gateway":
                return await self._gateway(settings, service.secret, message, text)

    async def _elks(
        self, settings: SmsSettings, secret: str, message: Message, text: str
    ) -> Result:
        # `dontlog`: the text is kept nowhere but on the phone.
        form = {"from": settings.sender, "to": message.to, "message": text, "dontlog": "message"}
        answer = await asked(
            self._outward,
            f"{settings.url or _ELKS}/a1/sms",
            urlencode(form).encode(),
            _FORM | {"authorization": basic(settings.login, secret)},
        )
        if isinstance(answer, Result):
            return answer
        if answer.status != 200:
            return understood(answer)
        said = _read(answer, _Elks)
        if said is None:
            return _unclear(answer)
        if said.status not in {"created", "sent", "delivered"}:
            return Result("refused", "not_sent", words=_words(answer))
        # Rounded up: a cap is kept, not met on average.
        cost = None if said.cost is None else -(-said.cost // 100)
        return Result("sent", "", words=_words(answer), cost=cost)

    async def _twilio(
        self, settings: SmsSettings, secret: str, message: Message, text: str
    ) -> Result:
        sender = "MessagingServiceSid" if settings.sender.startswith("MG") else "From"
        answer = await asked(
            self._outward,
            f"{settings.url or _TWILIO}/2010-04-01/Accounts/{settings.login}/Messages.json",
            urlencode({"To": message.to, sender: settings.sender, "Body": text}).encode(),
            _FORM | {"authorization": basic(settings.login, secret)},
        )
        if isinstance(answer, Result):
            return answer
        if answer.status not in {200, 201}:
            error = _read(answer, _TwilioError)
            if answer.status == 400 and error is not None:
                outcome: Literal["gone", "refused"] = "gone" if error.code in _NOBODY else "refused"
                return Result(outcome, f"twilio_{error.code}", words=_words(answer))
            return understood(answer)
        said = _read(answer, _Twilio)
        if said is None:
            return _unclear(answer)
        if said.error_code is not None or said.status in {"failed", "undelivered", "canceled"}:
            code = f"twilio_{said.error_code}" if said.error_code else "not_sent"
            return Result("refused", code, words=_words(answer))
        return Result("sent", "", words=_words(answer))

    async def _gateway(
        self, settings: SmsSettings, secret: str, message: Message, text: str
    ) -> Result:
        body = {"id": str(message.id), "from": settings.sender, "to": message.to, "text": text}
        headers = {"content-type": "application/json", "user-agent": "MOS"}
        if secret:
            headers["authorization"] = f"Bearer {secret}"
        answer = await asked(self._outward, settings.url, msgspec.json.encode(body), headers)
        if isinstance(answer, Result):
            return answer
        if answer.status not in {200, 201, 202}:
            return understood(answer)
        said = _read(answer, _Gateway)
        return _unclear(answer) if said is None else Result("sent", "", words=_words(answer))


def _unclear(answer: Answer) -> Result:
    """Return what it means that a gateway says yes in words that are not its own.

    A page of a proxy, a gateway that was replaced. Not tried again: should the message have left
    after all, each try would be one more, and paid.
    """
    return Result("refused", "unclear", words=_words(answer))


def _read(answer: Answer, kind: type[_Said]) -> _Said | None:
    try:
        return msgspec.json.decode(answer.body, type=kind, strict=False)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        return None


def _words(answer: Answer) -> str:
    return cut(answer.body.decode(errors="replace"))
