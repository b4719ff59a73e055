// The waterfall: the book's fill, the vault, the insurance fund, deleveraging, and what nobody can pay
// (specs/liquidation.py, specs/gates.py, specs/limits.py, specs/vault.py, specs/insurance.py, specs/deleveraging.py).
"use strict";

const { byCodePoint } = require("./wire");
const { isPlanted } = require("./faults");
const { Rejected, require_, account, keep, pay, trade, available, cover } = require("./ledger");
const { getTradingMarket, isIndexFresh, areFresh, isWithin, isClean } = require("./ordinary");
const m = require("./margin");

const { ONE, abs, max, min, floor, ceil, rateOf } = m;

// the giver's lots go to the taker, who pays `amount` for longs and gets it with shorts
function give(state, id, giver, taker, size, lots, amount) {
  if (size > 0n) trade(state, id, taker, giver, lots, amount);
  else trade(state, id, giver, taker, lots, amount);
}

function requireLiquidatable(margin, size, lots) {
  require_(lots > 0n, "SIZE_NOT_POSITIVE");
  require_(m.isBelow(margin), "NOT_LIQUIDATABLE");
  require_(lots <= abs(size), "SIZE_EXCEEDS_POSITION");
}

const mustWait = ({ rulebook }, margin, { liquidated }, time) =>
  margin.equity >= 0n && liquidated >= 0n && time - liquidated < rulebook.liquidation_cooldown;

const soldAt = (sold, since, time) => (since === time ? sold : 0n);

// whether the block has room for another lot once `closed` more are sold
function isBlockOpen({ rulebook }, market, owner, closed, time) {
  const worth = closed * market.mark_price;
  const [own, all] = [rulebook.liquidation_block_limit, market.rules.liquidation_block_limit];
  return (own === 0n || soldAt(owner.sold, owner.liquidated, time) + worth < own) &&
    (all === 0n || soldAt(market.sold, market.sold_time, time) + worth < all);
}

// how many lots one fill may close: a share, to a target, to the floor of a bracket, within a block
function requireWithinLimits(state, market, owner, margin, size, lots, time) {
  const { rulebook } = state;
  const { rules } = market;
  const [held, window] = [abs(size), rulebook.liquidation_window];
  const part = ceil(held * rules.liquidation_share, ONE);
  const isFree = window > 0n && owner.liquidated >= 0n && time - owner.liquidated <= window;
  const isSmall = held * market.mark_price <= rules.liquidation_share_floor;
  require_(isFree || lots <= part || isSmall || held - part < rules.minimum_size, "LIQUIDATION_SHARE");
  const left = min(max(held - lots + 1n, rules.minimum_size), held);
  const released = m.maintenance(market, size) - m.maintenance(market, left);
  const target = rulebook.liquidation_target;
  require_(target === 0n || margin.equity * ONE < target * (margin.maintenance - released), "LIQUIDATION_TARGET");
  const floors = rules.liquidation_tier_step ? rules.tiers.map((tier) => tier.floor) : [];
  const step = max(0n, ...floors.filter((start) => start < held * market.mark_price));
  require_(left * market.mark_price > step, "LIQUIDATION_STEP");
  require_(isBlockOpen(state, market, owner, held - left, time), "LIQUIDATION_BLOCK");
}

function noteSale({ rulebook }, market, owner, lots, time) {
  const worth = lots * market.mark_price;
  if (rulebook.liquidation_window + rulebook.liquidation_cooldown + rulebook.liquidation_block_limit > 0n) {
    owner.sold = soldAt(owner.sold, owner.liquidated, time) + worth;
    owner.liquidated = time;
  }
  if (market.rules.liquidation_block_limit > 0n) {
    market.sold = soldAt(market.sold, market.sold_time, time) + worth;
    market.sold_time = time;
  }
}

