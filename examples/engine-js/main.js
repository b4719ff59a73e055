// A risk engine that speaks riskcore's conformance protocol: one JSON object a line in, one out (CONFORMANCE.md).
"use strict";

const readline = require("node:readline");
const { decode, encode, load, dump, hash } = require("./wire");
const { FAULTS, plant } = require("./faults");
const { Rejected, Unsupported, require_ } = require("./ledger");

const EVENTS = { ...require("./ordinary").EVENTS, ...require("./forced").EVENTS };
const STEPS = new Set(["deleverage", "end_deleveraging"]);

let state = null;

// why a state is none that this engine can hold; undefined where it can
function getObstacle({ rulebook, accounts, markets, orders }) {
  if (rulebook.has_book || Object.keys(orders).length > 0) return "no order book";
  if (rulebook.adl_allocation !== "queue") return "no deleveraging but by queue";
  const isQuoted = Object.values(markets).some((market) => market.bid_price > 0n || market.ask_price > 0n);
  const isResting = Object.values(accounts).some((account) => Object.keys(account.resting).length > 0);
  if (isQuoted || isResting) return "no order book";
  if (Object.values(markets).some((market) => market.rules.insurance_separate || market.insurance > 0n)) {
    return "no markets with a part of the insurance fund of their own";
  }
}

function reset(message) {
  const loaded = load(decode(message.state));
  const reason = getObstacle(loaded);
  if (reason !== undefined) return { type: "unsupported", reason };
  state = loaded;
  return { type: "ready" };
}

function getAggregates() {
  const sum = (values) => values.reduce((total, value) => total + value, 0n);
  const lots = Object.entries(state.markets).map(([id, market]) => [id, market.open_interest]);
  return {
    ...state.reserves,
    balances: sum(Object.values(state.accounts).map((account) => account.balance)),
    open_interest: Object.fromEntries(lots),
  };
}

// every guard of an event passes before its first write, so a rejected one leaves the state as it was
function apply(event) {
  require_(!state.seen.has(event.id), "DUPLICATE_ID");
  require_(event.sequence > state.sequence, "SEQUENCE_NOT_AHEAD");
  require_(event.timestamp >= state.timestamp, "TIME_BACKWARDS");
  require_(!state.deleveraging || STEPS.has(event.event), "DELEVERAGING_OPEN");
  require_(!state.sharing, "SHARING_OPEN");
  EVENTS[event.event](state, event);
  state.seen.add(event.id);
  state.sequence = event.sequence;
  state.timestamp = event.timestamp;
}

function step(message) {
  let rejected = null;
  try {
    apply(decode(message.event));
  } catch (error) {
    if (error instanceof Unsupported) return { type: "unsupported", reason: error.message };
    if (!(error instanceof Rejected)) throw error;
    rejected = error.message;
  }
  return { type: "outcome", rejected, aggregates: getAggregates(), hash: hash(state) };
}

function answer(message) {
  switch (message.type) {
    case "hello":
      return {
        type: "hello", protocol: "1", engine: "engine-js", events: Object.keys(EVENTS),
        features: ["state", "hash", "rules", "partial_states"],
      };
    case "reset":
      return reset(message);
    case "event":
      return step(message);
    case "state":
      return { type: "state", state: dump(state) };
    default:
      return { type: "error", message: `no message of type ${message.type}` };
  }
}

function main(args) {
  if (args[0] === "--faults") {
    for (const [name, words] of Object.entries(FAULTS)) console.log(`${name}: ${words}`);
    return;
  }
  if (args[0] === "--fault") plant(args[1]);
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    process.stdout.write(`${encode(answer(JSON.parse(line)))}\n`);
  });
}

main(process.argv.slice(2));
