"""The server's voice: espeak-ng says it, lame makes it small. Both are programs of the system.

What was said is kept in memory alone, and not for long: it takes some 20 ms to say it again, and
nothing that was planned for somebody lies on a disk where an erasure does not reach.
"""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections import OrderedDict

from mos.kernel.errors import NotFound
from mos.speech.model import Sound, Words

_VOICES = {"sv": "sv", "en": "en-gb", "fi": "fi"}
# Words a minute: slower than people talk, for people who listen hard.
_PACE = "135"
_SECONDS = 10
_AT_ONCE = 2
_MOST_KEPT = 256
_MOST_BYTES = 3_000_000


class Voice:
    """Says words. One for the process."""

    def __init__(self, *, speaker: str | None = "espeak-ng", packer: str | None = "lame") -> None:
        """Say by these programs; without a `packer` sounds are WAV files."""
        self._speaker = speaker
        self._packer = packer
        self._kept: OrderedDict[Words, Sound] = OrderedDict()
        self._room = asyncio.Semaphore(_AT_ONCE)

    @property
    def name(self) -> str:
        """Return what tells this voice from one that sounds otherwise; raises NotFound."""
        self._require()
        return f"espeak-ng {_PACE} {'mp3' if _there(self._packer) else 'wav'}"

    async def say(self, words: Words) -> Sound:
        """Return the words as a sound. Raises NotFound where there is no voice for them."""
        kept = self._kept.get(words)
        if kept is not None:
            self._kept.move_to_end(words)
            return kept
        async with self._room:
            sound = await self._said(words)
        self._kept[words] = sound
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return sound

    async def _said(self, words: Words) -> Sound:
        voice = _VOICES.get(words.language)
        if voice is None:
            raise _no_voice()
        # The words go in by themselves, not as an argument: they may begin with a dash.
        spoken = await _run(
            words.text.encode(), self._require(), "-v", voice, "-s", _PACE, "--stdin", "--stdout"
        )
        packer = _there(self._packer)
        if packer is None:
            return Sound("audio/wav", spoken)
        packed = await _run(spoken, packer, "--quiet", "-m", "m", "-b", "32", "-", "-")
        return Sound("audio/mpeg", packed)

    def _require(self) -> str:
        # Looked for each time: `mos up` may bring it while we run.
        speaker = _there(self._speaker)
        if speaker is None:
            raise _no_voice()
        return speaker


def _there(program: str | None) -> str | None:
    return shutil.which(program) if program else None


async def _run(given: bytes, *command: str) -> bytes:
    """Return what a program makes of `given`; raises NotFound when it fails, hangs or is silent."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(_SECONDS):
            made, _ = await process.communicate(given)
    except TimeoutError as error:
        raise _no_voice() from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not 0 < len(made) <= _MOST_BYTES:
        raise _no_voice()
    return made


def _no_voice() -> NotFound:
    return NotFound("This server has no voice for that.", code="no_voice")
