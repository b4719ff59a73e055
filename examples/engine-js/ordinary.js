// Cash, markets and trades of one's own will (specs/cash.py, specs/markets.py, specs/funding.py, specs/trading.py, specs/life.py).
"use strict";

const { fillMarket, fillRules } = require("./wire");
const { isPlanted } = require("./faults");
const { Unsupported, require_, account, keep, pay, trade, inWindow } = require("./ledger");
const m = require("./margin");

const { ONE, abs, max, min, floor, ceil, rateOf } = m;

function getMarket(state, id) {
  require_(id in state.markets, "UNKNOWN_MARKET");
  return state.markets[id];
}

const isEnding = (market) => market.status === "settling" || market.status === "delisted";

function getOpenMarket(state, id) {
  const market = getMarket(state, id);
  require_(!isEnding(market), "MARKET_SETTLING");
  return market;
}

function getTradingMarket(state, id) {
  const market = getOpenMarket(state, id);
  require_(market.status !== "paused", "MARKET_PAUSED");
  return market;
}

const isFresh = ({ rules, mark_time }, time) =>
  rules.mark_age_limit === 0n || time - mark_time <= rules.mark_age_limit || isPlanted("stale_mark_accepted");

function isIndexFresh({ rules, index_time }, time) {
  const limit = rules.index_age_limit || rules.mark_age_limit;
  return limit === 0n || time - index_time <= limit;
}

const areFresh = (state, owner, time) =>
  Object.keys(owner.positions).every((id) => isEnding(state.markets[id]) || isFresh(state.markets[id], time));

const isWithin = (price, around, rate) => rate === 0n || abs(price - around) * ONE <= rate * around;

const isClean = (rules, before, after) =>
  after === 0n || abs(after) >= rules.minimum_size || (abs(before) < rules.minimum_size && m.isReduction(before, after));

function areAdmissible(rules) {
  const base = { floor: 0n, initial_margin_rate: rules.initial_margin_rate, maintenance_margin_rate: rules.maintenance_margin_rate };
  const brackets = [base, ...rules.tiers];
  const rise = brackets.slice(1).every((tier, i) =>
    tier.floor > brackets[i].floor && tier.initial_margin_rate >= brackets[i].initial_margin_rate &&
    tier.maintenance_margin_rate >= brackets[i].maintenance_margin_rate);
  const rates = brackets.every((tier) =>
    tier.maintenance_margin_rate <= tier.initial_margin_rate && tier.initial_margin_rate <= ONE);
  const [low, high] = [rules.open_interest_floor, rules.open_interest_cap];
  const limits = ("mark_move_limit mark_age_limit fill_price_band liquidation_share_floor liquidation_block_limit " +
    "vault_position_limit mark_index_band open_interest_limit index_age_limit index_move_limit").split(" ");
  const isRate = (rate) => rate >= 0n && rate <= ONE;
  return rise && rates && rules.maintenance_margin_rate > 0n && isRate(rules.taker_fee_rate) &&
    rules.taker_fee_rate + rules.maker_fee_rate >= 0n && rules.maker_fee_rate <= ONE && isRate(rules.liquidation_fee_rate) &&
    low >= 0n && (low < high || (low === 0n && high === 0n)) && rules.liquidation_share > 0n && isRate(rules.liquidation_share) &&
    rules.minimum_size >= 1n && limits.every((name) => rules[name] >= 0n);
}

function list_market(state, event) {
  require_(!(event.market in state.markets), "MARKET_LISTED");
  const rules = fillRules(event.rules);
  require_(areAdmissible(rules), "RULES_INADMISSIBLE");
  require_(event.mark_price > 0n, "PRICE_NOT_POSITIVE");
  if (rules.insurance_separate) throw new Unsupported("no markets with a part of the insurance fund of their own");
  state.markets[event.market] = fillMarket({
    rules, mark_price: event.mark_price, mark_time: event.timestamp, funding_index: 0n, funding_remainder: 0n,
    funding_time: isPlanted("funding_from_time_zero") ? 0n : event.timestamp, open_interest: 0n,
  });
}

function mark_price(state, event) {
  const market = getOpenMarket(state, event.market);
  const { rules, index_price } = market;
  require_(event.price > 0n, "PRICE_NOT_POSITIVE");
  require_(isWithin(event.price, market.mark_price, rules.mark_move_limit), "MARK_JUMP");
  require_(rules.mark_index_band === 0n || isIndexFresh(market, event.timestamp), "INDEX_STALE");
  const isNearer = abs(event.price - index_price) < abs(market.mark_price - index_price);
  require_(isWithin(event.price, index_price, rules.mark_index_band) || isNearer, "MARK_OFF_INDEX");
  Object.assign(market, { previous_mark_price: market.mark_price, mark_price: event.price, mark_time: event.timestamp });
  if (isPlanted("mark_skips_funding")) market.funding_time = event.timestamp;
}

