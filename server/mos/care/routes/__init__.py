"""HTTP for care: decode, call one action, answer. What deals in cookies is in `mos.web.doors`."""

from mos.care.routes import (
    account,
    channels,
    contacts,
    devices,
    duty,
    emergencies,
    identities,
    ladders,
    passkeys,
    people,
    pins,
    quarantine,
    relations,
    residents,
    second_factor,
    units,
)

HANDLERS = [
    *account.HANDLERS,
    *passkeys.HANDLERS,
    *pins.HANDLERS,
    *second_factor.HANDLERS,
    *identities.HANDLERS,
    *contacts.HANDLERS,
    *channels.HANDLERS,
    *units.HANDLERS,
    *people.HANDLERS,
    *residents.HANDLERS,
    *quarantine.HANDLERS,
    *relations.HANDLERS,
    *emergencies.HANDLERS,
    *devices.HANDLERS,
    *ladders.HANDLERS,
    *duty.HANDLERS,
]
