"""What is ordered for whom. Data only: names and strengths of medicines, no advice about them."""

from dataclasses import dataclass, field
from typing import Any

_EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_PRESCRIBER = "Läkare på vårdcentralen"


@dataclass(frozen=True)
class Ordered:
    """One order of the demo: at `times`, or with `as_needed` when it is needed."""

    drug: str
    strength: str
    form: str = "tablett"
    times: tuple[str, ...] = ()
    text: str = ""
    critical: bool = True
    double: bool = False
    as_needed: dict[str, Any] = field(default_factory=dict)

    def value(self, start: str, zone: str) -> dict[str, Any]:
        """Return the order as its record holds it, from the day `start` on (docs/records.md)."""
        rule = {"zone": zone, "kind": "weekly", "days": _EVERY_DAY, "start": start}
        when = (
            {"kind": "as_needed", **self.as_needed}
            if self.as_needed
            else {"kind": "times", "rule": {**rule, "times": list(self.times)}}
        )
        return {
            "drug": self.drug,
            "strength": self.strength,
            "form": self.form,
            "dose": "1",
            "unit": self.form,
            "route": "oral",
            "from": start,
            "until": None,
            "prescriber": _PRESCRIBER,
            "text": self.text,
            "double": self.double,
            "critical": self.critical,
            "window": None,
            "stopped": None,
            **when,
        }


ORDERS: dict[str, tuple[Ordered, ...]] = {
    "elsa": (Ordered("Metoprolol", "50 mg", times=("07:30", "20:00"), text="Med vatten"),),
    "amir": (),
    "gunnar": (
        Ordered("Metoprolol", "50 mg", times=("08:00", "11:45", "20:15"), text="Med vatten"),
        Ordered(
            "Paracetamol",
            "500 mg",
            critical=False,
            as_needed={
                "why_needed": "Värk",
                "min_interval": "PT6H",
                "max_24h": 3,
                "follow_up": 60,
            },
        ),
    ),
    "maja": (Ordered("Metylfenidat", "36 mg", "kapsel", times=("07:15",), critical=False),),
    "birgitta": (
        Ordered("Levaxin", "75 mikrogram", times=("07:00",), text="På fastande mage"),
        Ordered("Waran", "2,5 mg", times=("20:00",), double=True),
    ),
    "tor": (Ordered("Lamotrigin", "100 mg", times=("14:00", "21:15")),),
}


@dataclass(frozen=True)
class Change:
    """What two nurses change of one order at the same time: the first of the resident's."""

    resident: str
    first: dict[str, Any]
    second: dict[str, Any]


AT_ODDS = Change("gunnar", first={"strength": "25 mg"}, second={"strength": "100 mg"})
