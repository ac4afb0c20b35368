"""Passkeys (WebAuthn level 3): kept, named, and answered with at the door and in a step-up.

The authenticator proves that it holds the private key and that it knows its person (user
verification: a finger, a face, a PIN). A passkey names its account, so nobody types an address.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from mos.care import rules, store
from mos.care.actions import challenges
from mos.care.actions.doorkeeper import Doorkeeper, failed, forgiven, require_client
from mos.care.actions.noting import note, note_failed
from mos.care.actions.permit import no_such
from mos.care.actions.relying_party import RelyingParty
from mos.care.actions.sessions import Bearer, Opened, Where, open_session, step_up
from mos.care.actions.step_up import require_step_up
from mos.care.actions.text import Name, named
from mos.care.model import Actor
from mos.db import Db, Pool, Scope, UniqueViolation
from mos.kernel.errors import Conflict, Forbidden, Invalid, Unauthenticated
from mos.kernel.ids import new_id

_MOST = 20
_UUID_BYTES = 16
_T = TypeVar("_T")

Coded = Annotated[str, Meta(max_length=8192, pattern=r"^[A-Za-z0-9_=-]*\Z")]


class AnswerParts(Struct, frozen=True, rename="camel"):
    """What an authenticator returned, base64url."""

    client_data: Coded = field(name="clientDataJSON")
    attestation_object: Coded | UnsetType = UNSET
    authenticator_data: Coded | UnsetType = UNSET
    signature: Coded | UnsetType = UNSET
    user_handle: Coded | UnsetType | None = UNSET
    transports: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=10)] = []


class Answer(Struct, frozen=True, rename="camel"):
    """A credential as `PublicKeyCredential.toJSON` gives it; what else it says is passed over."""

    id: Coded
    raw_id: Coded
    type: Annotated[str, Meta(max_length=20)]
    response: AnswerParts


class Knock(Struct, frozen=True):
    """One try at the door; `client` is the network address that it comes from."""

    answer: Answer
    client: str
    where: Where


class NewPasskey(Struct, frozen=True, forbid_unknown_fields=True):
    """A passkey that was made, and what its person calls it."""

    name: Name
    credential: Answer


class PasskeyChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Another name."""

    name: Name


class PasskeyEntry(Struct, frozen=True):
    """One passkey as its person sees it."""

    id: UUID
    name: str
    synced: bool
    created_at: datetime
    used_at: datetime | None


async def list_passkeys(db: Db, actor: Actor) -> list[PasskeyEntry]:
    """Return one's own passkeys, oldest first."""
    found = await store.passkeys_of(db, actor.org, actor.account)
    return [PasskeyEntry(p.id, p.name, p.synced, p.created_at, p.used_at) for p in found]


