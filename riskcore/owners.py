"""Whose an account is. The kernel knows accounts alone; a sub-account's id says its owner, before the first slash.

`alice/btc` is alice's, as is `alice/btc/hedge`. A sub-account isolates what is in it: `Transfer` moves margin in and
out, and its bankruptcy touches no other account (the laws know no owners).
"""

from __future__ import annotations

from riskcore.quantities import AccountId
from riskcore.state import State

SEPARATOR = "/"


def get_owner(account: AccountId) -> AccountId:
    """The account that it is a sub-account of; itself where it is none."""
    owner, _, _ = account.partition(SEPARATOR)
    return AccountId(owner) if owner else account


def have_one_owner(first: AccountId, second: AccountId) -> bool:
    return get_owner(first) == get_owner(second)


def find_accounts(state: State, owner: AccountId) -> tuple[AccountId, ...]:
    """The owner's account and sub-accounts, of those that there are, by id. Looks at all accounts."""
    return tuple(sorted(id for id, _ in state.accounts.items() if get_owner(id) == owner))