function index_price(state, event) {
  const market = getOpenMarket(state, event.market);
  require_(event.price > 0n, "PRICE_NOT_POSITIVE");
  require_(isWithin(event.price, market.index_price, market.rules.index_move_limit), "INDEX_JUMP");
  Object.assign(market, { index_price: event.price, index_time: event.timestamp });
}

function apply_funding(state, event) {
  const market = getOpenMarket(state, event.market);
  const { rulebook } = state;
  const elapsed = event.timestamp - market.funding_time;
  require_(elapsed > 0n, "FUNDING_NOT_DUE");
  require_(abs(event.rate) <= rulebook.funding_rate_cap, "FUNDING_RATE_CAPPED");
  require_(!rulebook.funding_on_index || isIndexFresh(market, event.timestamp), "INDEX_STALE");
  const price = rulebook.funding_on_index ? market.index_price : market.mark_price;
  const accrued = price * event.rate * elapsed + market.funding_remainder;
  const growth = floor(accrued, ONE * rulebook.funding_interval);
  market.funding_index += growth;
  market.funding_remainder = isPlanted("funding_remainder_dropped") ? 0n : accrued - growth * ONE * rulebook.funding_interval;
  market.funding_time = event.timestamp;
}

// withdrawals less deposits within a window
function countOutflow(state, amount, time) {
  const { rulebook, outflow } = state;
  if (rulebook.withdrawal_limit === 0n) return;
  const taken = inWindow(outflow, rulebook.withdrawal_window, time);
  state.outflow = { drawn: max(taken + amount, 0n), since: taken > 0n ? outflow.since : time };
}

function deposit(state, event) {
  require_(event.amount > 0n, "AMOUNT_NOT_POSITIVE");
  pay(state, "@outside", keep(state, event.account), event.amount);
  countOutflow(state, -event.amount, event.timestamp);
}

// what leaves an account leaves it at initial margin, by marks that are not stale
function requireSpare(state, id, amount, time, checked = id) {
  const own = state.stakes[state.rulebook.vault]?.shares ?? 0n;
  require_(id !== state.rulebook.vault || own === state.vault_shares, "VAULT_HAS_HOLDERS");
  require_(areFresh(state, account(state, id), time), "MARK_STALE");
  const margin = m.marginOf(state, account(state, checked));
  require_(margin.equity - amount >= margin.initial, "BELOW_INITIAL_MARGIN");
}

// what stays behind of a withdrawal while a loss is uncovered
function getHaircut(state, amount) {
  const { rulebook, reserves } = state;
  const [loss, pooled] = [-reserves.uncovered, -reserves.outside - reserves.insurance - reserves.fees];
  if (!rulebook.withdrawals_are_cut || loss === 0n) return 0n;
  require_(pooled > 0n, "POOL_EXHAUSTED");
  return min(ceil(amount * loss, pooled + loss), loss);
}

function withdraw(state, event) {
  const { rulebook, reserves } = state;
  require_(event.amount > 0n, "AMOUNT_NOT_POSITIVE");
  require_(!rulebook.withdrawals_wait || reserves.uncovered === 0n, "LOSS_UNCOVERED");
  const haircut = getHaircut(state, event.amount);
  const leaving = event.amount - haircut;
  require_(leaving <= -reserves.outside, "POOL_EXHAUSTED");
  const taken = inWindow(state.outflow, rulebook.withdrawal_window, event.timestamp);
  require_(rulebook.withdrawal_limit === 0n || taken + leaving <= rulebook.withdrawal_limit, "WITHDRAWAL_LIMIT");
  requireSpare(state, event.account, event.amount, event.timestamp);
  const owner = keep(state, event.account);
  pay(state, owner, "@uncovered", haircut);
  pay(state, owner, "@outside", leaving);
  countOutflow(state, leaving, event.timestamp);
}

function transfer(state, event) {
  require_(event.amount > 0n, "AMOUNT_NOT_POSITIVE");
  require_(event.payer !== event.payee, "SELF_TRANSFER");
  const checked = isPlanted("payee_checked") ? event.payee : event.payer;
  requireSpare(state, event.payer, event.amount, event.timestamp, checked);
  pay(state, keep(state, event.payer), keep(state, event.payee), event.amount);
}

function fund_insurance(state, event) {
  require_(event.amount > 0n, "AMOUNT_NOT_POSITIVE");
  if (event.market !== undefined) {
    getOpenMarket(state, event.market);
    require_(false, "INSURANCE_NOT_SEPARATE");
  }
  pay(state, "@outside", "@insurance", event.amount);
}

function repay_loss(state, event) {
  require_(event.amount > 0n, "AMOUNT_NOT_POSITIVE");
  require_(event.amount <= -state.reserves.uncovered, "NOT_UNCOVERED");
  pay(state, "@outside", "@uncovered", event.amount);
}

