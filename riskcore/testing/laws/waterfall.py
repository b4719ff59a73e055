"""The waterfall's order, the vault's takeovers, and the insurance fund."""

from __future__ import annotations

from fractions import Fraction

from riskcore import events
from riskcore.journal import Reason
from riskcore.quantities import RATE_ONE
from riskcore.testing.desk import Passage
from riskcore.testing.laws.margin import assert_safe
from riskcore.testing.laws.passages import get_episode, get_episode_part, get_overshoot, get_paid_for
from riskcore.testing.naive.ledger import ENDS
from riskcore.testing.naive.needs import is_reducing
from riskcore.testing.naive.venue import Venue


def wfall_1(passage: Passage) -> bool:
    """A stage is entered only when what comes before it has nothing left to give."""
    event, before = passage.event, passage.before
    available, rulebook = before.get_available(event.timestamp), before.rulebook
    if passage.rejected is not None:
        return False
    if isinstance(event, events.BeginDeleveraging):
        assert not Venue.read(before).can_vault_take(event.account, event.market, 1)
        assert not (rulebook.insurance_before_adl and before.get_equity(event.account) < 0 and available)
        assert rulebook.adl_solvent or before.get_equity(event.account) <= 0
        assert not Venue.read(before).is_waiting(event.account, event.timestamp)
        assert not Venue.read(before).can_book_take(event.account, event.market, event.timestamp)
        return True
    if isinstance(event, events.CoverDeficit):
        assert rulebook.insurance_before_adl or not before.get_account(event.account).positions
        return True
    if isinstance(event, events.EndDeleveraging):
        episode = get_episode(before)
        assert all(before.get_size(account, episode.market) == 0 for account in episode.queue)
        left = passage.after.get_available(event.timestamp, episode.market)
        assert left == 0 or before.reserves["uncovered"] == passage.after.reserves["uncovered"]
        return True
    if isinstance(event, events.BeginLossSharing):
        assert before.reserves["uncovered"] < 0
        assert passage.after.sharing is None or passage.after.get_available(event.timestamp) == 0
        return True
    if isinstance(event, events.WriteOff):
        assert available == 0
        assert not before.get_account(event.account).positions
        return True
    return False


def vault_1(passage: Passage) -> bool:
    """A takeover keeps the vault's margin and limit; an account without lots left stands at exactly zero."""
    event, before, after = passage.event, passage.before, passage.after
    if not isinstance(event, events.Takeover) or passage.rejected is not None:
        return False
    vault, mark = before.rulebook.vault, before.markets[event.market].mark
    held, holds = before.get_size(vault, event.market), after.get_size(vault, event.market)
    given = before.get_equity(event.account) - after.get_equity(event.account)

    assert_safe(passage, vault, event.market)
    health = before.get_health(event.account)
    assert health.equity * RATE_ONE <= before.rulebook.takeover_rate * health.maintenance
    limits = before.rulebook.vault_position_limit, before.markets[event.market].rules.vault_position_limit
    assert abs(holds) * mark <= min(limits[0], limits[1] or limits[0]) or is_reducing(held, holds)
    assert given == after.get_equity(vault) - before.get_equity(vault)
    assert before.rulebook.vault_takes_deficits or 0 <= given <= health.equity
    assert min(0, health.equity) <= after.get_equity(event.account)
    assert before.get_equity(vault) < 0 or after.get_equity(vault) >= 0
    if not after.get_account(event.account).positions:
        assert after.get_equity(event.account) == 0
    return True


def get_place(passage: Passage) -> str:
    """The market that the fund would pay for; none where it pays for accounts."""
    event = passage.event
    if isinstance(event, events.LiquidationFill):
        return event.market
    is_end = isinstance(event, events.EndDeleveraging) and passage.before.episode is not None
    return get_episode(passage.before).market if is_end else ""


