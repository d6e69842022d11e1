// The overview: follows /api/events and redraws at most five times a second. Text only ever goes in as text.
"use strict";

const statements = new Map();
const byId = (id) => document.getElementById(id);
const all = (topic) => [...statements.values()].filter((it) => it.topic === topic).map((it) => it.body);
const one = (topic) => all(topic)[0];

const money = (amount) => amount == null ? "?" :
  (amount.amount_e4 / 1e4).toLocaleString(undefined, { style: "currency", currency: amount.ccy });
const quantity = (e6) => (e6 / 1e6).toLocaleString(undefined, { maximumFractionDigits: 6 });
const when = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");

function rows(id, list) {
  byId(id).replaceChildren(...list.map((cells) => {
    const row = document.createElement("tr");
    for (const [text, kind] of cells) {
      const cell = document.createElement("td");
      cell.textContent = text;
      if (kind) cell.className = kind;
      row.append(cell);
    }
    return row;
  }));
}

function names() {
  const universe = one("market-universe");
  const found = new Map();
  for (const it of universe?.securities ?? []) found.set(it.isin, it.name ?? it.ticker ?? it.isin);
  return (isin) => found.get(isin) ?? isin;
}

function drawFund() {
  const display = one("display-state"), halt = one("risk-halt"), nav = one("portfolio-nav");
  const state = byId("state");
  state.textContent = halt?.halted ? "Halted: " + halt.halts.map((it) => it.text).join("; ") : (display?.mood ?? "…");
  state.className = halt?.halted || display?.mood === "alarm" ? "bad" : "";
  byId("nav").textContent = nav ? money(nav.nav) : "–";
  const change = display?.day_change;
  byId("change").textContent = change == null ? "" : (change * 100).toFixed(2) + " % today";
  byId("change").className = change < 0 ? "bad" : "good";
  byId("decision").textContent = one("plan-proposed")?.why ?? "";
}

function drawLists() {
  const name = names();
  const alerts = all("alert").map((it) => {
    const item = document.createElement("li");
    item.textContent = it.text;
    item.className = it.severity === "alarm" ? "bad" : "warn";
    return item;
  });
  byId("alerts").replaceChildren(...alerts);
  rows("positions", (one("portfolio-state")?.positions ?? [])
    .map((it) => [[name(it.isin)], [quantity(it.qty_e6), "number"], [money(it.value_eur), "number"]]));
  rows("orders", all("order-state").sort((a, b) => b.created - a.created).slice(0, 20)
    .map((it) => [[when(it.created), "soft"], [`${it.side} ${quantity(it.qty_e6)} ${name(it.isin)}`], [it.status]]));
  rows("stages", all("system-health").sort((a, b) => a.stage < b.stage ? -1 : 1)
    .map((it) => [[it.stage], [it.state, it.state === "healthy" ? "good" : "bad"], [it.last_error ?? it.last_decision ?? "", "soft"]]));
}

let due = false;
function draw() {
  if (due) return;
  due = true;
  setTimeout(() => { due = false; drawFund(); drawLists(); }, 200);
}

function follow() {
  const events = new EventSource("/api/events");
  events.onopen = () => statements.clear();
  events.onmessage = (event) => {
    const it = JSON.parse(event.data), place = it.topic + "/" + it.key;
    if (it.body === null) statements.delete(place); else statements.set(place, it);
    draw();
  };
  events.onerror = () => { byId("state").textContent = "Not connected; trying again…"; };
}

byId("halt").addEventListener("click", async () => {
  if (!confirm("Stop all trading? Only `steward resume` starts it again.")) return;
  const answer = await fetch("/api/halt", { method: "POST", body: JSON.stringify({ text: "Halted from the overview." }) });
  const said = await answer.json();
  alert(said.text ?? said.error.text);
});

fetch("/api/version").then((it) => it.json()).then((it) => { byId("environment").textContent = it.environment; });
follow();
