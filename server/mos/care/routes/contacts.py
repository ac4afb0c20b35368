"""Where oneself is told beside one's devices."""

from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody

from mos.care import store
from mos.care.actions import contacts
from mos.care.model import Actor
from mos.care.routes.given import FromEdge, Given, SignedIn
from mos.db import Scope


@get("/me/contacts", tags=["contacts"])
async def get_contacts(given: FromEdge, me: SignedIn) -> list[store.Contact]:
    """List your contacts, oldest first."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await contacts.list_own(db, me)


@post("/me/contacts", tags=["contacts"])
async def post_contact(
    data: JSONBody[contacts.NewContact], given: FromEdge, me: SignedIn
) -> contacts.ContactAdded:
    """Add a contact and send a code there. `sent` and `code` say whether its service took it.

    409 `channel_off` where the channel is not set up; 429 after 20 messages in a day.
    """
    return await contacts.add(desk(given, me), data)


@post("/me/contacts/{contact_id:uuid}/code", status_code=200, tags=["contacts"])
async def post_contact_code(
    contact_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> contacts.Sent:
    """Send a new code; the one before counts no more."""
    return await contacts.send_code(desk(given, me), contact_id)


@post("/me/contacts/{contact_id:uuid}/verify", status_code=200, tags=["contacts"])
async def post_contact_verify(
    contact_id: FromPath[UUID], data: JSONBody[contacts.Code], given: FromEdge, me: SignedIn
) -> store.Contact:
    """Prove a contact by the code that arrived there: 6 digits, 10 minutes, 5 tries.

    400 `code_wrong`; 409 `code_ended`: ask for a new one.
    """
    return await contacts.verify(desk(given, me), contact_id, data)


@patch("/me/contacts/{contact_id:uuid}", tags=["contacts"])
async def patch_contact(
    contact_id: FromPath[UUID],
    data: JSONBody[contacts.ContactChange],
    given: FromEdge,
    me: SignedIn,
) -> store.Contact:
    """Change a contact's label, or when it is told."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        return await contacts.change(db, me, contact_id, data)


@delete("/me/contacts/{contact_id:uuid}", tags=["contacts"])
async def delete_contact(contact_id: FromPath[UUID], given: FromEdge, me: SignedIn) -> None:
    """Remove a contact: nothing more is sent there."""
    async with given.pool.transaction(Scope(org=me.org)) as db:
        await contacts.remove(db, me, contact_id)


@post("/me/contacts/{contact_id:uuid}/test", status_code=200, tags=["contacts"])
async def post_contact_test(
    contact_id: FromPath[UUID], given: FromEdge, me: SignedIn
) -> contacts.Sent:
    """Send a test message to a contact that has been proved; else 409 `unverified`."""
    return await contacts.test(desk(given, me), contact_id)


def desk(given: Given, me: Actor) -> contacts.Desk:
    """Return what sends messages for whoever asks."""
    return contacts.Desk(given.pool, given.door, given.messengers, me, given.now)


HANDLERS = [
    get_contacts,
    post_contact,
    post_contact_code,
    post_contact_verify,
    patch_contact,
    delete_contact,
    post_contact_test,
]