def ins_1(passage: Passage) -> bool:
    """The fund pays exactly the smaller of the deficit and what is available."""
    event, before, after = passage.event, passage.before, passage.after
    paid, place = get_paid_for(passage, Reason.COVER), get_place(passage)
    available = before.get_available(event.timestamp, place)
    assert 0 <= paid <= available
    assert after.get_shared() >= min(before.get_shared(), before.rulebook.insurance_floor)
    if passage.rejected is not None:
        return False
    if isinstance(event, events.CoverDeficit):
        assert min(-before.get_equity(event.account), available) == paid
        return True
    if isinstance(event, events.BeginLossSharing):
        assert min(-before.reserves["uncovered"], available) == paid
        return True
    if isinstance(event, events.EndDeleveraging):
        episode = get_episode(before)
        got = get_episode_part(episode, episode.done) - get_overshoot(episode, episode.done)
        assert min(max(0, episode.share - episode.excess - got), available) == paid
        return True
    assert isinstance(event, events.LiquidationFill) or paid == 0
    return paid > 0


def ins_2(passage: Passage) -> bool:
    """What the fund pays is within its limit for a window that is not over, and counted there."""
    rulebook, now = passage.before.rulebook, passage.after.time
    paid, old, new = get_paid_for(passage, Reason.COVER), passage.before.draws, passage.after.draws
    if not paid or not rulebook.insurance_draw_limit:
        assert old == new
        return False
    goes_on = old.drawn > 0 and now - old.since < rulebook.insurance_draw_window

    assert (old.drawn + paid, old.since) == new if goes_on else (paid, now) == new
    assert new.drawn <= rulebook.insurance_draw_limit
    place = passage.before.markets.get(get_place(passage))
    if place is None or not place.rules.insurance_separate:
        assert passage.after.get_shared() >= rulebook.insurance_floor
    return True


def ins_3(passage: Passage) -> bool:
    """The fund gets its rate of a fill's fees and less than an atom less; nothing else leaves the fees."""
    before, after, event = passage.before, passage.after, passage.event
    fees, share = get_paid_for(passage, Reason.FEE), get_paid_for(passage, Reason.FEE_SHARE)
    assert after.reserves["fees"] - before.reserves["fees"] == fees - share
    if passage.rejected is not None or not isinstance(event, events.Fill):
        assert share == 0
        return False

    assert 0 <= Fraction(before.rulebook.insurance_fee_share, RATE_ONE) * fees - share < 1
    return share > 0


def ins_4(passage: Passage) -> bool:
    """What the fund pays for fills and deleveragings is recorded in their market, and only there."""
    before, after = passage.before, passage.after
    used = sum(market.insurance_used for market in after.markets.values())
    used -= sum(market.insurance_used for market in before.markets.values())
    paid = get_paid_for(passage, Reason.COVER)

    assert used == (0 if isinstance(passage.event, events.CoverDeficit | events.BeginLossSharing) else paid)
    return paid > 0


def ins_5(passage: Passage) -> bool:
    """What a separate market has of the fund moves by what happens there alone, and is shared when it ends."""
    before, after, event = passage.before, passage.after, passage.event
    parts = {name: listing.insurance for name, listing in after.markets.items()}
    assert sum(parts.values()) == after.separate_insurance <= after.reserves["insurance"]
    assert all(part >= 0 for part in parts.values())
    gained = {
        name: part - (before.markets[name].insurance if name in before.markets else 0) for name, part in parts.items()
    }
    moved = {name: gain for name, gain in gained.items() if gain}
    if not moved:
        return False
    ((name, gain),) = moved.items()
    total = after.reserves["insurance"] - before.reserves["insurance"]

    assert before.markets[name].rules.insurance_separate and before.markets[name].status not in ENDS
    if isinstance(event, events.SettleMarket):
        assert (total, parts[name]) == (0, 0)
    else:
        assert gain == total
        assert name == (get_episode(before).market if before.episode else getattr(event, "market", None))
    return True
