"""What a reminder or an order says of itself, and what a clip is. Pure."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from mos.medication.rules import plan_of
from mos.speech.model import Planned, Words
from mos.speech.rules.clips import kind_of, name_of

__all__ = ["clips_of", "kind_of", "name_of", "tag_of", "words_of"]

# Longer than a title and a note can be together.
_MOST_LETTERS = 500

# Two brackets begin phonemes for the voice, and no person's words.
_MARKS = str.maketrans(dict.fromkeys("[]<>_*#|", " "))


def words_of(planned: Planned, language: str) -> Words | None:
    """Return what is said of a record, title first; None where it says nothing."""
    groups = planned.doc if planned.coll == "reminder" else plan_of(planned.doc)
    if groups is None or groups.get("deleted") is True:
        return None
    parts = [str(groups.get(name) or "").strip().rstrip(".") for name in ("title", "note")]
    text = ". ".join(part for part in parts if part)
    said = " ".join(text.translate(_MARKS).split())[:_MOST_LETTERS]
    return Words(language, said) if said else None


def tag_of(words: Words, voice: str) -> str:
    """Return the ETag of words said by a voice: the same words sound the same."""
    made_of = f"{voice}\n{words.language}\n{words.text}"
    return f'"{hashlib.sha256(made_of.encode()).hexdigest()[:32]}"'


_CLIP = re.compile(r"[0-9a-f]{64}")


def clips_of(reminders: Iterable[dict[str, Any]]) -> set[bytes]:
    """Return the ids of the clips that reminders refer to; those that are deleted refer to none."""
    groups = [doc.get("clip") for doc in reminders if doc.get("deleted") is not True]
    names = [str(group.get("id")) for group in groups if isinstance(group, dict)]
    return {bytes.fromhex(name) for name in names if _CLIP.fullmatch(name)}
