"""Ten lines that fuzz an engine of one's own: here one of deposits and withdrawals, and of nothing else."""

from riskcore import Event, MarketId, Rulebook
from riskcore.testing import make_rulebook, make_rules
from riskcore.testing.engine import Answer
from riskcore.testing.properties.engines import make_test


class MyAdapter:
    def __init__(self, rulebook: Rulebook) -> None:
        self.cash: dict[str, int] = {}

    def apply(self, event: Event) -> Answer:
        sign = {"Deposit": 1, "Withdraw": -1}.get(type(event).__name__, 0)
        account, amount = getattr(event, "account", ""), getattr(event, "amount", 0)
        after = self.cash.get(account, 0) + sign * amount
        if sign and (amount <= 0 or after < 0):
            return Answer(accepted=False)
        self.cash[account] = after
        return Answer(accepted=True, balances={account: after})


markets = {MarketId("BTC"): make_rules()}
TestEngine = make_test(MyAdapter, make_rulebook(), markets, kinds=("deposit", "withdraw"))
