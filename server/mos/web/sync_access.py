"""What whoever asks may synchronise."""

from functools import lru_cache
from uuid import UUID

from msgspec import UNSET

from mos.care import rules
from mos.care.model import Access, Actor, Permission, Role, SpaceKind
from mos.sync.model import Grant


def grants(actor: Actor, accesses: list[Access]) -> dict[UUID, Grant]:
    """Return the spaces whose content the actor may see, with all that they may do there.

    A space is seen whole or not at all: a day with `plan.view`, medication with `medication.view`.
    """
    return {
        access.space: Grant(
            access.space,
            actor.role.value,
            list(words),
            access.kind,
            UNSET if access.of is None else access.of,
        )
        for access in accesses
        if (words := _words(actor.role, access.kind, access.permissions))
    }


@lru_cache(maxsize=1024)
def _words(role: Role, kind: SpaceKind, permissions: frozenset[Permission]) -> tuple[str, ...]:
    words = rules.words_in(kind, permissions & rules.CEILING[role])
    return tuple(sorted(word.value for word in words))
