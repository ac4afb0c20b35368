"""Hybrid logical clocks: 12 hex of milliseconds, 4 hex counter, 16 hex of the device. Pure.

Plain byte order is the order. The app's twin is pwa/src/offline/hlc.ts; spec/vectors/hlc.json
holds the two together.
"""

from collections.abc import Iterable, Iterator

# Smaller than every clock.
NEVER = ""


def millis(hlc: str) -> int:
    """Return the milliseconds since 1970 UTC that a clock shows; 0 for NEVER."""
    return int(hlc[:12] or "0", 16)


def send(last: str, now_ms: int, actor: str) -> str:
    """Return the clock of a new change: later than `last`, and not before `now_ms`."""
    return _hlc(max(_tick(last) + 1, now_ms << 16), actor) if last else _hlc(now_ms << 16, actor)


def receive(last: str, remote: str, now_ms: int, actor: str) -> str:
    """Return what a device's clock reads after it saw `remote`: later than both."""
    return send(max(last, remote, key=_tick), now_ms, actor)


def clamp(claimed: Iterable[str], *, floor: str, now_ms: int, limit_ms: int) -> Iterator[str]:
    """Yield a clock for each claimed one of a device, in the order of its ops (by n).

    One that is no more than `limit_ms` ahead of the server's `now_ms` stays; so does one that is
    no later than `floor`, as where the server's clock was set back. Another is stamped
    anew at `now_ms`, but after every clock of this device that the server has kept: `floor` and
    those before it here. So the device's own order survives, and nothing is refused.
    """
    for hlc in claimed:
        is_near = millis(hlc) <= now_ms + limit_ms or _tick(hlc) <= _tick(floor)
        kept = hlc if is_near else send(floor, now_ms, hlc[16:])
        yield kept
        floor = max(floor, kept, key=_tick)


def _tick(hlc: str) -> int:
    # Milliseconds and counter are one number, so a full counter carries into the milliseconds.
    return int(hlc[:16] or "0", 16)


def _hlc(tick: int, actor: str) -> str:
    return f"{tick:016x}{actor}"
