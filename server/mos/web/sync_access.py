"""What whoever asks may synchronise."""

from uuid import UUID

from msgspec import UNSET

from mos.care import rules
from mos.care.model import Access, Actor, Permission
from mos.sync.model import Grant


def grants(actor: Actor, accesses: list[Access]) -> dict[UUID, Grant]:
    """Return the spaces whose content the actor may see, with all that they may do there.

    A space is seen whole or not at all, and what is in it is the plan: hence that permission.
    """
    return {
        access.space: Grant(
            access.space,
            actor.role.value,
            sorted(word.value for word in access.permissions if rules.may(actor, word, access)),
            access.kind,
            UNSET if access.of is None else access.of,
        )
        for access in accesses
        if rules.may(actor, Permission.PLAN_VIEW, access)
    }
