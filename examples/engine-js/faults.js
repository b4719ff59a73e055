// Faults that have happened to real engines, to be switched on one at a time: `--fault NAME`. All are off by default.
"use strict";

const FAULTS = {
  requirement_rounded_down: "rates of a notional, and with them margin requirements, are rounded down",
  tier_without_deduction: "in a market with brackets the highest rate reached is that of the whole notional",
  boundary_is_liquidated: "an account exactly at maintenance margin may be liquidated",
  flip_counts_as_reduction: "a position that goes through zero counts as one that shrinks",
  part_takes_all_equity: "closing a part hands over the equity of the whole account",
  funding_remainder_dropped: "what the funding index's division leaves over is thrown away",
  funding_from_time_zero: "a new market's first funding interval begins at time zero",
  mark_skips_funding: "a new mark moves the funding clock without accruing",
  entry_index_kept: "a position whose size changed keeps the funding index that it entered at",
  open_interest_of_one_side: "open interest follows the buyer alone",
  cost_of_shorts_not_updated: "selling more leaves a short's cost, and so its average entry, as it was",
  margin_before_fees: "the taker of a fill is judged before its fee",
  stale_mark_accepted: "marks are never too old to withdraw or to liquidate by",
  payee_checked: "a transfer checks the margin of who receives",
  fee_credited_as_requested: "insurance is credited a liquidation fee as requested, the account debited as capped",
  vault_without_margin: "the vault takes over beyond its own margin",
  deficit_net_of_insurance: "a deficit is counted net of the insurance fund, which then pays as well",
  debt_forgiven: "a debt that is written off is booked nowhere",
  queue_reversed: "the deleveraging queue is checked in reverse order of rank",
  adl_before_the_vault: "deleveraging begins although the vault has room",
  share_rounded_at_each_step: "each step of a deleveraging rounds its own part, so that they miss the share",
};

let active = null;

function plant(name) {
  if (!(name in FAULTS)) throw new Error(`no fault ${name}; there are: ${Object.keys(FAULTS).join(", ")}`);
  active = name;
}

module.exports = { FAULTS, plant, isPlanted: (name) => active === name };
