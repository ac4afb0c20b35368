"""What happens in a seed: a list of steps that says everything, so that a trace needs no dice.

Few records, few groups, few moments: otherwise nothing ever meets. Each seed leaves some kinds of
step and of fault out (a swarm): what hides behind a frequent one shows when that is missing.
"""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

from mos.ops.sim.reference import Json

START_MS = 1_796_000_000_000  # late November 2026
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

ALL_WORDS = [
    *("alert.take", "meals.edit", "medication.confirm", "medication.edit"),
    *("outcome.record", "plan.edit", "plan.view"),
]
# Somebody who may propose and not confirm.
_SOME_WORDS = ["medication.edit", "outcome.record", "plan.view"]
_GAPS = [0, 0, 0, 1, 1, 20, 500, 500, 4000, 15_000, 70_000]
_LONG_GAPS = [HOUR_MS, 5 * HOUR_MS, 25 * HOUR_MS]

# Kinds of step beside writing and meeting the server, and of fault.
_STEPS = (
    *("crash", "wipe", "clock", "revoke", "freeze", "restore", "bad", "second", "forget"),
    *("order", "resolve", "group", "erase", "tend", "dose", "two", "upgrade", "server_clock"),
)
# In one seed of six a disk is copied: put back from an image, or into another device.
_COPIED = 1 / 6
_FAULTS = ("no_request", "no_answer", "cut", "late", "twice", "undone")

Plan = dict[str, Any]


def make_plan(seed: int) -> Plan:
    """Return the plan of a seed, always the same."""
    return _Maker(seed).plan()


