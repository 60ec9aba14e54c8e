/* Purchases that fly to the pods that answered them, as they are counted. */

import { byId, calm, cleared, colour } from "./elements.js";

const FLIGHT = 600;   // milliseconds
const SPREAD = 260;   // milliseconds between two counts of the server
const MOST = 24;      // dots for one count
const SCALES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000];

export class Flow {
  constructor(pods) {
    this.pods = pods;
    this.canvas = byId("flow");
    this.note = byId("flow-note");
    this.before = null;
    this.dots = [];  // {from, start, root, lost}
    this.moving = false;
  }

  update(buyers) {
    const counts = buyers && buyers.running && buyers.pods;
    if (!counts || calm.matches || document.hidden) {
      this.before = counts ? { ...counts } : null;
      this.lost = buyers ? buyers.lost : 0;
      this.note.textContent = "";
      return;
    }
    if (this.before) this.launch(counts, Math.max(0, buyers.lost - this.lost));
    this.before = { ...counts };
    this.lost = buyers.lost;
  }

  launch(counts, lost) {
    const gains = Object.entries(counts).map(([name, total]) => [name, total - (this.before[name] || 0)]).filter(([, gain]) => gain > 0);
    const all = gains.reduce((sum, [, gain]) => sum + gain, 0);
    const each = SCALES.find((one) => all / one <= MOST) || 5000;
    this.note.textContent = `each dot: ${each === 1 ? "1 purchase" : `${each.toLocaleString("en")} purchases`}`;
    const now = performance.now();
    for (const [name, gain] of gains) {
      const root = this.pods.byName(name);
      const dots = Math.floor(gain / each) + (Math.random() < (gain % each) / each ? 1 : 0);
      for (let i = 0; root && i < dots; i++) this.dots.push({ from: Math.random(), start: now + Math.random() * SPREAD, root, lost: false });
    }
    for (let i = 0; i < Math.min(MOST, Math.ceil(lost / each)); i++) this.dots.push({ from: Math.random(), start: now + Math.random() * SPREAD, root: null, lost: true });
    if (!this.moving && this.dots.length) {
      this.moving = true;
      requestAnimationFrame((at) => this.frame(at));
    }
  }

  frame(now) {
    const box = this.canvas.getBoundingClientRect();
    const ctx = cleared(this.canvas, box.width, box.height);
    const [good, bad] = [colour("p50"), colour("bad")];
    const targets = new Map();
    this.dots = this.dots.filter((dot) => now - dot.start < FLIGHT && (dot.lost || dot.root.isConnected));
    for (const dot of this.dots) {
      const part = (now - dot.start) / FLIGHT;
      if (part < 0) continue;
      const [x, y, fade] = dot.lost ? falling(dot, part, box) : flying(dot, part, box, targets);
      ctx.globalAlpha = fade;
      ctx.fillStyle = dot.lost ? bad : good;
      ctx.beginPath();
      ctx.arc(x, y, dot.lost ? 5 : 4, 0, 7);
      ctx.fill();
    }
    this.moving = this.dots.length > 0;
    if (this.moving) requestAnimationFrame((at) => this.frame(at));
  }
}

function flying(dot, part, box, targets) {
  if (!targets.has(dot.root)) targets.set(dot.root, dot.root.getBoundingClientRect());
  const to = targets.get(dot.root);
  const eased = part * part * (3 - 2 * part);
  const from = dot.from * box.width;
  const x = from + (to.left + to.width / 2 - box.left - from) * eased;
  const y = (to.top + to.height / 2 - box.top) * eased;
  return [x, y, part > 0.8 ? (1 - part) * 5 : 1];
}

function falling(dot, part, box) {
  return [dot.from * box.width, 30 + part * part * box.height * 0.6, 1 - part];
}
