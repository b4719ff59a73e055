// The two verbs that move everything: `pay` cash, `trade` contracts. What one side gives the other receives.
"use strict";

const { newAccount } = require("./wire");
const { isPlanted } = require("./faults");
const { abs, floor, max, min } = require("./margin");

class Rejected extends Error {}
class Unsupported extends Error {}

function require_(condition, rule) {
  if (!condition) throw new Rejected(rule);
}

// an account that nobody has heard of is an empty one; it is kept once something moves
const account = (state, id) => state.accounts[id] ?? newAccount();
const keep = (state, id) => (state.accounts[id] ??= newAccount());

const isReserve = (state, owner) => typeof owner === "string" && owner.startsWith("@");

function add(state, owner, amount) {
  if (isReserve(state, owner)) state.reserves[owner.slice(1)] += amount;
  else owner.balance += amount;
}

// owners are accounts, or reserves by their name behind an "@"
function pay(state, payer, payee, amount) {
  add(state, payer, -amount);
  add(state, payee, amount);
}

function resize(state, id, owner, lots, debit) {
  const market = state.markets[id];
  const position = owner.positions[id] ?? { size: 0n, cost: 0n, entry_index: 0n, opened: 0n };
  pay(state, owner, "@transit", position.size * (market.funding_index - position.entry_index));
  const size = position.size + lots;
  const isKept = isPlanted("entry_index_kept") && position.size !== 0n;
  if (size === 0n) delete owner.positions[id];
  else {
    owner.positions[id] = {
      size,
      cost: costAfter(position, lots, debit),
      entry_index: isKept ? position.entry_index : market.funding_index,
      opened: position.size * size > 0n ? position.opened : state.sequence,
    };
  }
  return max(size, 0n) - max(position.size, 0n);
}

// growing adds the debit, shrinking keeps the share of what stays, crossing zero starts anew; shares round down
function costAfter({ size, cost }, lots, debit) {
  const after = size + lots;
  if (size * lots >= 0n) return isPlanted("cost_of_shorts_not_updated") && size < 0n ? cost : cost + debit;
  return size * after > 0n ? floor(cost * abs(after), abs(size)) : floor(debit * abs(after), abs(lots));
}

// `lots` go from the seller to the buyer, `amount` atoms the other way; both settle their funding first
function trade(state, id, buyer, seller, lots, amount) {
  let longs = resize(state, id, buyer, lots, amount);
  const sold = resize(state, id, seller, -lots, -amount);
  if (!isPlanted("open_interest_of_one_side")) longs += sold;
  state.markets[id].open_interest += longs;
  pay(state, buyer, seller, amount);
}

// what the insurance fund may pay now: above its floor, and within its limit for a window
function available(state, time) {
  const { rulebook, reserves, draws } = state;
  let left = reserves.insurance - state.separate_insurance - rulebook.insurance_floor;
  if (rulebook.insurance_draw_limit > 0n) {
    left = min(left, rulebook.insurance_draw_limit - inWindow(draws, rulebook.insurance_draw_window, time));
  }
  return max(left, 0n);
}

const inWindow = (draws, window, time) => (time < draws.since + window ? draws.drawn : 0n);

// the fund pays, and it is counted against its limit and to the market, where there is one
function cover(state, payee, amount, time, market) {
  pay(state, "@insurance", payee, amount);
  const { rulebook, draws } = state;
  if (rulebook.insurance_draw_limit !== 0n && amount !== 0n) {
    const before = inWindow(draws, rulebook.insurance_draw_window, time);
    state.draws = { drawn: before + amount, since: before > 0n ? draws.since : time };
  }
  if (market) market.insurance_used += amount;
}

module.exports = { Rejected, Unsupported, require_, account, keep, pay, trade, available, inWindow, cover };
