/* Draws the charts of one drill with uPlot. All figures come from the element #data, all colours
   from the style sheet, so that light and dark are decided there. */
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const tip = document.getElementById("tip");
  const root = document.documentElement;
  if (typeof uPlot === "undefined" || data.whole < 2) {
    root.classList.add("no-charts");
    return;
  }

  const NARROW = 560;   // pixels of a chart below which labels get shorter
  const TOP = 44;       // pixels above a plot: a row of phases, a row of marks
  const SYMBOLS = { kill: "✕", ready: "▲", scaling: "⇅", accident: "!", node: "⊗", "node-state": "◇" };
  const QUIET = ["ready", "node-state"];  // kinds whose lines are thin
  const HUES = { accident: "kill", node: "kill", "node-state": "kill" };  // of kinds without a colour of their own
  const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  const plots = [];

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const SEATS = 12;     // colours in the style sheet
  const seatColour = (seat) => colour(`seat-${((seat - 1) % SEATS) + 1}`);

  /* Every second pod on a place is mixed with the card's colour, so that one ends visibly. */
  function podColour(pod) {
    const whole = seatColour(pod.seat);
    return pod.turn % 2 ? whole : mixed(whole, colour("card"), parseFloat(colour("shade")) / 100);
  }

  function mixed(a, b, part) {
    const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const [one, other] = [channels(a), channels(b)];
    const mix = one.map((value, i) => Math.round(value * (1 - part) + other[i] * part));
    return `rgb(${mix.join(",")})`;
  }

  /* Sums from the bottom of the stack up; drawn from the largest sum down, each hides the rest. */
  function stacked(pods) {
    const sums = data.seconds.map(() => 0);
    return pods.map((pod) => pod.counts.map((count, i) => (sums[i] += count)));
  }

  const axis = (label, more) => ({
    stroke: colour("quiet"),
    font: `12px ${FONT}`,
    grid: { stroke: colour("grid"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 4 },
    label, labelFont: `12px ${FONT}`, labelSize: 18,
    ...more,
  });

  const secondsAxis = () => axis(null, {
    grid: { show: false },
    values: (_, splits) => splits.map((at) => `${at} s`),
    incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600],
    space: 60,
    size: 30,
  });

  /* Phases as faint alternating stripes behind the plot, with their names above it. */
  function drawPhases(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * ratio}px ${FONT}`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "center";
    data.phases.forEach((phase, i) => {
      const [from, to] = [phase.from, phase.to].map((at) => u.valToPos(at, "x", true));
      if (i % 2) {
        ctx.globalAlpha = 0.5;
        ctx.fillStyle = colour("grid");
        ctx.fillRect(from, bbox.top, to - from, bbox.height);
        ctx.globalAlpha = 1;
      }
      if (ctx.measureText(phase.name).width + 6 * ratio < to - from) {
        ctx.fillStyle = colour("quiet");
        ctx.fillText(phase.name, (from + to) / 2, bbox.top - 34 * ratio);
      }
    });
    ctx.restore();
  }

  /* Kills, ready moments and scalings as lines through the plot, each with its sign above. */
  function drawMarks(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    const taken = [];
    ctx.save();
    ctx.textBaseline = "middle";
    ctx.textAlign = "center";
    ctx.font = `600 ${12 * ratio}px ${FONT}`;
    for (const mark of [...data.marks].sort((a, b) => QUIET.includes(a.kind) - QUIET.includes(b.kind))) {
      const x = Math.round(u.valToPos(mark.at, "x", true));
      const quiet = QUIET.includes(mark.kind);
      ctx.strokeStyle = ctx.fillStyle = colour(HUES[mark.kind] || mark.kind);
      ctx.lineWidth = ratio * (quiet ? 1 : 1.5);
      ctx.setLineDash(quiet ? [2 * ratio, 3 * ratio] : mark.kind === "scaling" ? [6 * ratio, 3 * ratio] : []);
      drawUpright(ctx, x, bbox.top - 6 * ratio, bbox.top + bbox.height);
      const sign = quiet ? SYMBOLS[mark.kind] : mark.kind === "scaling" ? mark.label : SYMBOLS[mark.kind] + mark.label;
      const width = ctx.measureText(sign).width;
      const [from, to] = [x - width / 2 - 2 * ratio, x + width / 2 + 2 * ratio];
      if (taken.every(([start, end]) => to < start || end < from)) {
        ctx.fillText(sign, x, bbox.top - 15 * ratio);
        taken.push([from, to]);
      }
    }
    ctx.restore();
  }

  function options(element, height, scales, axes, series, marked) {
    return {
      width: element.clientWidth,
      height,
      padding: [marked ? TOP : 10, 14, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "drill", scales: ["x", null] }, y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: { x: { time: false, range: [0, Math.max(1, data.end)] }, ...scales },
      axes,
      series,
      hooks: {
        drawClear: marked ? [drawPhases] : [],
        draw: [marked ? drawMarks : drawThin],
        setCursor: [showTip],
      },
    };
  }

  /* Under the first chart a thin line at each kill is enough to compare. */
  function drawThin(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.globalAlpha = 0.6;
    ctx.lineWidth = devicePixelRatio;
    for (const mark of data.marks.filter((one) => one.kind === "kill" || one.kind === "node")) {
      const x = Math.round(u.valToPos(mark.at, "x", true));
      ctx.strokeStyle = colour("kill");
      drawUpright(ctx, x, bbox.top, bbox.top + bbox.height);
    }
    ctx.restore();
  }

  function drawUpright(ctx, x, top, bottom) {
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, bottom);
    ctx.stroke();
  }

  const bars = uPlot.paths.bars({ size: [0.94, Infinity], align: 1, gap: 0 });
  const bar = (label, fill) => ({ label, paths: bars, fill, stroke: fill, width: 0, points: { show: false } });
  const line = (label, name, more) => ({ label, stroke: colour(name), width: 2, points: { show: false }, ...more });
  const DASHED = { dash: [6, 4] };

  /* The upright axis; in a narrow chart without its name. */
  function figuresAxis(label, more) {
    const narrow = innerWidth < NARROW;
    return axis(narrow ? null : label, { size: narrow ? 44 : 58, ...more });
  }

  function sales(element) {
    const sums = stacked(data.pods);
    const series = data.pods.map((pod) => bar(pod.name, podColour(pod)));
    const top = Math.max(data.rate, ...data.confirmed.slice(0, data.whole)) * 1.04;
    const opts = options(
      element, innerWidth < NARROW ? 300 : 360, { y: { range: [0, top] } },
      [secondsAxis(), figuresAxis("confirmed a second")],
      [{}, ...series.reverse()], true,
    );
    return new uPlot(opts, [data.seconds, ...sums.reverse()].map((column) => column.slice(0, data.whole)), element);
  }

  /* Changes as steps; the last value lasts until the end. */
  function replicas(element) {
    const { at, desired, ready } = data.replicas;
    const last = (values) => [...values, values[values.length - 1]];
    const stepped = { paths: uPlot.paths.stepped({ align: 1 }) };
    const opts = options(
      element, 150, { y: { range: [0, Math.max(1, ...desired, ...ready) + 0.5] } },
      [secondsAxis(), figuresAxis("pods", { incrs: [1, 2, 5, 10, 20], space: 20 })],
      [{}, line("ready", "good", stepped), line("desired", "scaling", { ...stepped, ...DASHED })], false,
    );
    return new uPlot(opts, [[...at, Math.max(data.end, ...at)], last(ready), last(desired)], element);
  }

  function waiting(element) {
    const middle = data.seconds.map((at, i) => at + data.buyers[i] / 2);
    const found = [...data.p50, ...data.p99].filter((value) => value > 0);
    const range = [10 ** Math.floor(Math.log10(Math.min(...found, 1))), 10 ** Math.ceil(Math.log10(Math.max(...found, 10)))];
    const opts = options(
      element, 200, { y: { distr: 3, range } },
      [secondsAxis(), figuresAxis("milliseconds, logarithmic", {
        values: (_, splits) => splits.map((value) => (value && Number.isInteger(Math.log10(value)) ? value : "")),
      })],
      [{}, line("p99", "p99"), line("p50", "p50", DASHED)], false,
    );
    return new uPlot(opts, [middle, data.p99, data.p50], element);
  }

  function lost(element) {
    const opts = options(
      element, 150, { y: { range: [0, Math.max(1, ...data.lost) * 1.1] } },
      [secondsAxis(), figuresAxis("lost", { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] })],
      [{}, bar("lost", colour("bad"))], false,
    );
    return new uPlot(opts, [data.seconds, data.lost], element);
  }

  /* The figures of the second under the pointer, with what happened in it. */
  function showTip(u) {
    const { left } = u.cursor;
    if (left == null || left < 0 || !u.root.matches(":hover")) {
      if (![...document.querySelectorAll(".uplot")].some((one) => one.matches(":hover"))) tip.hidden = true;
      return;
    }
    const at = Math.min(data.seconds.length - 1, Math.max(0, Math.floor(u.posToVal(left, "x"))));
    tip.replaceChildren(...tipLines(at));
    tip.hidden = false;
    const box = u.over.getBoundingClientRect();
    const beside = box.left + left + 18;
    const fits = beside + tip.offsetWidth < innerWidth - 8;
    tip.style.left = `${scrollX + Math.max(8, fits ? beside : box.left + left - tip.offsetWidth - 18)}px`;
    tip.style.top = `${scrollY + box.top + 8}px`;
  }

  function tipLines(at) {
    const lines = [text("strong", `second ${data.seconds[at]}${part(data.buyers[at])}: ${data.confirmed[at]} confirmed, ${data.lost[at]} lost`)];
    if (data.p99[at]) lines.push(text("div", `p50 ${round(data.p50[at])} ms, p99 ${round(data.p99[at])} ms`));
    for (const pod of [...data.pods].reverse()) {
      if (!pod.counts[at]) continue;
      const line = text("div", `${pod.name}: ${pod.counts[at]}`);
      line.prepend(swatch(podColour(pod)));
      lines.push(line);
    }
    for (const mark of data.marks) {
      if (Math.floor(mark.at) === data.seconds[at]) {
        const line = text("div", `${SYMBOLS[mark.kind]} ${mark.at.toFixed(2)} s ${mark.text}`);
        line.className = "mark";
        lines.push(line);
      }
    }
    return lines;
  }

  const part = (buyers) => (buyers === 1 ? "" : buyers ? `, ${buyers.toFixed(1)} s of it` : ", without buyers");
  const round = (value) => (value < 100 ? value.toFixed(1) : value.toFixed(0));

  function text(tag, words) {
    const element = document.createElement(tag);
    element.textContent = words;
    return element;
  }

  function swatch(fill) {
    const element = document.createElement("i");
    element.style.background = fill;
    return element;
  }

  /* What the signs mean, and who followed whom on each place. */
  function key() {
    const signs = [["kill", "✕ kill"], ["ready", "▲ ready"], ["scaling", "n→m scaling"], ["node", "⊗ a node's death"], ["node-state", "◇ the node not ready, or back"], ["accident", "! not killed by this drill"]];
    const shown = signs.filter(([kind]) => data.marks.some((mark) => mark.kind === kind)).map(([kind, words]) => {
      const [sign, ...rest] = words.split(" ");
      const element = text("span", rest.join(" "));
      const bold = text("b", sign);
      bold.style.color = colour(HUES[kind] || kind);
      element.prepend(bold);
      return element;
    });
    const places = new Map();
    for (const pod of data.pods) places.set(pod.seat, [...(places.get(pod.seat) || []), pod]);
    for (const pods of places.values()) {
      const element = document.createElement("span");
      pods.forEach((pod, i) => element.append(swatch(podColour(pod)), `${pod.name.split("-").pop()}${i < pods.length - 1 ? " →" : ""}`));
      shown.push(element);
    }
    document.getElementById("key").replaceChildren(...shown);
    for (const element of document.querySelectorAll(".seat")) {
      const { seat, turn } = element.dataset;
      element.style.background = podColour({ seat: Number(seat), turn: Number(turn) });
    }
  }

  function draw() {
    for (const plot of plots.splice(0)) plot.destroy();
    for (const [id, make] of [["chart-sales", sales], ["chart-replicas", replicas], ["chart-waiting", waiting], ["chart-lost", lost]]) {
      const element = document.getElementById(id);
      if (element && (id !== "chart-replicas" || data.replicas.at.length)) plots.push(make(element));
    }
    key();
  }

  /* In a frame of its own: drawing changes heights, which the observer must not see as its doing. */
  let width = 0;
  function fit() {
    const now = document.getElementById("charts").clientWidth;
    if (now === width) return;
    width = now;
    draw();
  }
  fit();
  new ResizeObserver(() => requestAnimationFrame(fit)).observe(document.getElementById("charts"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  for (const [event, printing] of [["beforeprint", true], ["afterprint", false]]) {
    addEventListener(event, () => {  // paper is light, whatever the screen is
      root.classList.toggle("printing", printing);
      draw();
    });
  }
  document.addEventListener("pointerleave", () => { tip.hidden = true; });
})();
