"""HTTP for care: decode, call one action, answer. What deals in cookies is in `mos.web.doors`."""

from mos.care.routes import account, devices, people, quarantine, relations, residents, units

HANDLERS = [
    *account.HANDLERS,
    *units.HANDLERS,
    *people.HANDLERS,
    *residents.HANDLERS,
    *quarantine.HANDLERS,
    *relations.HANDLERS,
    *devices.HANDLERS,
]