class _Maker:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._dice = Random(seed)  # noqa: S311  a repeatable game
        self._on = {name for name in (*_STEPS, *_FAULTS) if self._dice.random() < 0.5}
        self._devices = self._dice.choice([2, 2, 3])
        self._spaces = self._dice.choice([1, 1, 2])
        self._cut_off: dict[int, tuple[int, list[str]]] = {}
        self._at = 0

    def plan(self) -> Plan:
        dice = self._dice
        accounts = list(range(self._devices))
        if dice.random() < 0.3:
            accounts[1] = accounts[0]
        steps = []
        for _ in range(dice.randint(12, 40)):
            self._at += dice.choice(_LONG_GAPS if dice.random() < 0.06 else _GAPS)
            steps += self._steps()
        steps = self._with_copies(steps)
        return {
            "seed": self._seed,
            "spaces": self._spaces,
            "accounts": accounts,
            "off": sorted({*_STEPS, *_FAULTS} - self._on),
            "steps": steps,
        }

    def _with_copies(self, steps: list[Json]) -> list[Json]:
        """Return the steps with disks copied between them, in some seeds; the rest stays as it is.

        By dice of its own: whatever else a seed does, it does with and without.
        """
        dice = Random(f"copies {self._seed}")  # noqa: S311  a repeatable game
        if dice.random() >= _COPIED:
            return steps
        device, other = dice.sample(range(self._devices), 2)
        first, later = sorted(dice.choices(range(len(steps)), k=2))
        if dice.random() < 0.5:
            copies = {first: {"do": "image", "d": device}, later: {"do": "put_back", "d": device}}
        else:
            copies = {first: {"do": "twin", "d": other, "of": device}}
        return [
            each
            for place, step in enumerate(steps)
            for each in (
                *([{"at": step["at"]} | copies[place]] if place in copies else []),
                step,
            )
        ]

    def _steps(self) -> list[Json]:
        device = self._dice.randrange(self._devices)
        kind = self._dice.choice(self._kinds())
        story = {"two": self._sign_by_two, "dose": self._give_twice}.get(kind)
        if story is not None:
            return story(device)
        step = self._step(kind, device)
        return [{"at": self._at} | step]

    def _kinds(self) -> list[str]:
        kinds = ["write"] * 9 + ["sync"] * 8 + sorted(self._on & set(_STEPS))
        # Safety and its conflicts need several steps in a row to become interesting.
        return kinds + [name for name in ("order", "resolve") if name in self._on] * 4

    def _step(self, kind: str, device: int) -> Json:
        make: Callable[[int], Json] | None = {
            "write": self._write,
            "bad": self._write_badly,
            "order": self._propose,
            "resolve": self._resolve,
            "group": self._write_group,
            "upgrade": self._upgrade,
            "server_clock": self._move_server_clock,
            "erase": self._erase,
            "tend": self._tend,
            "sync": self._sync,
            "second": self._sync_beside,
            "clock": self._move_clock,
            "revoke": self._grant,
            "freeze": self._freeze,
            "restore": self._restore,
        }.get(kind)
        return make(device) if make else {"do": kind, "d": device}

    def _write(self, device: int) -> Json:
        return {"do": "write", "d": device, "s": self._space(), "ops": self._ops()}

    def _propose(self, device: int) -> Json:
        dice = self._dice
        v: Json = {"dose": dice.choice(["5", "10"])}
        if dice.random() < 0.5:
            v["times"] = [dice.choice(["08:00", "20:00"])]
        if dice.random() < 0.15:
            v["double"] = True
        op = {"k": "safety", "coll": "order", "rec": 6 + dice.randrange(2), "v": v}
        return {"do": "write", "d": device, "s": self._space(), "ops": [op]}

    def _resolve(self, device: int) -> Json:
        choose = self._dice.choice(["active", "first", "last"])
        rec = 6 + self._dice.randrange(2)
        return {"do": "resolve", "d": device, "s": self._space(), "rec": rec, "choose": choose}

    def _told(self, steps: list[Json]) -> list[Json]:
        """Return steps one after the other, each when the one before is over."""
        told = []
        for step in steps:
            self._at += 100
            told.append({"at": self._at} | step)
        return told

    def _sign_by_two(self, device: int) -> list[Json]:
        """Let two people make an order that takes two, and one of them change it."""
        space, rec, other = self._space(), 6 + self._dice.randrange(2), self._other(device)
        met: list[Json] = [{"do": "sync", "d": each, "net": []} for each in (device, other)]
        order = {"k": "safety", "coll": "order", "rec": rec}
        wrote: Json = {"do": "write", "d": device, "s": space}
        chose: Json = {"do": "resolve", "d": other, "s": space, "rec": rec, "choose": "last"}
        asked = wrote | {"ops": [order | {"v": {"dose": "5", "double": True}}]}
        alone = wrote | {"ops": [order | {"v": {"dose": self._dice.choice(["7", "9"])}}]}
        return self._told([met[0], asked, *met, chose, met[1], met[0], alone, met[0]])

    def _give_twice(self, device: int) -> list[Json]:
        """Let two people give what may be the same dose, whether they have heard of it or not."""
        space, rec = self._space(), 6 + self._dice.randrange(2)
        gave: list[Json] = [
            {"do": "write", "d": each, "s": space, "ops": [self._dose(rec)]}
            for each in (device, self._other(device))
        ]
        return self._told(gave[: self._dice.choice([1, 2])])

    def _dose(self, rec: int) -> Json:
        hour = self._dice.choice(["08", "20"])
        v = {"occ": f"{record_id(rec)}@2026-11-29T{hour}:00", "at": "2026-11-29T08:00:00Z"}
        return {"k": "event", "coll": "completion", "v": v | {"st": "done"}}

    def _other(self, device: int) -> int:
        return (device + 1) % self._devices

    def _upgrade(self, device: int) -> Json:
        if self._dice.random() < 0.5:
            return {"do": "upgrade_server"}
        return {"do": "upgrade_app", "d": device}

    def _move_server_clock(self, _device: int) -> Json:
        steps = [-HOUR_MS, -90_000, -1000, 1000, 90_000, HOUR_MS]
        return {"do": "server_clock", "by": self._dice.choice(steps)}

    def _write_group(self, device: int) -> Json:
        ops = [self._op() for _ in range(self._dice.choice([2, 3]))]
        if self._dice.random() < 0.5:
            ops.append(self._bad())
        return {"do": "write", "d": device, "s": self._space(), "ops": ops, "group": True}

    def _write_badly(self, device: int) -> Json:
        return {"do": "write", "d": device, "s": self._space(), "ops": [self._bad()]}

    def _sync_beside(self, device: int) -> Json:
        return self._sync(device) | {"tab": 1}

    def _freeze(self, _device: int) -> Json:
        return {"do": "freeze", "s": self._space(), "on": self._dice.random() < 0.5}

    def _restore(self, _device: int) -> Json:
        return {"do": self._dice.choice(["save", "restore"])}

    def _erase(self, _device: int) -> Json:
        # Not often: there is little to see afterwards.
        if self._dice.random() < 0.7:
            return self._tend(_device)
        return {"do": "erase", "s": self._space()}

    def _tend(self, _device: int) -> Json:
        """Let months go by, now and then, and the worker look after the past."""
        if self._dice.random() < 0.4:
            self._at += self._dice.choice([50, 100, 150, 200]) * DAY_MS
        what = self._dice.choice(["compact", "archive"])
        return {"at": self._at, "do": what, "s": self._space()}

    def _move_clock(self, device: int) -> Json:
        steps = [-3 * DAY_MS, -HOUR_MS, -90_000, 90_000, HOUR_MS, 3 * DAY_MS]
        return {"do": "clock", "d": device, "by": self._dice.choice(steps)}

    def _grant(self, device: int) -> Json:
        words = self._dice.choice([None, None, ALL_WORDS, ["plan.view"], ALL_WORDS, _SOME_WORDS])
        return {"do": "grant", "d": device, "s": self._space(), "words": words}

    def _space(self) -> int:
        return self._dice.randrange(self._spaces)

    def _sync(self, device: int) -> Json:
        dice = self._dice
        if dice.random() < 0.12:
            ways = sorted(self._on & {"no_request", "no_answer"})
            if ways:
                self._cut_off[device] = self._at + dice.choice([10_000, HOUR_MS]), ways
        step: Json = {"do": "sync", "d": device, "net": [self._fate(device) for _ in range(4)]}
        if "crash" in self._on and dice.random() < 0.15:
            step["crash"] = dice.randrange(5)
        if dice.random() < 0.25:
            step["limit"] = dice.choice([1, 2, 3])
        return step

    def _fate(self, device: int) -> list[Any]:
        """Return [fault, ms there, ms back], and for some faults how much later."""
        dice = self._dice
        there, back = dice.choice([0, 1, 5, 400]), dice.choice([0, 1, 5, 400])
        until, ways = self._cut_off.get(device, (0, []))
        faults = sorted(self._on & set(_FAULTS))
        if self._at < until:
            fault = dice.choice(ways)
        elif faults and dice.random() < 0.3:
            fault = dice.choice(faults)
        else:
            return ["ok", there, back]
        return [fault, there, back, dice.choice([5, 600, 30_000, HOUR_MS])]

    def _ops(self) -> list[Json]:
        return [self._op() for _ in range(self._dice.choice([1, 1, 1, 2, 3]))]

    def _op(self) -> Json:
        dice = self._dice
        rec = dice.randrange(3)
        match dice.choice(["set"] * 5 + ["event"] * 3 + ["profile", "alert", "retract"]):
            case "set":
                groups = {"title": dice.choice("ab"), "note": dice.choice([None, 1, {"x": [1]}])}
                groups["deleted"] = dice.random() < 0.5
                kept = dice.sample(sorted(groups), dice.choice([1, 1, 2]))
                return {"k": "set", "coll": "reminder", "rec": rec,
                        "f": {name: groups[name] for name in kept}}  # fmt: skip
            case "event":
                return self._dose(rec)
            case "retract":
                return {"k": "event", "coll": "retract", "v": {"of": rec}}
            case "profile":
                return {"k": "set", "coll": "profile", "rec": 3, "f": {"name": dice.choice("xy")}}
            case _:
                return {"k": "set", "coll": "alert", "rec": 4, "f": {"taken": dice.choice("xy")}}

    def _bad(self) -> Json:
        return self._dice.choice(
            [
                {"k": "set", "coll": "reminder", "rec": 0, "f": {"title": 7}},
                {"k": "set", "coll": "alert", "rec": 4, "f": {"what": "x"}},
                {"k": "set", "coll": "profile", "rec": 0, "f": {"name": "taken"}},
                {"k": "set", "coll": "later", "rec": 5, "f": {"name": "unknown"}},
                {"k": "event", "coll": "reminder", "v": {}},
            ]
        )


def record_id(number: int) -> str:
    """Return the id of the plan's record of that number."""
    return str(UUID(int=(0x0193B3A1 << 96) | (0x7 << 76) | (0b10 << 62) | number))


def made_id(ms: int, maker: int, count: int) -> str:
    """Return a UUIDv7 for a maker's `count`th id, made at `ms`; its last 8 digits are its own."""
    mixed = (maker * 2_654_435_761 + count * 40_503_003 + 12_345) & 0xFFFFFFFF
    low = (0b10 << 62) | (maker << 40) | mixed
    return str(
        UUID(int=((ms & ((1 << 48) - 1)) << 80) | (0x7 << 76) | ((count & 0xFFF) << 64) | low)
    )
