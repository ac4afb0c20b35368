"""Use cases of care: permit, load, decide, store, tell. The caller opens the transaction.

Only sign-in and its like take the pool: a password's hash must not hold a transaction open.
"""

from mos.care.actions.installation import new_claim_token
from mos.care.actions.invitations import first_link

__all__ = ["first_link", "new_claim_token"]
