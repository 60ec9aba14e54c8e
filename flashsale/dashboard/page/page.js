/* Shows the sale: hands each change to the part of the page that it is about. */

import { act, follow } from "./connection.js";
import { byId, clockTime, count, element, errorLine, last, milliseconds, seconds, write } from "./elements.js";
import { Flow } from "./flow.js";
import { Nodes } from "./nodes.js";
import { Pods, TITLES } from "./pods.js";
import { Timeline } from "./timeline.js";

const STOP = "Stop";
const NEWS = 40;       // lines of what happened
const GATHER = 3000;   // milliseconds of losses that are spoken as one
const SPOKEN = ["died", "ready", "scaled", "note", "sale", "node"];
const state = { sale: null, found: new Map(), broken: "", spoken: null, shownWhy: "" };
const pods = new Pods((pod, how) => ask("kill", { pod, how }));
const nodes = new Nodes((action, node) => ask(action, { node }));
const flow = new Flow(pods);
const timeline = new Timeline();

function changed(found, names) {
  Object.assign(state, { found, broken: "" });
  if (names.has("sale")) state.sale = found.get("sale");
  const { sale } = state;
  if (!sale) return;
  document.body.classList.remove("waiting");
  if (names.has("sale")) showSale(sale);
  pods.update(found, names, sale);
  if (names.has("nodes")) showNodes(found.get("nodes") || [], found.get("node_timing"));
  timeline.update(found, names);
  if (names.has("healings")) showHealings(found.get("healings") || []);
  if (names.has("why")) write(byId("why"), found.get("why") || "");
  if (names.has("moments")) showMoments(found.get("moments") || []);
  if (names.has("buyers") || names.has("sale")) showBuyers(found.get("buyers"));
  if (names.has("drill") || names.has("buyers")) showDrill(found.get("drill"));
  showLink();
  offer();
}

function broken(why) {
  state.broken = why;
  document.body.classList.remove("waiting");
  showLink();
  offer();
}

/* Says why nothing can be changed now; nothing where it can. */
function hindrance() {
  const { sale, broken: why } = state;
  if (why) return "The dashboard does not answer.";
  if (!sale || !sale.connected) return "There is no sale yet.";
  if (sale.closed) return "The sale is closed.";
  if (sale.stale) return "The cluster does not answer.";
  return sale.known ? "" : "The sale is not known yet.";
}

/* Buttons can be pressed only while they lead to something: what runs can always be stopped. */
function offer() {
  const why = hindrance();
  pods.offer(why);
  nodes.offer(why);
  for (const button of byId("controls").querySelectorAll("button")) {
    const stops = !state.broken && button.textContent === STOP;
    button.setAttribute("aria-disabled", String(Boolean(why) && !stops));
    button.title = why && !stops ? why : TITLES[button.value] || "";
  }
  write(byId("hindrance"), why && `${why} Nothing can be changed now.`);
}

function showSale(sale) {
  write(byId("where"), sale.cluster ? `on ${sale.cluster}${sale.namespace === "default" ? "" : `, namespace ${sale.namespace}`}` : "");
  for (const name of ["desired", "current", "ready"]) write(byId(name), sale.known ? String(sale[name]) : "-");
  byId("ready").parentElement.className = !sale.known || sale.ready >= sale.desired ? "" : "warn";
  byId("controls").hidden = byId("skip").hidden = sale.read_only;
  const wanted = byId("replicas");
  if (document.activeElement !== wanted && sale.known) wanted.value = String(sale.desired);
  document.title = sale.known ? `${sale.ready}/${sale.desired} ready - flashsale` : "flashsale dashboard";
}

function showNodes(found, timing) {
  nodes.update(found);
  const able = found.some((node) => node.kill || node.start);
  byId("drill-node-label").hidden = !able;
  write(byId("node-timing"), able && timing ? timing : "");
}

/* Says how fresh the picture is; what is not is grey. */
function showLink() {
  const { sale, broken: why } = state;
  const [word, banner] = why ? away(why) : sale ? freshness(sale) : ["connecting", null];
  const stale = Boolean(banner);
  document.body.classList.toggle("stale", stale);
  document.body.classList.toggle("ended", Boolean(why));  // purchases are counted here, and stay true till then
  write(byId("link-word"), word);
  byId("link").className = stale ? "bad" : "good";
  const line = byId("banner");
  line.hidden = !banner;
  if (!banner) return;
  const text = JSON.stringify(banner);
  if (line.dataset.shown !== text) errorLine(line, banner.text, banner);
  line.dataset.shown = text;
}

