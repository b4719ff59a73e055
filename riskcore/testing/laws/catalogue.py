"""All laws by id.

They are recomputed in full from what a step showed (``Passage``); of the kernel they use its effects, and its
requirement where the law is about that. A law gives whether it had anything to say of the step, so that coverage
can show that none is vacuous.
"""

from __future__ import annotations

from collections.abc import Callable

from riskcore import events
from riskcore.choices import CloseOut
from riskcore.testing.broken import Broken
from riskcore.testing.desk import Passage
from riskcore.testing.laws.cash import bal_1, bal_2, cash_1, cash_2, cash_3, cash_4, fund_1, zero_1
from riskcore.testing.laws.deleveraging import adl_1, adl_2, adl_3, adl_4, adl_5, adl_7, adl_8
from riskcore.testing.laws.frames import det_1, frame_1, rej_1
from riskcore.testing.laws.liquidation import (
    close_1,
    dust_1,
    liq_1,
    liq_2,
    liq_3,
    liq_4,
    liq_5,
    liq_6,
    liq_7,
    liq_8,
    liq_9,
)
from riskcore.testing.laws.losses import live_2, loss_1, loss_2, loss_3, loss_4
from riskcore.testing.laws.margin import marg_1, marg_2, marg_3, marg_4, marg_5
from riskcore.testing.laws.markets import (
    life_1,
    life_2,
    life_3,
    life_4,
    life_5,
    mark_1,
    mark_2,
    mark_3,
    settle_1,
    settle_2,
)
from riskcore.testing.laws.order_book import BOOK_LAWS
from riskcore.testing.laws.shares import share_1, vault_2, vault_4
from riskcore.testing.laws.waterfall import ins_1, ins_2, ins_3, ins_4, ins_5, vault_1, wfall_1

LAWS: dict[str, Callable[[Passage], bool]] = {
    "CASH-1": cash_1,
    "CASH-2": cash_2,
    "CASH-3": cash_3,
    "CASH-4": cash_4,
    "BAL-1": bal_1,
    "BAL-2": bal_2,
    "ZERO-1": zero_1,
    "FRAME-1": frame_1,
    "REJ-1": rej_1,
    "MARG-1": marg_1,
    "MARG-2": marg_2,
    "MARG-3": marg_3,
    "MARG-4": marg_4,
    "MARG-5": marg_5,
    "MARK-1": mark_1,
    "MARK-2": mark_2,
    "MARK-3": mark_3,
    "LIQ-1": liq_1,
    "LIQ-2": liq_2,
    "LIQ-3": liq_3,
    "LIQ-4": liq_4,
    "LIQ-5": liq_5,
    "LIQ-6": liq_6,
    "LIQ-7": liq_7,
    "LIQ-8": liq_8,
    "LIQ-9": liq_9,
    "DUST-1": dust_1,
    "WFALL-1": wfall_1,
    "CLOSE-1": close_1,
    "VAULT-1": vault_1,
    "INS-1": ins_1,
    "INS-2": ins_2,
    "INS-3": ins_3,
    "INS-4": ins_4,
    "INS-5": ins_5,
    "ADL-1": adl_1,
    "ADL-2": adl_2,
    "ADL-3": adl_3,
    "ADL-4": adl_4,
    "ADL-5": adl_5,
    "ADL-7": adl_7,
    "ADL-8": adl_8,
    "FUND-1": fund_1,
    "SETTLE-1": settle_1,
    "SETTLE-2": settle_2,
    "LIFE-1": life_1,
    "LIFE-2": life_2,
    "LIFE-3": life_3,
    "LIFE-4": life_4,
    "LIFE-5": life_5,
    "LOSS-1": loss_1,
    "LOSS-2": loss_2,
    "LOSS-3": loss_3,
    "LOSS-4": loss_4,
    "SHARE-1": share_1,
    "VAULT-2": vault_2,
    "VAULT-4": vault_4,
    "LIVE-2": live_2,
    "DET-1": det_1,
    **BOOK_LAWS,
}

#: Laws of the state alone. A rejected step leaves it as it was, which REJ-1 sees to; they were checked when it came.
OF_STATES = frozenset(
    {"CASH-1", "CASH-2", "BAL-1", "BAL-2", "ZERO-1", "MARG-1", "ADL-5", "LIVE-2", "BOOK-1", "BOOK-4", "BOOK-5"}
)


def no_flat_account_falls_into_debt(passage: Passage) -> bool:
    """Not a law of the list, but why a write-off meets inherited debts and accounts closed at mark only."""
    if isinstance(passage.event, events.SettlePair) or passage.before.rulebook.adl_close_out is not CloseOut.BANKRUPTCY:
        return False
    for account, view in passage.after.accounts.items():
        if not view.positions and view.balance < 0:
            assert passage.before.get_account(account).balance <= view.balance
    return True


def check(passage: Passage) -> list[str]:
    """Check every law; the ids of those that had something to say. ``Broken`` where one does not hold.

    Every step of a walk is to be checked: of what a step leaves as it was, some laws say nothing again.
    """
    judge("DEBT", no_flat_account_falls_into_debt, passage)
    stays = passage.rejected is not None and passage.new is passage.old
    return [id for id, law in LAWS.items() if not (stays and id in OF_STATES) and judge(id, law, passage)]


def judge(id: str, law: Callable[[Passage], bool], passage: Passage) -> bool:
    """Whether a law had something to say. ``Broken`` where it does not hold, or cannot be judged."""
    try:
        return law(passage)
    except Exception as failure:
        how = str(failure) if isinstance(failure, AssertionError) else f"It cannot be judged: {failure!r}"
        raise Broken(id, f"{law.__doc__} {how}; {passage.event}") from failure