function liquidation_fill(state, event) {
  const [id, lots, time] = [event.market, event.size, event.timestamp];
  const market = getTradingMarket(state, id);
  const { rules } = market;
  const { rulebook } = state;
  require_(event.account !== event.maker, "SELF_TRADE");
  require_(event.price > 0n, "PRICE_NOT_POSITIVE");
  require_(isWithin(event.price, market.mark_price, rules.fill_price_band), "PRICE_BAND");
  const [owner, maker] = [account(state, event.account), account(state, event.maker)];
  const [size, makerSize] = [m.sizeOf(owner, id), m.sizeOf(maker, id)];
  require_(areFresh(state, owner, time), "MARK_STALE");
  const margin = m.marginOf(state, owner);
  requireLiquidatable(margin, size, lots);
  const bought = size > 0n ? lots : -lots;
  require_(event.order === undefined, "OFF_BOOK");
  require_(market.status !== "close_only" || m.isReduction(makerSize, makerSize + bought), "MARKET_CLOSE_ONLY");
  require_(!mustWait(state, margin, owner, time), "LIQUIDATION_COOLDOWN");
  requireWithinLimits(state, market, owner, margin, size, lots, time);
  require_(isClean(rules, size, size - bought) && isClean(rules, makerSize, makerSize + bought), "DUST");
  const loss = bought * (market.mark_price - event.price);
  // what the account may lose and has not; below zero, the fund's part
  const spare = m.equityShare(margin, market, size, lots) - loss;
  const isNear = loss * ONE <= lots * market.mark_price * rulebook.insurance_fill_band;
  const isBacked = rulebook.insurance_backs_fills && -spare <= available(state, time) && isNear;
  require_(spare >= 0n || isBacked, "WORSE_THAN_BANKRUPTCY");
  const left = m.openAfter(market, makerSize, size, bought);
  require_(m.canBear(state, id, maker, makerSize + bought, loss, left), "MAKER_MARGIN");
  const [giver, taker] = [keep(state, event.account), keep(state, event.maker)];
  give(state, id, giver, taker, size, lots, lots * event.price);
  const requested = rateOf(lots * event.price, rules.liquidation_fee_rate);
  const fee = min(requested, max(spare, 0n));
  pay(state, giver, "@insurance", fee);
  if (isPlanted("fee_credited_as_requested")) state.reserves.insurance += requested - fee;
  cover(state, giver, max(-spare, 0n), time, market);
  noteSale(state, market, giver, lots, time);
}

// whether the vault may take over lots at their share of the account's equity: its limits, and its margin
const withinLimit = (state, market, before, after) => {
  const [notional, own] = [abs(after) * market.mark_price, market.rules.vault_position_limit];
  const isWithin_ = notional <= state.rulebook.vault_position_limit && (own === 0n || notional <= own);
  return isWithin_ || m.isReduction(before, after);
};

function vaultBears(state, id, margin, size, lots) {
  const [market, vault] = [state.markets[id], account(state, state.rulebook.vault)];
  const moved = size > 0n ? lots : -lots;
  const left = m.openAfter(market, m.sizeOf(vault, id), size, moved);
  const share = m.equityShare(margin, market, size, lots);
  return isPlanted("vault_without_margin") || m.canBear(state, id, vault, m.sizeOf(vault, id) + moved, share, left);
}

function takeover(state, event) {
  const [id, lots] = [event.market, event.size];
  const market = getTradingMarket(state, id);
  const { rulebook } = state;
  require_(event.account !== rulebook.vault, "SELF_TRADE");
  const owner = account(state, event.account);
  const [size, held] = [m.sizeOf(owner, id), m.sizeOf(account(state, rulebook.vault), id)];
  require_(areFresh(state, owner, event.timestamp), "MARK_STALE");
  const margin = m.marginOf(state, owner);
  requireLiquidatable(margin, size, lots);
  require_(margin.equity * ONE <= rulebook.takeover_rate * margin.maintenance, "VAULT_NOT_DUE");
  require_(margin.equity >= 0n || rulebook.vault_takes_deficits, "VAULT_TAKES_NO_DEFICIT");
  require_(withinLimit(state, market, held, held + (size > 0n ? lots : -lots)), "VAULT_LIMIT");
  require_(vaultBears(state, id, margin, size, lots), "VAULT_MARGIN");
  const share = m.equityShare(margin, market, size, lots);
  const worth = lots * market.mark_price;
  give(state, id, keep(state, event.account), keep(state, rulebook.vault), size, lots, size > 0n ? worth - share : worth + share);
}

function cover_deficit(state, event) {
  const owner = account(state, event.account);
  require_(areFresh(state, owner, event.timestamp), "MARK_STALE");
  const margin = m.marginOf(state, owner);
  const left = available(state, event.timestamp);
  const owed = isPlanted("deficit_net_of_insurance") ? margin.equity + state.reserves.insurance : margin.equity;
  require_(owed < 0n, "NO_DEFICIT");
  require_(state.rulebook.insurance_before_adl || margin.maintenance === 0n, "INSURANCE_OPEN_POSITION");
  require_(left > 0n, "INSURANCE_EXHAUSTED");
  cover(state, keep(state, event.account), min(-owed, left), event.timestamp);
}

