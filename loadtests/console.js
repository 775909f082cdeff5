// The lab's part of Locust's page: the prediction under the form, and in the tab State what is known so far.
// Locust's page is drawn by React: nothing of it is changed here, our elements only stand beside its own.
"use strict";
(() => {
  const base = document.currentScript.src.replace(/console\.js.*/, "");
  const style = document.createElement("style");
  style.textContent = `
    .statelab { font: 14px/1.45 system-ui, sans-serif; margin: 0 0 1.2rem; overflow-wrap: anywhere; }
    .statelab h3 { font-size: 1rem; margin: 1.1rem 0 .3rem; }
    .statelab .tiles { display: flex; flex-wrap: wrap; gap: .6rem; }
    .statelab .tile { border: 1px solid #8a8a8a66; border-radius: 8px; padding: .45rem .8rem; min-width: 8rem; }
    .statelab .tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; line-height: 1.25; }
    .statelab .tile i { font-style: normal; opacity: .8; }
    .statelab .who { border-left: 8px solid; }
    .statelab .violated { background: #d55e00; color: #fff; border-color: #d55e00; }
    .statelab .held { background: #007a57; color: #fff; border-color: #007a57; }
    .statelab .said { border-left: 4px solid #0072B2; padding: .2rem .8rem; }
    .statelab pre { white-space: pre-wrap; font: 12.5px/1.5 ui-monospace, monospace; margin: .4rem 0; }
    .statelab svg { max-width: 100%; height: auto; }
    .statelab .wide { overflow-x: auto; scrollbar-color: #8a8a8a transparent; }
    .statelab .wide svg { min-width: 620px; }`;
  document.head.append(style);

  const make = (tag, text, kind) => {
    const e = document.createElement(tag);
    if (text !== undefined) e.textContent = text;
    if (kind) e.className = kind;
    return e;
  };
  const number = n => n.toLocaleString("en");
  const ask = async path => (await fetch(base + path)).json();

  // The prediction: of the fields of the form while it is shown, of the cell that runs in the tab State.
  let chosen = null;
  const forecast = make("div", undefined, "statelab said");
  forecast.setAttribute("role", "status");
  async function foretell() {
    const field = name => document.querySelector(`select[name="${name}"]`);
    if (!field("mechanism")) return;
    const now = new URLSearchParams(["mechanism", "deployment", "window"].map(n => [n, field(n)?.value ?? ""])).toString();
    const form = field("mechanism").closest("form");
    if (forecast.parentElement !== form) form.querySelector("button[type=submit]")?.before(forecast);
    if (now === chosen) return;
    chosen = now;
    const told = await ask("predicted?" + now);
    forecast.replaceChildren(...inWords(told, field("mechanism").value, field("deployment").value));
  }
  function inWords(told, mechanism, deployment) {
    if (told.refused) return [make("span", told.refused)];
    const names = Object.entries(told.anomalies);
    const head = told.unknown ? `No prediction for ${mechanism} on ${deployment}: ${told.reason}.`
      : names.length ? `Predicted for ${mechanism} on ${deployment}: ${names.map(([n, m]) => `${n} (${m})`).join("; ")}.`
      : `Predicted for ${mechanism} on ${deployment}: it holds.`;
    const why = told.unknown ? [] : [make("div", `Why: ${told.reason}.`)];
    const not = told.unavailable ? [make("div", `Not available here: ${told.unavailable}`)] : [];
    return [make("strong", head), ...why, ...not];
  }

  // The tab State.
  const panel = make("section", undefined, "statelab");
  panel.setAttribute("aria-label", "State, live");
  const before = make("div", undefined, "said"), figures = make("div", undefined, "tiles");
  const verdict = make("p"), chart = make("div", undefined, "wide"), proof = make("div");
  figures.setAttribute("aria-live", "off");
  let proved = "", told = "";
  const head = make("h3", "So far");
  panel.append(before, head, figures, verdict, chart, proof);

  function tile(title, value, kind, note) {
    const e = make("div", undefined, "tile " + (kind ?? ""));
    e.append(make("i", title), make("b", value));
    if (note) e.append(make("i", note));
    return e;
  }
  function draw(seen) {
    if (seen.gone) { verdict.textContent = seen.gone; return; }
    const done = Object.entries(seen.acknowledged).map(([op, n]) => `${number(n)} ${op}`);
    const all = Object.values(seen.acknowledged).reduce((a, b) => a + b, 0);
    head.textContent = seen.ended ? "After the end" : "So far";
    const tiles = [tile("acknowledged", number(all), "", done.length > 1 ? done.join(", ") : done[0]?.replace(/^\S+ /, ""))];
    for (const one of seen.shown) {
      const e = tile(`${one.name} says`, /^-?\d+$/.test(one.value) ? number(+one.value) : one.value, "who");
      e.style.borderLeftColor = one.colour;
      tiles.push(e);
    }
    if (seen.further) tiles.push(tile("and", number(seen.further), "", "processes that answered before these"));
    if (seen.lost) tiles.push(tile(seen.ended ? "lost" : "lost so far", seen.lost[0] === seen.lost[1] ? number(seen.lost[0])
      : `${number(seen.lost[0])} to ${number(seen.lost[1])}`, "", "within each copy of the state"));
    const names = Object.keys(seen.anomalies);
    const kind = seen.verdict === "violated" ? "violated" : seen.verdict === "held" ? "held" : "";
    tiles.push(tile(seen.ended ? "verdict" : "verdict so far", seen.verdict, kind, names.join(", ")));
    if (seen.failed || seen.unknown) tiles.push(tile("not acknowledged", number(seen.failed + seen.unknown), "",
      `${number(seen.failed)} refused or failed, ${number(seen.unknown)} unknown`));
    figures.replaceChildren(...tiles);
    const judged = `Judged: ${number(seen.judged)} of ${number(seen.recorded)} operations`;
    verdict.textContent = [seen.reason, judged, ...seen.notes].map(said => `${said}.`).join(" ");
    chart.replaceChildren(plot(seen.chart));
    const text = seen.proof?.text ?? "";
    if (text === proved) return;
    proved = text;
    proof.replaceChildren();
    if (!seen.proof) return;
    const picture = make("div", undefined, "wide");
    picture.innerHTML = seen.proof.svg;  // made by the lab, with all text escaped
    proof.append(make("h3", `The smallest proof: ${seen.proof.anomaly}`), picture, make("pre", text));
  }

  // Acknowledged against shown: lines over seconds, each with its name at its end.
  function plot(lines) {
    const W = 960, H = 260, L = 60, R = 780, T = 16, B = 230, NS = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(NS, "svg");
    const add = (tag, attributes, text) => {
      const e = document.createElementNS(NS, tag);
      for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
      if (text !== undefined) e.textContent = text;
      svg.append(e);
    };
    const title = "Acknowledged, and what each process says, over time";
    for (const [k, v] of Object.entries({viewBox: `0 0 ${W} ${H}`, width: W, role: "img", "aria-label": title,
      fill: "currentColor", "font-size": 12})) svg.setAttribute(k, v);
    const all = lines.flatMap(l => l.points);
    const end = Math.max(1, ...all.map(p => p[0])), top = Math.max(1, ...all.map(p => p[1]));
    const x = s => L + s / end * (R - L), y = v => B - Math.max(0, v) / top * (B - T);
    for (const share of [0, .5, 1]) {
      add("path", {d: `M${L} ${y(top * share)}H${R}`, stroke: "#8a8a8a", opacity: .35});
      add("text", {x: L - 6, y: y(top * share) + 4, "text-anchor": "end"}, number(Math.round(top * share)));
    }
    add("text", {x: R, y: B + 20, "text-anchor": "end"}, `${end.toFixed(0)} s`);
    add("text", {x: L, y: B + 20}, "0 s");
    let last = Infinity;
    for (const line of [...lines].sort((a, b) => a.points.at(-1)[1] - b.points.at(-1)[1])) {
      const dash = line.name === "acknowledged" ? {"stroke-dasharray": "7 4"} : {};
      add("polyline", {points: line.points.map(p => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join(" "),
        fill: "none", stroke: line.colour, "stroke-width": 2.5, ...dash});
      const [s, v] = line.points.at(-1);
      last = Math.min(y(v) + 4, last - 14);
      add("text", {x: x(s) + 8, y: last, fill: line.colour, "font-weight": 600}, `${line.name} ${number(v)}`);
    }
    return svg;
  }

  async function show() {
    const tab = [...document.querySelectorAll("[role=tab]")].find(t => t.textContent.trim() === "State");
    const open = tab?.getAttribute("aria-selected") === "true";
    if (!open) { panel.remove(); return; }
    const row = tab.closest(".MuiTabs-root")?.parentElement;
    const place = row?.nextElementSibling === panel ? null : row;
    place?.after(panel);
    const text = await (await fetch(base + "seen")).text();
    if (text === told) return;
    told = text;
    const {seen, predicted, mechanism, deployment} = JSON.parse(text);
    if (predicted) before.replaceChildren(...inWords(predicted, mechanism, deployment));
    if (seen) draw(seen);
  }
  async function always() {
    try { await foretell(); await show(); } catch { /* Locust has ended or is busy: the page says so itself */ }
    setTimeout(always, 500);
  }
  let opened = false;
  setInterval(() => {  // the fields of the lab are the interesting ones: open at first
    const head = [...document.querySelectorAll(".MuiAccordionSummary-root")].find(e => e.textContent.includes("Custom parameters"));
    if (!head) { opened = false; return; }
    if (!opened && head.getAttribute("aria-expanded") === "false") head.click();
    opened = true;
  }, 200);
  always();
})();
