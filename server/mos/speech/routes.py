"""What is planned, as sounds: said by a voice, or recorded by somebody."""

from functools import cache
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, put
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from mos.care.routes.given import FromEdge, SignedIn
from mos.speech.actions import clips
from mos.speech.actions.reading import read_aloud
from mos.speech.actions.voice import Voice

AnyRequest = Request[Any, Any, Any]


@cache
def voice() -> Voice:
    """Return the process's voice."""
    return Voice()


@get("/residents/{space:uuid}/speech/{rec:uuid}", tags=["speech"])
async def get_speech(
    space: FromPath[UUID],
    rec: FromPath[UUID],
    request: AnyRequest,
    given: FromEdge,
    me: SignedIn,
) -> Response[bytes | None]:
    """Answer a reminder's or an order's words as a sound: MP3, or WAV where nothing can pack it.

    404 `no_voice` where this server has no voice. With `If-None-Match`: 304 for the same words.
    """
    has = request.headers.get("if-none-match", "")
    said = await read_aloud(given.pool, voice(), me, space, rec, has=has, now=given.now)
    headers = {"etag": said.tag, "cache-control": "private, no-cache"}
    if said.sound is None:
        return Response(None, status_code=304, headers=headers)
    return Response(said.sound.body, headers=headers, media_type=said.sound.kind)


class NewClip(Struct, frozen=True, forbid_unknown_fields=True):
    """A recording, in base64."""

    audio: bytes


@put("/residents/{space:uuid}/clips/{clip:str}", status_code=204, tags=["speech"])
async def put_clip(
    space: FromPath[UUID],
    clip: FromPath[str],
    data: JSONBody[NewClip],
    given: FromEdge,
    me: SignedIn,
) -> None:
    """Keep a clip that reminders refer to, called by its SHA-256 in hex. Again changes nothing.

    400 `no_clip`, `clip_cut_short`, `clip_too_large`, `clip_differs`; 409 `clips_full`.
    """
    await clips.add_clip(given.pool, me, space, clip, audio=data.audio, now=given.now)


@get("/residents/{space:uuid}/clips/{clip:str}", tags=["speech"])
async def get_clip(
    space: FromPath[UUID], clip: FromPath[str], given: FromEdge, me: SignedIn
) -> Response[bytes]:
    """Answer a clip: `audio/webm` or `audio/mp4`. Its name says what it is, so it never changes."""
    found = await clips.read_clip(given.pool, me, space, clip, given.now)
    headers = {"cache-control": "private, max-age=31536000, immutable", "etag": f'"{clip}"'}
    return Response(found.body, headers=headers, media_type=found.kind)


HANDLERS = [get_speech, put_clip, get_clip]
