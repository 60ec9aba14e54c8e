/* The last two minutes: purchases a second, pods ready and desired, and marks of what happened. */

import { byId, cleared, colour } from "./elements.js";

const SPAN = 120000;  // milliseconds
const MARKS = { died: ["✕", "kill"], ready: ["▲", "ready"], scaled: ["⇅", "scaling"], lost: ["●", "kill"], node: ["■", "warn"], sale: ["■", "warn"] };
const SHORT = new Intl.NumberFormat("en", { notation: "compact" });
const [TOP, BOTTOM, LEFT, RIGHT] = [20, 18, 46, 34];

export class Timeline {
  constructor() {
    this.canvas = byId("line");
    this.samples = [];  // [at, confirmed, lost, desired, ready]
    this.moments = [];  // [at, kind, text]
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  update(found, names) {
    if ([...names].some((name) => name.startsWith("second/"))) {
      this.samples = [...found.keys()].filter((name) => name.startsWith("second/")).map((name) => found.get(name)).sort((a, b) => a[0] - b[0]);
    }
    if (names.has("moments")) this.moments = found.get("moments") || [];
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const ctx = cleared(this.canvas, width, height);
    const now = Date.now();
    const x = (at) => LEFT + ((at - (now - SPAN)) / SPAN) * (width - LEFT - RIGHT);
    const base = height - BOTTOM;
    const seen = this.samples.filter((one) => one[0] > now - SPAN);
    ctx.font = "12px system-ui, sans-serif";
    ctx.textBaseline = "middle";
    this.grid(ctx, x, base, now);
    const most = Math.max(10, ...seen.map((one) => one[1] + one[2]));
    const pods = Math.max(1, ...seen.map((one) => Math.max(one[3], one[4]))) + 0.5;
    const step = (width - LEFT - RIGHT) / (SPAN / 1000);
    const up = (value, top) => base - (value / top) * (base - TOP);
    for (const [at, confirmed, lost] of seen) {
      ctx.fillStyle = colour("sold");
      ctx.fillRect(x(at) - step, up(confirmed, most), Math.max(1, step - 1), base - up(confirmed, most));
      ctx.fillStyle = colour("bad");
      if (lost) ctx.fillRect(x(at) - step, up(lost, most) - 2, Math.max(2, step - 1), base - up(lost, most) + 2);
    }
    this.steps(ctx, seen, 3, x, (value) => up(value, pods), colour("scaling"), [5, 4]);
    this.steps(ctx, seen, 4, x, (value) => up(value, pods), colour("good"), []);
    this.axes(ctx, seen, { width, most, pods, up });
    this.marks(ctx, x, base, now);
  }

  grid(ctx, x, base, now) {
    ctx.textAlign = "center";
    for (let back = 0; back <= SPAN; back += 30000) {
      const at = Math.round(x(now - back)) + 0.5;
      ctx.strokeStyle = colour("grid");
      line(ctx, at, TOP, at, base);
      ctx.fillStyle = colour("quiet");
      ctx.fillText(back ? `−${back / 1000} s` : "now", at, base + 10);
    }
    ctx.strokeStyle = colour("line");
    line(ctx, LEFT, base + 0.5, x(now), base + 0.5);
  }

  axes(ctx, seen, { width, most, pods, up }) {
    ctx.fillStyle = colour("quiet");
    if (seen.some((one) => one[1])) {
      ctx.textAlign = "right";
      ctx.fillText(`${SHORT.format(most)}/s`, LEFT - 5, up(most, most));
    }
    const latest = seen[seen.length - 1];
    if (!latest || latest[4] === null) return;
    ctx.textAlign = "left";
    ctx.fillStyle = colour("good");
    ctx.fillText(String(latest[4]), width - RIGHT + 6, up(latest[4], pods));
    if (latest[3] !== latest[4]) {
      ctx.fillStyle = colour("scaling");
      ctx.fillText(String(latest[3]), width - RIGHT + 6, up(latest[3], pods));
    }
  }

  steps(ctx, seen, which, x, y, stroke, dash) {
    ctx.strokeStyle = stroke;
    ctx.lineWidth = 2;
    ctx.setLineDash(dash);
    ctx.beginPath();
    let before = false;  // nothing is drawn where nothing was known
    for (const one of seen) {
      const known = one[which] !== null;
      if (known && before) ctx.lineTo(x(one[0] - 1000), y(one[which]));
      else if (known) ctx.moveTo(x(one[0]), y(one[which]));
      if (known) ctx.lineTo(x(one[0]), y(one[which]));
      before = known;
    }
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.lineWidth = 1;
  }

  marks(ctx, x, base, now) {
    ctx.textAlign = "center";
    ctx.font = "600 13px system-ui, sans-serif";
    for (const [at, kind] of this.moments) {
      if (at < now - SPAN || !MARKS[kind]) continue;
      const [sign, name] = MARKS[kind];
      ctx.strokeStyle = ctx.fillStyle = colour(name);
      ctx.globalAlpha = kind === "died" || kind === "scaled" ? 0.8 : 0.4;
      line(ctx, x(at), TOP - 4, x(at), base);
      ctx.globalAlpha = 1;
      ctx.fillText(sign, x(at), TOP - 11);
    }
  }
}

function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
