// What an account is worth, what it must be worth, and what a change of position does to that (specs/tiers.py, specs/contract.py).
"use strict";

const { isPlanted } = require("./faults");

const ONE = 1000000n;

const abs = (value) => (value < 0n ? -value : value);
const max = (...values) => values.reduce((first, second) => (first > second ? first : second));
const min = (...values) => values.reduce((first, second) => (first < second ? first : second));
// BigInt's division cuts toward zero: these round down and up, for denominators above zero
const floor = (a, b) => (a >= 0n || a % b === 0n ? a / b : a / b - 1n);
const ceil = (a, b) => -floor(-a, b);
const rateOf = (amount, rate) => (isPlanted("requirement_rounded_down") ? floor(amount * rate, ONE) : ceil(amount * rate, ONE));

// atoms for a notional, at one rate for each bracket: marginal or slab, rounded up once
function tiered(rules, notional, rates) {
  const floors = [0n, ...rules.tiers.map((tier) => tier.floor)];
  if (floors.length === 1) return rateOf(notional, rates[0]);
  let exact = 0n;
  if (rules.tier_rule === "slab" || isPlanted("tier_without_deduction")) {
    floors.forEach((start, i) => { if (notional > start) exact = max(exact, notional * rates[i]); });
  } else {
    floors.forEach((start, i) => {
      const end = i + 1 < floors.length ? floors[i + 1] : notional;
      exact += max(min(notional, end) - start, 0n) * rates[i];
    });
  }
  return ceil(exact, ONE);
}

function initialRates(rules, openNotional) {
  const rates = [rules.initial_margin_rate, ...rules.tiers.map((tier) => tier.initial_margin_rate)];
  const [low, high] = [rules.open_interest_floor, rules.open_interest_cap];
  if (high === 0n) return rates;
  return rates.map((rate) => min(rate + floor(max(openNotional - low, 0n) * (ONE - rate), high - low), ONE));
}

function initial(market, size, openInterest, leverage) {
  const notional = abs(size) * market.mark_price;
  const needed = tiered(market.rules, notional, initialRates(market.rules, openInterest * market.mark_price));
  return leverage > 0n ? max(needed, ceil(notional, leverage)) : needed;
}

function maintenance(market, size) {
  const rates = [market.rules.maintenance_margin_rate, ...market.rules.tiers.map((tier) => tier.maintenance_margin_rate)];
  return tiered(market.rules, abs(size) * market.mark_price, rates);
}

const sizeOf = (account, market) => account.positions[market]?.size ?? 0n;
const leverageOf = (account, market) => account.leverages[market] ?? 0n;

function marginOf(state, account) {
  const sum = { equity: account.balance, initial: 0n, maintenance: 0n };
  for (const [id, position] of Object.entries(account.positions)) {
    const market = state.markets[id];
    sum.equity += position.size * (market.mark_price - market.funding_index + position.entry_index);
    sum.initial += initial(market, position.size, market.open_interest, leverageOf(account, id));
    sum.maintenance += maintenance(market, position.size);
  }
  return sum;
}

const isBelow = (margin) =>
  isPlanted("boundary_is_liquidated") ? margin.equity <= margin.maintenance : margin.equity < margin.maintenance;

const isReduction = (before, after) =>
  isPlanted("flip_counts_as_reduction")
    ? before !== 0n && (before > 0n ? after < before : after > before)
    : (after >= 0n && after < before) || (after <= 0n && after > before);

// lots that are open once `lots`, signed, have gone from a position of `against` to one of `held`
const openAfter = (market, held, against, lots) =>
  market.open_interest + max(held + lots, 0n) - max(held, 0n) + max(against - lots, 0n) - max(against, 0n);

// whether an account may go from its size to another, gaining atoms at mark, with so many lots open then
function canBear(state, id, account, size, gained, left) {
  const [market, before, leverage] = [state.markets[id], sizeOf(account, id), leverageOf(account, id)];
  const margin = marginOf(state, account);
  const equity = margin.equity + gained;
  const needed = margin.initial + initial(market, size, left, leverage) - initial(market, before, market.open_interest, leverage);
  const kept = margin.maintenance + maintenance(market, size) - maintenance(market, before);
  return equity >= needed || (isReduction(before, size) && equity * margin.maintenance >= margin.equity * kept);
}

// equity that belongs to `lots` of a position, by the maintenance that they release, rounded down
function equityShare(margin, market, size, lots) {
  if (isPlanted("part_takes_all_equity")) return margin.equity;
  return floor(margin.equity * (maintenance(market, size) - maintenance(market, abs(size) - lots)), margin.maintenance);
}

module.exports = {
  ONE, abs, max, min, floor, ceil, rateOf, initial, maintenance, sizeOf, leverageOf, marginOf, isBelow, isReduction, openAfter,
  canBear, equityShare,
};