function write_off(state, event) {
  const margin = m.marginOf(state, account(state, event.account));
  require_(margin.equity < 0n, "NO_DEFICIT");
  require_(margin.maintenance === 0n, "NOT_FLAT");
  require_(available(state, event.timestamp) === 0n, "INSURANCE_NOT_EXHAUSTED");
  if (isPlanted("debt_forgiven")) state.accounts[event.account].balance = 0n;
  else pay(state, "@uncovered", keep(state, event.account), -margin.equity);
}

// what counterparties pay together for the lots, against mark, and what of it is the fund's
function getTerms({ rulebook }, market, margin, size, lots) {
  const lost = -m.equityShare(margin, market, size, lots);
  if (rulebook.adl_close_out === "bankruptcy") return { share: lost, excess: 0n };
  const fixed = { mark: market.mark_price, previous_mark: market.previous_mark_price, index: market.index_price };
  const better = (size > 0n ? lots : -lots) * (fixed[rulebook.adl_close_out] - market.mark_price);
  const share = max(better, min(lost, 0n));
  return { share, excess: max(share - max(lost, 0n), 0n) };
}

// all lots; or, of an account with equity left where the rulebook says so, the fewest that are enough
function areLotsToClose(state, market, margin, size, lots) {
  if (state.rulebook.adl_size === "whole" || margin.equity <= 0n) return lots === abs(size);
  const spare = (closed) => {
    const { share, excess } = getTerms(state, market, margin, size, closed);
    const kept = margin.maintenance - m.maintenance(market, size) + m.maintenance(market, abs(size) - closed);
    return margin.equity + share - excess - kept;
  };
  return spare(lots - 1n) < 0n && (lots === abs(size) || spare(lots) >= 0n);
}

const PRIME = 2n ** 127n - 1n;
const CONSTANT = 210306068529402873165736369884012333109n;

// an account's number in an episode's draw: fifth powers modulo a prime, of its id, seed, sequence and id
function getChance({ rulebook }, sequence, id) {
  if (rulebook.adl_rank !== "pseudo_random") return 0n;
  const name = BigInt(`0x01${Buffer.from(id, "utf8").toString("hex")}`);
  return [name, rulebook.adl_seed, sequence, name].reduce((sum, word) => {
    const power = (sum + word + CONSTANT) ** 5n;
    return power - floor(power, PRIME) * PRIME;
  }, 0n);
}

// a position's rank as numerator and denominator
function getScore(policy, { size, cost, opened }, mark, equity, chance) {
  const [notional, profit, entry] = [abs(size) * mark, size * mark - cost, max(abs(cost), 1n)];
  if (policy === "size") return [notional, 1n];
  if (policy === "fifo") return [-opened, 1n];
  if (policy === "pseudo_random") return [chance, 1n];
  if (equity <= 0n) return [0n, 1n];
  if (policy === "leverage") return [notional, equity];
  if (policy === "price_ratio_times_leverage") return [notional * notional, entry * equity];
  if (profit <= 0n) return policy === "signed_profit_times_leverage" ? [profit * equity, entry * max(notional, 1n)] : [0n, 1n];
  if (policy === "profit_ratio") return [profit, entry];
  if (policy === "profit_to_equity") return [profit, equity];
  if (policy === "profit_times_notional_to_equity") return [profit * notional, equity];
  return [profit * notional, entry * equity];
}

// the accounts that can be closed against a position, in rank order
function getQueue(state, id, size, { share }, lots) {
  const [{ mark_price }, { rulebook }] = [state.markets[id], state];
  const candidates = [];
  for (const [name, owner] of Object.entries(state.accounts)) {
    const position = owner.positions[id];
    if (!position || position.size * size >= 0n) continue;
    const { equity } = m.marginOf(state, owner);
    const [burden, profit] = [share * abs(position.size), position.size * mark_price - position.cost];
    const isPaid = share <= 0n || !rulebook.adl_requires_profit || profit * lots >= burden;
    if (equity < 0n || equity * lots < burden || !isPaid) continue;
    const score = getScore(rulebook.adl_rank, position, mark_price, equity, getChance(state, state.sequence, name));
    candidates.push({ name, score, size: abs(position.size) });
  }
  candidates.sort((one, two) => {
    const difference = two.score[0] * one.score[1] - one.score[0] * two.score[1] || two.size - one.size;
    return difference ? (difference > 0n ? 1 : -1) : byCodePoint(one.name, two.name);
  });
  const names = candidates.map(({ name }) => name);
  return isPlanted("queue_reversed") ? names.reverse() : names;
}