function away(why) {
  if (why === "stranger") return ["refused", { text: "This browser was not let in. Open the address that flashsale dashboard printed.", command: "", words: "" }];
  return ["not connected", { text: "The dashboard has ended; what you see is how the sale was then.", command: "flashsale dashboard", words: "starts it again, at a new address" }];
}

function freshness(sale) {
  const hint = sale.trouble || { command: "", words: "" };
  if (!sale.connected) return ["no sale", sale.trouble || { text: "Looking for the sale ...", command: "", words: "" }];
  if (sale.closed) return ["closed", { text: "The sale was closed.", command: "flashsale up", words: "opens it again" }];
  if (sale.stale) {
    const text = `The cluster does not answer; what you see is how the sale was at ${clockTime(sale.stale.heard)}.`;
    return ["stale", { text, command: hint.command, words: hint.words }];
  }
  if (!sale.known) return ["looking", null];
  return ["live", null];
}

function showBuyers(buyers) {
  const running = Boolean(buyers && buyers.running);
  const known = Boolean(buyers);
  write(byId("rate"), running ? count(Math.round(buyers.rate)) : "-");
  write(byId("confirmed"), known ? count(buyers.confirmed) : "-");
  write(byId("lost"), known ? count(buyers.lost) : "-");
  byId("lost-tile").className = `sold${known && buyers.lost ? " bad" : ""}`;
  const ours = running && buyers.ours;
  write(byId("crowd-button"), ours ? STOP : "Start");
  byId("crowd-rate").readOnly = ours;
  if (ours && buyers.wanted) byId("crowd-rate").value = String(buyers.wanted);
  write(byId("crowd-note"), crowdNote(buyers));
  flow.update(buyers);
}

function crowdNote(buyers) {
  if (!buyers) return "";
  if (buyers.running && !buyers.ours) return "Another window sends them.";
  const quick = buyers.p99 ? `half are served within ${milliseconds(buyers.p50)}, 99 % within ${milliseconds(buyers.p99)}; ` : "";
  const going = `${quick}they come until you stop them, also when this page is closed`;
  const parts = [buyers.running ? going : buyers.ended];
  if (buyers.rejected) parts.push(`${count(buyers.rejected)} rejected`);
  if (buyers.unsent) parts.push(`${count(buyers.unsent)} that this machine could not send`);
  return parts.filter(Boolean).join("; ");
}

function showDrill(drill) {
  const running = Boolean(drill && drill.running);
  write(byId("drill-button"), running ? STOP : "Run");
  const failure = drill && !running && drill.failure;
  if (failure) errorLine(byId("drill-note"), failure.text, failure);
  else write(byId("drill-note"), drillNote(drill));
  const done = Boolean(drill && drill.verdict);
  byId("verdict").hidden = !done;
  if (!done) return;
  byId("verdict").className = `verdict ${drill.verdict}`;
  write(byId("verdict-word"), `${{ pass: "✓ ", fail: "✕ " }[drill.verdict] || "? "}${drill.verdict.toUpperCase()}`);
  write(byId("verdict-reason"), drill.reason);
  write(byId("verdict-summary"), drill.summary.filter((one) => one !== drill.reason).join(" "));
}

function drillNote(drill) {
  if (!drill) return "";
  if (drill.running) return [drill.step || "begins", drill.planned_kills && `${drill.kills} of ${drill.planned_kills} killed`].filter(Boolean).join("; ");
  return drill.verdict ? `${drill.verdict.toUpperCase()}: ${drill.reason}` : "";
}

function showHealings(healings) {
  byId("no-healings").hidden = healings.length > 0;
  byId("healings").hidden = healings.length === 0;
  const longest = Math.max(0.001, ...healings.flatMap((one) => ["created", "started", "ready", "gone"].map((name) => one[`${name}_seconds`] || 0)));
  byId("healing-rows").replaceChildren(...healings.map((one) => healingRow(one, longest)));
}