function fill(state, event) {
  const [id, size, time] = [event.market, event.size, event.timestamp];
  const market = getTradingMarket(state, id);
  const { rules } = market;
  require_(event.taker !== event.maker, "SELF_TRADE");
  require_(size !== 0n, "SIZE_ZERO");
  require_(event.price > 0n, "PRICE_NOT_POSITIVE");
  require_(isWithin(event.price, market.mark_price, rules.fill_price_band), "PRICE_BAND");
  require_(event.order === undefined, "OFF_BOOK");
  const [taker, maker] = [account(state, event.taker), account(state, event.maker)];
  const [held, against] = [m.sizeOf(taker, id), m.sizeOf(maker, id)];
  const reduces = m.isReduction(held, held + size) && m.isReduction(against, against - size);
  require_(market.status !== "close_only" || reduces, "MARKET_CLOSE_ONLY");
  require_(isFresh(market, time) || reduces, "MARK_STALE");
  require_(isClean(rules, held, held + size) && isClean(rules, against, against - size), "DUST");
  const notional = abs(size) * event.price;
  const [takerFee, makerFee] = [rateOf(notional, rules.taker_fee_rate), rateOf(notional, rules.maker_fee_rate)];
  const gain = size * (market.mark_price - event.price);
  const left = m.openAfter(market, held, against, size);
  const limit = rules.open_interest_limit;
  require_(limit === 0n || left <= market.open_interest || left * market.mark_price <= limit, "OPEN_INTEREST_LIMIT");
  const charged = isPlanted("margin_before_fees") ? 0n : takerFee;
  require_(m.canBear(state, id, taker, held + size, gain - charged, left), "TAKER_MARGIN");
  require_(m.canBear(state, id, maker, against - size, -gain - makerFee, left), "MAKER_MARGIN");
  const [first, second] = [keep(state, event.taker), keep(state, event.maker)];
  const [buyer, seller] = size > 0n ? [first, second] : [second, first];
  trade(state, id, buyer, seller, abs(size), notional);
  pay(state, first, "@fees", takerFee);
  pay(state, second, "@fees", makerFee);
  pay(state, "@fees", "@insurance", floor((takerFee + makerFee) * state.rulebook.insurance_fee_share, ONE));
}

function set_leverage(state, event) {
  const market = getMarket(state, event.market);
  require_(event.leverage >= 0n, "LEVERAGE_NEGATIVE");
  require_(event.account !== state.rulebook.vault, "VAULT_LEVERAGE");
  const owner = account(state, event.account);
  const size = m.sizeOf(owner, event.market);
  const needed = (leverage) => m.initial(market, size, market.open_interest, leverage);
  const added = needed(event.leverage) - needed(m.leverageOf(owner, event.market));
  require_(added <= 0n || areFresh(state, owner, event.timestamp), "MARK_STALE");
  const margin = m.marginOf(state, owner);
  require_(added <= 0n || margin.equity >= margin.initial + added, "BELOW_INITIAL_MARGIN");
  const { leverages } = keep(state, event.account);
  if (event.leverage === 0n) delete leverages[event.market];
  else leverages[event.market] = event.leverage;
}

function set_market_status(state, event) {
  const market = getOpenMarket(state, event.market);
  require_(event.status !== "settling" && event.status !== "delisted", "STATUS_IS_AN_END");
  market.status = event.status;
}

function settle_market(state, event) {
  const market = getOpenMarket(state, event.market);
  require_(event.price > 0n, "PRICE_NOT_POSITIVE");
  Object.assign(market, { mark_price: event.price, mark_time: event.timestamp, status: "settling" });
}

function settle_pair(state, event) {
  const market = getMarket(state, event.market);
  require_(isEnding(market), "MARKET_OPEN");
  const bought = m.sizeOf(account(state, event.long), event.market);
  const sold = -m.sizeOf(account(state, event.short), event.market);
  require_(bought > 0n && sold > 0n, "NOT_OPPOSITE");
  const lots = min(bought, sold);
  trade(state, event.market, keep(state, event.short), keep(state, event.long), lots, lots * market.mark_price);
}

function delist_market(state, event) {
  const market = getMarket(state, event.market);
  require_(market.status === "settling", "MARKET_OPEN");
  require_(market.open_interest === 0n, "MARKET_NOT_FLAT");
  market.status = "delisted";
}

const advance_time = () => {};

module.exports = {
  EVENTS: {
    list_market, deposit, withdraw, transfer, fund_insurance, repay_loss, advance_time, mark_price, index_price, apply_funding,
    fill, set_leverage, set_market_status, settle_market, settle_pair, delist_market,
  },
  getMarket, getTradingMarket, isIndexFresh, areFresh, isWithin, isClean,
};
