"""Until when what was asked for can be fetched, and when it is made anew. Pure."""

from datetime import datetime, timedelta

# For so long it can be fetched.
KEPT = timedelta(days=7)

# Asked for again sooner, the answer is the one that is there.
ANEW_AFTER = timedelta(hours=1)

# A worker that was not heard of for so long is gone.
SILENT_AFTER = timedelta(minutes=2)

# So often it is tried.
TRIES = 3


def is_fetchable(asked_at: datetime, now: datetime) -> bool:
    """Say whether what was asked for then can still be fetched."""
    return now < asked_at + KEPT


def is_made_anew(state: str, asked_at: datetime, now: datetime) -> bool:
    """Say whether asking again makes another: where none is on its way, and none is fresh."""
    if state == "failed":
        return True
    return state == "made" and now >= asked_at + ANEW_AFTER
