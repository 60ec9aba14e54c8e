/* Small helpers. Text from outside goes through textContent only. */

export const byId = (id) => document.getElementById(id);

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/* Touches the document only where something differs, so that nothing is announced again. */
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export function errorLine(target, error, hint) {
  target.replaceChildren(`${error} `);
  if (hint.command) target.append(element("code", "", hint.command));
  if (hint.words) target.append(` ${hint.words}`);
}

export const seconds = (value) => (value === null || value === undefined ? "-" : `${value.toFixed(value < 1 ? 2 : 1)} s`);
export const milliseconds = (value) => (value < 1000 ? `${value.toFixed(value < 100 ? 1 : 0)} ms` : seconds(value / 1000));
export const count = (value) => value.toLocaleString("en");
export const last = (name) => name.slice(name.lastIndexOf("-") + 1);
export const clockTime = (at) => new Date(at).toLocaleTimeString("en-GB");

export function age(since) {
  const whole = Math.max(0, Math.floor((Date.now() - since) / 1000));
  if (whole < 120) return `${whole}s`;
  if (whole < 7200) return `${Math.floor(whole / 60)}m`;
  if (whole < 172800) return `${Math.floor(whole / 3600)}h`;
  return `${Math.floor(whole / 86400)}d`;
}

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/* Clears a canvas, and lets it be drawn on in pixels of the page, as fine as the screen is. */
export function cleared(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  return ctx;
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");