function healingRow(one, longest) {
  const row = element("tr");
  const heir = one.in_place ? "itself" : one.replacement ? last(one.replacement) : "…";
  row.append(element("td", "", clockTime(one.died)), element("td", "pod-name", last(one.victim)), element("td", "", one.cause), element("td", "pod-name", heir));
  for (const name of ["created", "started", "ready", "gone"]) row.append(element("td", `n ${name}`, seconds(one[`${name}_seconds`])));
  const cell = element("td", "bar");
  const split = element("div", "split");
  split.setAttribute("aria-hidden", "true");
  let before = 0;
  for (const name of ["created", "started", "ready"]) {
    const until = one[`${name}_seconds`];
    if (until === null) continue;
    const part = element("i", name);
    part.style.width = `${(100 * (until - before)) / longest}%`;
    before = until;
    split.append(part);
  }
  if (one.gone_seconds !== null) {
    const gone = element("b", "gone");
    gone.style.left = `${(100 * one.gone_seconds) / longest}%`;
    split.append(gone);
  }
  cell.append(split);
  row.append(cell);
  return row;
}

function showMoments(moments) {
  const lines = moments.slice(-NEWS).reverse().map(([at, kind, text]) => {
    const line = element("li", kind);
    line.append(element("time", "", clockTime(at)), ` ${text}`);
    return line;
  });
  byId("no-moments").hidden = lines.length > 0;
  byId("moments").replaceChildren(...lines);
  speak(moments);
}

/* Tells a screen reader what is new; what was there when the page came is not. */
function speak(moments) {
  const newest = moments.length ? moments[moments.length - 1][0] : 0;
  if (state.spoken !== null) {
    for (const [at, kind, text] of moments) {
      if (at <= state.spoken) continue;
      if (kind === "lost") sayLosses();
      else if (SPOKEN.includes(kind)) say(text);
    }
  }
  state.spoken = Math.max(newest, state.spoken || 0);
}

function say(text) {
  const spoken = byId("spoken");
  spoken.append(element("p", "", text));
  while (spoken.children.length > NEWS) spoken.firstChild.remove();
}

/* Losses come many times a second: after a while they are said as one. */
function sayLosses() {
  state.counting ||= setTimeout(() => {
    state.counting = 0;
    const buyers = state.found.get("buyers");
    if (buyers) say(`${count(buyers.lost)} purchases lost so far`);
  }, GATHER);
}

async function ask(name, given) {
  const line = byId("answer");
  const answer = await act(name, given);
  line.className = answer.error ? "bad" : "";
  if (answer.error) errorLine(line, [answer.error, answer.details].filter(Boolean).join(" "), answer.hint);
  else line.textContent = answer.done;
}

const value = (id) => byId(id).value.trim();

function onSubmit(id, work) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    work(event.submitter);
  });
}

/* A button that leads to nothing now can still be found and read: pressing it, or Enter in its form, does nothing. */
document.addEventListener("click", (event) => {
  if (!event.target.closest("[aria-disabled=true]")) return;
  event.preventDefault();
  event.stopPropagation();
}, { capture: true });

byId("skip").addEventListener("click", () => byId("controls").focus());
onSubmit("scale", () => ask("scale", { replicas: value("replicas") }));
onSubmit("kill", (button) => ask("kill", { how: button ? button.value : "graceful" }));
onSubmit("crowd", () => {
  const buyers = state.found.get("buyers");
  if (buyers && buyers.running && buyers.ours) ask("stop-load");
  else ask("load", { rate: value("crowd-rate") });
});
onSubmit("drill", () => {
  const drill = state.found.get("drill");
  if (drill && drill.running) ask("stop-drill");
  else ask("drill", { rate: value("crowd-rate"), kills: value("drill-kills"), scale: value("drill-scale"), how: value("drill-how"), node: !byId("drill-node-label").hidden && byId("drill-node").checked });
});
for (const [id, by] of [["less", -1], ["more", 1]]) {
  byId(id).addEventListener("click", () => {
    const wanted = Math.max(0, (Number(value("replicas")) || 0) + by);
    byId("replicas").value = String(wanted);
    ask("scale", { replicas: String(wanted) });
  });
}
setInterval(() => pods.ticks(), 1000);
follow(changed, broken);
