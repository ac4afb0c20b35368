"""What devices and domains ask of synchronisation. The transaction is the caller's."""

from mos.sync.actions.push import HookFailed, TooManyProposals, push, record
from mos.sync.actions.reading import hello, pull

__all__ = ["HookFailed", "TooManyProposals", "hello", "pull", "push", "record"]
