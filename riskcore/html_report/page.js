// The explorer and the charts. Every text from the log becomes a text node, never markup; a part of the steps is read
// when one of them is shown, and only the last few parts stay in memory.
(() => {
  const ROW = 26, KEPT = 24, SUGGESTED = 40;
  const $ = (id) => document.getElementById(id);
  const read = (id) => JSON.parse($(id).textContent);
  const all = read("data-steps"), queues = read("data-queues");
  const text = (number) => all.texts[number];

  function make(tag, content, kind, title) {
    const node = document.createElement(tag);
    if (kind) node.className = kind;
    if (title) node.title = title;
    node.append(...(Array.isArray(content) ? content : content === undefined ? [] : [content]));
    return node;
  }

  // Figures: a number, a text of digits beyond a double's, [n] for a text, null for none
  const isNumber = (figure) => typeof figure === "number" || typeof figure === "string";
  function show(figure) {
    if (figure === null) return "none";
    if (isNumber(figure)) return BigInt(figure).toLocaleString("en-US");
    return Array.isArray(figure) ? text(figure[0]) : String(figure);
  }
  function showTime(time) {
    const date = new Date(Number(time));
    return Number.isNaN(date.getTime()) ? show(time) : date.toISOString().replace("T", " ").replace("Z", " UTC");
  }
  const owner = (number) => (number < 0 ? make("span", text(-1 - number), "reserve") : make("span", text(number)));

  // Steps: as riskcore/html_report/steps.py writes them
  const parts = new Map();
  function getPart(number) {
    let part = parts.get(number);
    if (part === undefined) {
      part = read(`part-${number}`);
      parts.set(number, part);
      if (parts.size > KEPT) parts.delete(parts.keys().next().value);
    }
    return part;
  }
  function getStep(place) {
    const [event, id, sequence, time, fields, rejected, lines, changes, laws, broken] =
      getPart(Math.floor(place / all.part))[place % all.part];
    return { number: all.first + place, event: text(event), id, sequence, time, fields, rejected, lines, changes,
             laws: all.sets[laws], broken };
  }
  const getField = (step, names) => {
    for (let at = 0; at < step.fields.length; at += 2) {
      if (names.includes(text(step.fields[at]))) return show(step.fields[at + 1]);
    }
    return "";
  };

  // Whom a step is about, and in which market: as the event says it, else as its first trade does
  function getNames(step) {
    const trade = step.lines.find((line) => line.length > 5);
    const parties = trade ? `${text(trade[0])} to ${text(trade[1])}` : "";
    return [getField(step, ["account", "taker", "payer"]) || parties,
            getField(step, ["market"]) || (trade ? text(trade[5]) : "")].filter(Boolean).join(" \u00b7 ");
  }

  // Filter: the places that are shown, in order; null is every place
  let shown = null, chosen = -1;
  const count = () => (shown === null ? all.count : shown.length);
  const placeAt = (row) => (shown === null ? row : shown[row]);
  function rowOf(place) {
    if (shown === null) return place;
    let low = 0, high = shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shown[middle] < place) low = middle + 1; else high = middle;
    }
    return low;
  }
  const spread = ([, ...gaps]) => { let at = 0; return gaps.map((gap) => (at += gap)); };
  const accounts = new Map(all.accounts.map((entry) => [text(entry[0]), entry]));
  const markets = new Map(all.markets.map((entry) => [text(entry[0]), entry]));
  const meet = (left, right) => {
    if (left === null) return right;
    const kept = new Set(right);
    return left.filter((place) => kept.has(place));
  };
  // Of an account by its name, or else of all whose names have the word in them
  function findPlaces(word) {
    if (accounts.has(word)) return spread(accounts.get(word));
    const part = word.toLowerCase(), places = new Set();
    for (const [name, entry] of accounts) {
      if (name.toLowerCase().includes(part)) for (const place of spread(entry)) places.add(place);
    }
    return [...places].sort((left, right) => left - right);
  }
  function filter() {
    const account = $("account").value, market = $("market").value, kind = $("kind").value;
    shown = null;
    if (account) shown = meet(shown, findPlaces(account));
    if (market) shown = meet(shown, markets.has(market) ? spread(markets.get(market)) : []);
    if (kind) shown = meet(shown, all[kind]);
    $("found").textContent = shown === null ? "" : `${count().toLocaleString("en-US")} steps`;
    $("slider").max = Math.max(count(), 1);
    $("list").scrollTop = 0;
    if (count()) choose(placeAt(Math.min(rowOf(Math.max(chosen, 0)), count() - 1)), false); else drawRows();
  }
  function suggest() {
    const word = $("account").value.toLowerCase(), found = [];
    for (const name of accounts.keys()) {
      if (name.toLowerCase().includes(word)) found.push(make("option", name));
      if (found.length === SUGGESTED) break;
    }
    $("accounts").replaceChildren(...found);
  }

  // The list: rows that are in view, and no others
  function drawRows() {
    const list = $("list"), first = Math.max(Math.floor(list.scrollTop / ROW) - 4, 0);
    const last = Math.min(first + Math.ceil(list.clientHeight / ROW) + 8, count());
    $("rows").style.height = `${count() * ROW}px`;
    const rows = [];
    for (let row = first; row < last; row++) {
      const place = placeAt(row), step = getStep(place);
      const kind = step.broken.length ? " lawless" : step.rejected ? " refused" : "";
      const node = make("div", [
        make("span", step.number.toLocaleString("en-US"), "n"),
        make("span", step.event, "what"),
        make("span", getNames(step), "who"),
      ], `row${kind}${place === chosen ? " chosen" : ""}`);
      node.style.top = `${row * ROW}px`;
      node.setAttribute("role", "option");
      node.setAttribute("aria-selected", String(place === chosen));
      node.addEventListener("click", () => choose(place));
      rows.push(node);
    }
    if (!count()) rows.push(make("p", "No step matches.", "none"));
    $("rows").replaceChildren(...rows);
  }

  // One step
  const table = (header, rows) => make("table", [
    ...(header.length ? [make("thead", make("tr", header.map(([name, kind]) => make("th", name, kind))))] : []),
    make("tbody", rows),
  ]);
  const wrap = (node) => make("div", node, "scroll");
  function drawFields(step) {
    const rows = [];
    for (let at = 0; at < step.fields.length; at += 2) {
      rows.push(make("tr", [make("td", text(step.fields[at]), "quiet"), make("td", show(step.fields[at + 1]))]));
    }
    return rows;
  }
  function drawLines(step) {
    return step.lines.map(([from, to, amount, reason, stage, market, lots]) => make("tr", [
      make("td", market === undefined ? "pay" : `trade ${show(lots)} lots of ${text(market)}`),
      make("td", owner(from)), make("td", owner(to)), make("td", show(amount), "right"),
      make("td", text(reason)), make("td", text(stage), "quiet"),
    ]));
  }
  function drawChanges(step) {
    return step.changes.flatMap(([kind, id, figures]) => {
      const rows = [make("tr", make("th", [make("span", text(kind), "quiet"), ` ${text(id)}`]), "owner")];
      rows[0].firstChild.colSpan = 4;
      for (let at = 0; at < figures.length; at += 3) {
        const [before, after] = [figures[at + 1], figures[at + 2]];
        const by = isNumber(before) && isNumber(after) ? BigInt(after) - BigInt(before) : null;
        rows.push(make("tr", [
          make("td", text(figures[at])), make("td", show(before), "right gone"), make("td", show(after), "right come"),
          make("td", by === null ? "" : (by > 0n ? "+" : "") + by.toLocaleString("en-US"), "right quiet"),
        ]));
      }
      return rows;
    });
  }
  function drawLaws(step) {
    const broken = new Map(step.broken.map(([law, clause]) => [text(law), text(clause)]));
    const chips = step.laws.map((law) => make("li", law, broken.has(law) ? "broken" : "", broken.get(law) ?? "holds"));
    return [
      ...[...broken].map(([law, clause]) => make("p", [make("strong", `${law} is violated: `), clause], "gone")),
      chips.length ? make("ul", chips, "lawchips") : make("p", "No law was checked.", "none"),
    ];
  }
  function drawStep(step) {
    const outcome = step.broken.length ? ["breaks a law", " lawless"]
      : step.rejected ? [`rejected: ${text(step.rejected[0])}`, " refused"] : ["accepted", ""];
    const right = "right", fields = drawFields(step), lines = drawLines(step), changes = drawChanges(step);
    const section = (title, node) => [make("h4", title), node];
    return [
      make("h3", `${step.number.toLocaleString("en-US")}  ${step.event}`),
      make("p", [make("span", outcome[0], `outcome${outcome[1]}`), step.rejected ? ` ${text(step.rejected[1])}` : ""]),
      make("p", `${step.id} \u00b7 sequence ${show(step.sequence)} \u00b7 ${showTime(step.time)}`, "quiet"),
      ...(fields.length ? section("The event", wrap(table([], fields))) : []),
      ...(lines.length ? section("Who paid and traded",
        wrap(table([["", ""], ["from", ""], ["to", ""], ["atoms", right], ["reason", ""], ["stage", ""]], lines))) : []),
      ...section("What it changed", changes.length
        ? wrap(table([["", ""], ["before", right], ["after", right], ["by", right]], changes))
        : make("p", "Nothing but its place in the log.", "none")),
      ...section(`Laws checked: ${step.laws.length}`, make("div", drawLaws(step))),
      ...section("Why", make("code", `${all.explain} ${step.number}`)),
    ];
  }

  function choose(place, isLinked = true) {
    chosen = place;
    const row = rowOf(place), list = $("list"), step = getStep(place);
    if (row * ROW < list.scrollTop || (row + 1) * ROW > list.scrollTop + list.clientHeight) {
      list.scrollTop = row * ROW - list.clientHeight / 2;
    }
    $("slider").value = row + 1;
    $("number").value = step.number;
    $("detail").replaceChildren(...drawStep(step));
    drawRows();
    if (isLinked) history.replaceState(null, "", `#step=${step.number}`);
  }
  function move(by) {
    const row = Math.min(Math.max(rowOf(chosen) + by, 0), count() - 1);
    if (count()) choose(placeAt(row));
  }
  function goTo(number) {
    const place = number - all.first;
    if (!Number.isInteger(place) || place < 0 || place >= all.count) {
      const range = `${all.first.toLocaleString("en-US")} to ${(all.first + all.count - 1).toLocaleString("en-US")}`;
      $("detail").replaceChildren(make("p", `Step ${number} is not on this page, which has steps ${range}.`, "note"));
      return;
    }
    if (shown !== null && shown[rowOf(place)] !== place) clear();
    choose(place);
  }
  function clear() {
    for (const id of ["account", "market", "kind"]) $(id).value = "";
    filter();
  }
  function follow() {
    const found = /^#step=(\d{1,15})$/.exec(location.hash);
    if (found) {
      goTo(Number(found[1]));
      $("steps-part").scrollIntoView();
    }
    return Boolean(found);
  }

  function startExplorer() {
    $("market").append(...[...markets.keys()].sort().map((name) => make("option", name)));
    $("number").min = all.first;
    $("number").max = all.first + all.count - 1;
    suggest();
    $("account").addEventListener("input", () => { suggest(); filter(); });
    for (const id of ["market", "kind"]) $(id).addEventListener("change", filter);
    $("clear").addEventListener("click", clear);
    $("slider").addEventListener("input", () => { if (count()) choose(placeAt(Number($("slider").value) - 1)); });
    $("number").addEventListener("change", () => goTo(Number($("number").value)));
    $("back").addEventListener("click", () => move(-1));
    $("on").addEventListener("click", () => move(1));
    $("list").addEventListener("scroll", drawRows, { passive: true });
    $("list").addEventListener("keydown", (press) => {
      const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[press.key];
      if (by) { press.preventDefault(); move(by); }
    });
    addEventListener("hashchange", follow);
    if (!all.count) { $("detail").append(make("p", "The log holds no event.", "none")); return; }
    filter();
    follow();
  }

  const specs = read("data-charts");
  const isStep = (datum) => datum && Number.isInteger(datum.step);
  function startCharts() {
    if (queues.length) specs.queue.datasets = { queue: getPlaces(0) }; else delete specs.queue;
    drawInView(specs, (id, view) => {
      view.addEventListener("click", (_, item) => {
        if (item && isStep(item.datum) && item.datum.step >= all.first) location.hash = `#step=${item.datum.step}`;
      });
      if (id === "queue") startQueues(view);
    });
  }
  const getPlaces = (number) => queues[number].places.flatMap(([account, before, after], at) => [
    { place: at + 1, account, when: "before", lots: Number(before) },
    { place: at + 1, account, when: "after", lots: Number(after) },
  ]);
  function startQueues(view) {
    const choice = $("queue-choice");
    choice.append(...queues.map(({ title }, number) => {
      const option = make("option", title);
      option.value = number;
      return option;
    }));
    const change = () => {
      const { step, facts } = queues[Number(choice.value)];
      view.data("queue", getPlaces(Number(choice.value))).run();
      $("queue-step").href = `#step=${step}`;
      $("queue-facts").tBodies[0].replaceChildren(...facts.map(([name, ...figures]) =>
        make("tr", [make("td", name), ...figures.map((figure) => make("td", figure, "right"))])));
    };
    choice.addEventListener("change", change);
    if (queues.length) change();
  }

  startExplorer();
  startCharts();
})();
