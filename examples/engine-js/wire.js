// States and events as JSON: integers are strings on the wire, BigInt here, bare digits in the text that is hashed.
"use strict";

const { createHash } = require("node:crypto");

// fields that hold ids or words; every other string is an integer
const TEXT = new Set(
  ("account ahead behind best_ask best_bid event id long loss_sharing maker market members order payee payer queue seen " +
    "short status taker tier_rule vault adl_allocation adl_close_out adl_rank adl_size type").split(" "),
);
// objects whose keys are ids
const BY_ID = new Set("accounts leverages markets open_interest orders positions resting stakes".split(" "));

// what a field is where it is left out; a field that has it is left out of the text that is hashed
const RULEBOOK = {
  takeover_rate: 1000000n, adl_close_out: "bankruptcy", withdrawals_wait: false, withdrawals_are_cut: false,
  vault_deposit_notice: 86400000n, vault_redemption_notice: 86400000n, vault_request_window: 86400000n,
  vault_deposit_minimum: 1n, insurance_fee_share: 0n, insurance_draw_limit: 0n, insurance_draw_window: 0n,
  liquidation_window: 0n, liquidation_cooldown: 0n, loss_sharing: "none", liquidation_target: 0n,
  liquidation_block_limit: 0n, vault_takes_deficits: false, adl_size: "whole", adl_seed: 0n, funding_on_index: false,
  adl_allocation: "queue", has_book: false, rules_notice: 0n, withdrawal_limit: 0n, withdrawal_window: 0n,
};
const RULES = {
  mark_move_limit: 0n, mark_age_limit: 0n, fill_price_band: 0n, tiers: [], tier_rule: "marginal",
  open_interest_floor: 0n, open_interest_cap: 0n, liquidation_share: 1000000n, liquidation_share_floor: 0n,
  minimum_size: 1n, liquidation_tier_step: false, liquidation_block_limit: 0n, vault_position_limit: 0n,
  mark_index_band: 0n, insurance_separate: false, open_interest_limit: 0n, index_age_limit: 0n, index_move_limit: 0n,
};
const MARKET = {
  status: "open", mark_time: 0n, insurance_used: 0n, sold: 0n, sold_time: 0n, previous_mark_price: (m) => m.mark_price,
  index_price: (m) => m.mark_price, index_time: (m) => m.mark_time, insurance: 0n, best_bid: "", best_ask: "",
  bid_price: 0n, ask_price: 0n, pending: null, pending_time: 0n,
};
const ACCOUNT = { liquidated: -1n, leverages: {}, sold: 0n, resting: {} };
const POSITION = { opened: 0n };
const EPISODE = { excess: 0n, sequence: 0n, level_lots: 0n, level_weight: 1n, remainder: 0n };
const RESERVES = { escrow: 0n };
const DRAWS = { drawn: 0n, since: 0n };
const STATE = { draws: {}, outflow: {}, orders: {}, stakes: {}, sharing: null, vault_shares: 0n, separate_insurance: 0n };

// JSON.parse's value with its integers as BigInt
function decode(value, name) {
  if (Array.isArray(value)) return value.map((entry) => decode(entry, name));
  if (value !== null && typeof value === "object") {
    const members = Object.create(null);
    for (const key of Object.keys(value)) members[key] = decode(value[key], BY_ID.has(name) ? undefined : key);
    return members;
  }
  return typeof value === "string" && !TEXT.has(name) ? BigInt(value) : value;
}

function encode(value) {
  return JSON.stringify(value, (key, entry) => (typeof entry === "bigint" ? entry.toString() : entry));
}

const copy = (value) => (Array.isArray(value) ? [] : value !== null && typeof value === "object" ? Object.create(null) : value);

function fill(members, defaults) {
  for (const [name, usual] of Object.entries(defaults)) {
    if (!(name in members)) members[name] = typeof usual === "function" ? usual(members) : copy(usual);
  }
  return members;
}

function strip(members, defaults) {
  const kept = Object.create(null);
  for (const [name, value] of Object.entries(members)) {
    const usual = typeof defaults[name] === "function" ? defaults[name](members) : defaults[name];
    const isEmpty = value !== null && typeof value === "object" && Object.keys(value).length === 0;
    if (!(name in defaults) || (value !== usual && !(isEmpty && typeof usual === "object"))) kept[name] = value;
  }
  return kept;
}

const fillRules = (rules) => fill(rules, RULES);
const fillMarket = (market) => ({ ...fill(market, MARKET), rules: fillRules(market.rules) });
const newAccount = () => fill({ balance: 0n, positions: Object.create(null) }, ACCOUNT);

// a state with every field in its place
function load(members) {
  const state = fill(members, STATE);
  fill(state.rulebook, RULEBOOK);
  fill(state.reserves, RESERVES);
  for (const id of Object.keys(state.markets)) state.markets[id] = fillMarket(state.markets[id]);
  for (const account of Object.values(state.accounts)) {
    fill(account, ACCOUNT);
    for (const position of Object.values(account.positions)) fill(position, POSITION);
  }
  if (state.deleveraging) fill(state.deleveraging, EPISODE);
  for (const name of ["draws", "outflow"]) fill(state[name], DRAWS);
  state.seen = new Set(state.seen);
  return state;
}

// the same without what is at its default: what is shown, and hashed but for the version, `seen` and empty accounts
function dump(state) {
  const each = (members, change) => Object.fromEntries(Object.entries(members).map(([id, value]) => [id, change(value)]));
  const market = (value) => strip({ ...value, rules: strip(value.rules, RULES) }, MARKET);
  const account = (value) => strip({ ...value, positions: each(value.positions, (one) => strip(one, POSITION)) }, ACCOUNT);
  const shown = {
    ...state,
    rulebook: strip(state.rulebook, RULEBOOK),
    markets: each(state.markets, market),
    accounts: each(state.accounts, account),
    deleveraging: state.deleveraging && strip(state.deleveraging, EPISODE),
    reserves: strip(state.reserves, RESERVES),
    draws: strip(state.draws, DRAWS),
    outflow: strip(state.outflow, DRAWS),
    seen: [...state.seen].sort(),
  };
  return { ...strip(shown, { ...STATE, stakes: undefined, vault_shares: undefined }), riskcore_snapshot: 1n };
}

function hash(state) {
  const { seen, riskcore_snapshot, ...members } = dump(state);
  const isSaid = ([, account]) => Object.keys(account).length > 2 || account.balance !== 0n || Object.keys(account.positions).length;
  members.accounts = Object.fromEntries(Object.entries(members.accounts).filter(isSaid));
  return createHash("sha256").update(canonical(members)).digest("hex");
}

// keys by code point, no white space, what is not ASCII escaped
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).sort(byCodePoint);
    return `{${keys.map((key) => `${canonical(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function byCodePoint(first, second) {
  const [left, right] = [[...first], [...second]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i].codePointAt(0) - right[i].codePointAt(0);
  }
  return left.length - right.length;
}

module.exports = { decode, encode, load, dump, hash, fillRules, fillMarket, newAccount, byCodePoint };