async def making_options(db: Db, door: Doorkeeper, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return what `navigator.credentials.create` is given; raises Conflict or StepUpNeeded."""
    from webauthn import generate_registration_options, options_to_json  # noqa: PLC0415
    from webauthn.helpers.structs import (  # noqa: PLC0415
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    party = _party(door)
    await require_step_up(db, actor, now)
    account = await store.account(db, actor.org, actor.account)
    if account is None:
        raise Unauthenticated("Sign in again.")
    there = await store.passkeys_of(db, actor.org, actor.account)
    options = generate_registration_options(
        rp_id=party.id,
        rp_name="MOS",
        user_id=actor.org.bytes + actor.account.bytes,
        user_name=account.email or account.name,
        user_display_name=account.name,
        challenge=challenges.new_challenge(door, _making(actor), now),
        timeout=int(rules.CHALLENGE_LASTS.total_seconds() * 1000),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=p.credential) for p in there],
    )
    return _plain(options_to_json(options))


async def add_passkey(
    db: Db,
    door: Doorkeeper,
    actor: Actor,
    wanted: NewPasskey,
    now: datetime,
) -> PasskeyEntry:
    """Keep a passkey that was made just now.

    Raises Invalid for one that was not, Conflict, or StepUpNeeded.
    """
    from webauthn import verify_registration_response  # noqa: PLC0415

    party = _party(door)
    await require_step_up(db, actor, now)
    challenge = _challenge(wanted.credential)
    if not challenges.is_challenge(door, _making(actor), challenge, now):
        raise _not_made()
    made = _checked(
        lambda: verify_registration_response(
            credential=_given(wanted.credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    )
    if made is None or not await challenges.spend(db, challenge, now):
        raise _not_made()
    if len(await store.passkeys_of(db, actor.org, actor.account)) >= _MOST:
        raise Conflict("Twenty passkeys are enough: remove one first.")
    passkey = store.Passkey(
        id=new_id(now),
        account=actor.account,
        credential=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=wanted.credential.response.transports,
        synced=made.credential_backed_up,
        name=named(wanted.name),
        created_at=now,
        used_at=None,
    )
    try:
        await store.add_passkey(db, actor.org, passkey)
    except UniqueViolation:
        raise Conflict("This passkey is there already.", code="passkey_there") from None
    note(db, actor, "passkey_added", now, of=passkey.id)
    return PasskeyEntry(passkey.id, passkey.name, passkey.synced, now, None)


async def rename_passkey(
    db: Db, actor: Actor, passkey: UUID, change: PasskeyChange
) -> PasskeyEntry:
    """Name one of one's own passkeys; raises NotFound."""
    await store.rename_passkey(db, actor.org, actor.account, passkey, named(change.name))
    for entry in await list_passkeys(db, actor):
        if entry.id == passkey:
            return entry
    raise no_such("passkey")


async def remove_passkey(db: Db, actor: Actor, passkey: UUID, now: datetime) -> None:
    """Remove one of one's own passkeys, never the last way in.

    Raises NotFound, Conflict or StepUpNeeded.
    """
    await require_step_up(db, actor, now)
    # Removals come one at a time: two at once must not both be the last but one.
    await store.lock_organisation(db, actor.org)
    there = await store.passkeys_of(db, actor.org, actor.account)
    if all(each.id != passkey for each in there):
        raise no_such("passkey")
    has_password = await store.password(db, actor.org, actor.account) is not None
    is_linked = await store.identity_of(db, actor.org, actor.account) is not None
    if len(there) == 1 and not has_password and not is_linked:
        raise Conflict("This is your only way in: make another one first.", code="last_way_in")
    await store.remove_passkey(db, actor.org, actor.account, passkey)
    note(db, actor, "passkey_removed", now, of=passkey)


def door_options(door: Doorkeeper, device: UUID, now: datetime) -> dict[str, Any]:
    """Return what `navigator.credentials.get` is given at the door; the same for everybody."""
    party = _party(door)
    return _asking(party, challenges.new_challenge(door, _entering(device), now))


async def sign_in(pool: Pool, door: Doorkeeper, knock: Knock, now: datetime) -> Opened:
    """Open a session for a passkey; raises Unauthenticated, TooMany or Conflict.

    Tries are counted by network alone: there is nothing to guess, and so nobody to lock out.
    """
    party = _party(door)
    org = _organisation(knock.answer)
    await require_client(pool, door, knock.client, now)
    if not challenges.is_challenge(
        door, _entering(knock.where.device), _challenge(knock.answer), now
    ):
        raise failed()
    opened = None
    async with pool.transaction(Scope(org=org)) as db:
        passkey = await _proved(db, org, party, knock.answer, now)
        account = await store.account(db, org, passkey.account) if passkey else None
        if passkey is not None and account is not None and not account.disabled:
            opened = await open_session(
                db, Bearer(org, account.id, account.role), knock.where, now, by=("passkey",)
            )
            await forgiven(db, door, knock.client)
        elif await store.has_organisation(db, org):
            note_failed(db, org, passkey.account if passkey else None, "passkey", now)
    if opened is None:
        raise failed()
    return opened


def step_up_options(
    door: Doorkeeper,
    actor: Actor,
    there: list[store.Passkey],
    now: datetime,
) -> dict[str, Any]:
    """Return what `navigator.credentials.get` is given to step up: one's own passkeys alone."""
    challenge = challenges.new_challenge(door, _stepping(actor), now)
    return _asking(_party(door), challenge, there)


async def step_up_by_passkey(
    db: Db,
    door: Doorkeeper,
    actor: Actor,
    answer: Answer,
    now: datetime,
) -> Opened:
    """Step the actor's session up; raises Forbidden for another's passkey or a wrong answer."""
    party = _party(door)
    passkey = None
    if challenges.is_challenge(door, _stepping(actor), _challenge(answer), now):
        passkey = await _proved(db, actor.org, party, answer, now)
    if passkey is None or passkey.account != actor.account:
        raise Forbidden("This passkey did not answer rightly.", code="passkey_wrong")
    return await step_up(db, actor, "passkey", now)


# ────────────────────────────────────────────────────────────── what is asked and answered


async def _proved(
    db: Db, org: UUID, party: RelyingParty, answer: Answer, now: datetime
) -> store.Passkey | None:
    """Return the passkey that answered, or None; its challenge and its counter are used up."""
    from webauthn import verify_authentication_response  # noqa: PLC0415

    challenge = _challenge(answer)
    passkey = await store.passkey_by_credential(db, org, _bytes(answer.raw_id))
    if passkey is None or not _is_named(answer, org, passkey):
        return None
    proof = _checked(
        lambda: verify_authentication_response(
            credential=_given(answer),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    )
    if proof is None or not await challenges.spend(db, challenge, now):
        return None
    await store.passkey_used(
        db,
        org,
        passkey.id,
        sign_count=proof.new_sign_count,
        synced=proof.credential_backed_up,
        now=now,
    )
    return passkey


def _asking(
    party: RelyingParty, challenge: bytes, there: list[store.Passkey] | None = None
) -> dict[str, Any]:
    from webauthn import generate_authentication_options, options_to_json  # noqa: PLC0415
    from webauthn.helpers.structs import (  # noqa: PLC0415
        PublicKeyCredentialDescriptor,
        UserVerificationRequirement,
    )

    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=int(rules.CHALLENGE_LASTS.total_seconds() * 1000),
        allow_credentials=[PublicKeyCredentialDescriptor(id=p.credential) for p in there or []],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _plain(options_to_json(options))


def _checked(verify: Callable[[], _T]) -> _T | None:
    """Return what `verify` found, or None where it refused what came from outside."""
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    try:
        return verify()
    except (WebAuthnException, ValueError, TypeError, KeyError, IndexError):
        # The parser below meets what nobody has made on purpose: CBOR, COSE, certificates.
        return None


def _given(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.id,
        "rawId": answer.raw_id,
        "type": answer.type,
        "response": msgspec.to_builtins(answer.response),
    }


def _challenge(answer: Answer) -> bytes:
    try:
        data = json.loads(_bytes(answer.response.client_data))
        return _bytes(data["challenge"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return b""


def _organisation(answer: Answer) -> UUID:
    handle = answer.response.user_handle
    named = _bytes(handle) if isinstance(handle, str) else b""
    if len(named) != 2 * _UUID_BYTES:
        raise failed()
    return UUID(bytes=named[:_UUID_BYTES])


def _is_named(answer: Answer, org: UUID, passkey: store.Passkey) -> bool:
    """Say whether the authenticator means the account that the key belongs to, where it says."""
    handle = answer.response.user_handle
    return not isinstance(handle, str) or _bytes(handle) == org.bytes + passkey.account.bytes


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _plain(options: str) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(options)
    return plain


def _party(door: Doorkeeper) -> RelyingParty:
    if door.party is None:
        raise Conflict("Passkeys need a public address with a name and TLS.", code="passkeys_off")
    return door.party


def _entering(device: UUID) -> str:
    return f"enter|{device}"


def _making(actor: Actor) -> str:
    return f"make|{actor.org}|{actor.account}|{actor.session}"


def _stepping(actor: Actor) -> str:
    return f"step|{actor.org}|{actor.account}|{actor.session}"


def _not_made() -> Invalid:
    return Invalid(
        "This passkey was not made here just now: try again.",
        field="credential",
        code="passkey_wrong",
    )