function begin_deleveraging(state, event) {
  const [id, time] = [event.market, event.timestamp];
  const market = getTradingMarket(state, id);
  const { rulebook } = state;
  const owner = account(state, event.account);
  const size = m.sizeOf(owner, id);
  require_(areFresh(state, owner, time), "MARK_STALE");
  const margin = m.marginOf(state, owner);
  const lots = event.size ? event.size : max(abs(size), 1n);
  requireLiquidatable(margin, size, lots);
  require_(!mustWait(state, margin, owner, time), "LIQUIDATION_COOLDOWN");
  require_(margin.equity < 0n || isBlockOpen(state, market, owner, 0n, time), "LIQUIDATION_BLOCK");
  require_(rulebook.adl_solvent || margin.equity <= 0n, "ADL_SOLVENT");
  if (event.account !== rulebook.vault && !isPlanted("adl_before_the_vault")) {
    const held = m.sizeOf(account(state, rulebook.vault), id);
    const hasRoom = (margin.equity >= 0n || rulebook.vault_takes_deficits) &&
      withinLimit(state, market, held, held + (size > 0n ? 1n : -1n)) && vaultBears(state, id, margin, size, 1n);
    require_(!hasRoom, "VAULT_NOT_EXHAUSTED");
  }
  const isFundNext = rulebook.insurance_before_adl && margin.equity < 0n;
  require_(!isFundNext || available(state, time) === 0n, "INSURANCE_NOT_EXHAUSTED");
  require_(rulebook.adl_close_out !== "index" || isIndexFresh(market, time), "INDEX_STALE");
  require_(areLotsToClose(state, market, margin, size, lots), "NOT_THE_LOTS_TO_CLOSE");
  const terms = getTerms(state, market, margin, size, lots);
  const queue = getQueue(state, id, size, terms, lots);
  const isRanked = queue.length === event.queue.length && queue.every((name, i) => name === event.queue[i]);
  require_(isRanked, "QUEUE_NOT_RANKED");
  const [level_lots, level_weight] = [event.level_lots ?? 0n, event.level_weight ?? 1n];
  require_(level_lots === 0n && level_weight === 1n, "LEVEL_NOT_EXACT");
  require_(terms.share > terms.excess || queue.length > 0, "NOTHING_TO_BOOK");
  state.deleveraging = {
    account: event.account, market: id, lots, ...terms, done: 0n, queue, head: 0n, sequence: state.sequence, level_lots,
    level_weight, remainder: 0n,
  };
}

// parts of a total are differences of rounded-down shares, which telescope
const partOf = (total, episode, done) =>
  isPlanted("share_rounded_at_each_step")
    ? floor(total * (done - episode.done), episode.lots)
    : floor(total * done, episode.lots) - floor(total * episode.done, episode.lots);

function deleverage(state) {
  const episode = state.deleveraging;
  if (!episode) throw new Rejected("DELEVERAGING_NOT_OPEN");
  require_(episode.head < BigInt(episode.queue.length), "QUEUE_EXHAUSTED");
  const market = state.markets[episode.market];
  const [owner, head] = [keep(state, episode.account), keep(state, episode.queue[Number(episode.head)])];
  const size = m.sizeOf(owner, episode.market);
  const lots = min(episode.lots - episode.done, abs(m.sizeOf(head, episode.market)));
  const done = episode.done + lots;
  if (lots > 0n) {
    const [payment, worth] = [partOf(episode.share, episode, done), lots * market.mark_price];
    give(state, episode.market, owner, head, size, lots, size > 0n ? worth + payment : worth - payment);
    pay(state, owner, "@insurance", partOf(episode.excess, episode, done));
  }
  state.deleveraging = done < episode.lots ? { ...episode, done, head: episode.head + 1n } : null;
}

function end_deleveraging(state, event) {
  const episode = state.deleveraging;
  if (!episode) throw new Rejected("DELEVERAGING_NOT_OPEN");
  require_(episode.head === BigInt(episode.queue.length), "QUEUE_NOT_EXHAUSTED");
  const paid = floor(episode.share * episode.done, episode.lots) - floor(episode.excess * episode.done, episode.lots);
  const unpaid = max(episode.share - episode.excess - paid, 0n);
  const covered = min(unpaid, available(state, event.timestamp));
  const owner = keep(state, episode.account);
  cover(state, owner, covered, event.timestamp, state.markets[episode.market]);
  pay(state, "@uncovered", owner, unpaid - covered);
  state.deleveraging = null;
}

module.exports = {
  EVENTS: {
    liquidation_fill, takeover, cover_deficit, write_off, begin_deleveraging, deleverage, end_deleveraging,
  },
};
