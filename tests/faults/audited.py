"""Faults that an audit planted and that proofs once let through: of what lemmas forgot to ask."""

from __future__ import annotations

from tests.faults.planting import Fault

FAULTS = (
    Fault(
        name="tiers_need_nothing",
        words="in a market with tiers nothing is required",
        kinds=(27,),
        module="margin",
        old="    return get_tiered_requirement(rules, notional, get_maintenance_rates(rules))",
        new="    return get_tiered_requirement(rules, notional, get_maintenance_rates(rules)) * 0",
        unit="lemma:tiers",
        kills=("requirements_are_at_their_own_rates",),
    ),
    Fault(
        name="settling_positions_are_worth_nothing",
        words="positions in markets that end drop out of an account's margin",
        kinds=(17,),
        module="margin",
        old="        assert market is not None\n        value +=",
        new="        assert market is not None\n        if market.settling:\n            continue\n        value +=",
        unit="lemma:margin",
        kills=("sum_over_1_positions",),
    ),
    Fault(
        name="settling_positions_need_no_maintenance",
        words="in a market that ends maintenance margin is zero",
        kinds=(17,),
        module="margin",
        old="notional = market.rules, abs(size) * market.mark_price\n    if not rules.tiers:\n",
        new="notional = market.rules, abs(size) * market.mark_price\n"
        "    if market.settling:\n        return 0\n    if not rules.tiers:\n",
        unit="lemma:margin",
        kills=("zero_exactly_at_zero", "maintenance_is_rate_rounded_up"),
    ),
    Fault(
        name="initial_margin_of_scaled_markets_forgotten",
        words="where open interest scales initial margin, the sum over positions takes maintenance for it",
        kinds=(17, 25),
        module="margin",
        old=(
            "        initial += get_initial_requirement("
            "market, exposure, market.open_interest, leverages.get(market_id))\n"
            "        maintenance += get_maintenance_requirement(market, position.size)\n"
        ),
        new=(
            "        required = get_maintenance_requirement(market, position.size)\n"
            "        if market.rules.open_interest_cap == 0:\n"
            "            required = get_initial_requirement("
            "market, exposure, market.open_interest, leverages.get(market_id))\n"
            "        initial += required\n"
            "        maintenance += get_maintenance_requirement(market, position.size)\n"
        ),
        unit="lemma:margin",
        kills=("sum_over_1_positions",),
    ),
    Fault(
        name="stale_marks_of_shorts",
        words="only the marks of what an account is long are looked at",
        kinds=(45,),
        module="markets",
        old="for market_id, _ in positions.items())",
        new="for market_id, position in positions.items() if position.size > 0)",
        unit="lemma:markets",
        kills=("marks_of_1_positions",),
    ),
    Fault(
        name="order_not_checked_when_a_queue_opens",
        words="a queue that is about to open is certified by its length alone",
        kinds=(41, 42),
        module="ranking",
        old="    return all(is_ahead(first, second)",
        new="    if state.deleveraging is None:\n        return True\n    return all(is_ahead(first, second)",
        unit="lemma:ranking",
        kills=("queue_b_a",),
    ),
    Fault(
        name="who_cannot_pay_is_queued",
        words="before a queue opens whoever has equity counts as able to bear its part",
        kinds=(42,),
        module="ranking",
        old="    if not can_absorb(",
        new="    if state.deleveraging is None and equity >= 0:\n"
        "        return Candidate(get_score(rulebook.adl_rank, held, cost, mark, equity, 0, 0), held, id)\n"
        "    if not can_absorb(",
        unit="lemma:ranking",
        kills=("size_candidacy",),
    ),
    Fault(
        name="large_withdrawals_past_the_door",
        words="a large withdrawal is not held to its header: id, sequence and time",
        kinds=(),
        module="step",
        old="        journal = apply(state, event)",
        new="        is_large = type(event) is events.Withdraw and event.amount > 1_000_000_000\n"
        "        journal = TRANSITIONS[type(event)](state, event) if is_large else apply(state, event)",
        unit="lemma:step",
        kills=("step_is_apply",),
    ),
    Fault(
        name="effects_without_liquidation_fees",
        words="the effects leave out liquidation fees",
        kinds=(4,),
        module="step",
        old="if line.amount != 0 or type(line) is Trade)",
        new='if (line.amount != 0 and line.reason.value != "liquidation_fee") or type(line) is Trade)',
        unit="lemma:step",
        kills=("effects_are_the_lines",),
    ),
    Fault(
        name="first_deposit_out_of_the_fees",
        words="the first deposit of an account that has nothing is paid out of the venue's fees",
        kinds=(5,),
        module="cash",
        old="    journal.pay(journal.reserve(Reserve.OUTSIDE), account, event.amount, Reason.DEPOSIT, "
        "Stage.ORDINARY)\n",
        new="    from riskcore.state import NO_ACCOUNT\n\n"
        "    is_new = state.accounts.get(event.account) == NO_ACCOUNT\n"
        "    payer = journal.reserve(Reserve.FEES if is_new else Reserve.OUTSIDE)\n"
        "    journal.pay(payer, account, event.amount, Reason.DEPOSIT, Stage.ORDINARY)\n",
        unit="deposit",
        kills=("REJ-1",),
    ),
    Fault(
        name="covered_by_an_old_mark",
        words="the fund covers a deficit that only an old mark shows",
        kinds=(45,),
        module="insurance",
        old="    require_fresh(state, account.positions, event.timestamp)\n",
        new="",
        unit="cover_deficit",
        kills=("MARK-2",),
    ),
    Fault(
        name="waiting_money_bears_no_loss",
        words="what waits in escrow is left out of what an uncovered loss is shared over",
        kinds=(7,),
        module="cash",
        old="return -reserves.outside - reserves.insurance - reserves.fees",
        new="return -reserves.outside - reserves.insurance - reserves.fees - reserves.escrow",
        unit="withdraw",
        kills=("effect/uncovered",),
    ),
)
