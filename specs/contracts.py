"""All contracts, by event."""

from __future__ import annotations

from riskcore.events import Header
from specs import (
    cash,
    changes,
    deleveraging,
    funding,
    insurance,
    life,
    liquidation,
    markets,
    order_book,
    settings,
    settlement,
    shares,
    sharing,
    trading,
    vault,
)
from specs.contract import Contract

CONTRACTS: dict[type[Header], Contract] = {
    contract.event: contract
    for module in (
        markets,
        cash,
        funding,
        trading,
        liquidation,
        vault,
        insurance,
        deleveraging,
        settlement,
        shares,
        settings,
        sharing,
        order_book,
        life,
        changes,
    )
    for contract in module.CONTRACTS
}
