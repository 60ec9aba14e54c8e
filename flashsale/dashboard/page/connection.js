/* The connection to the server: one stream of changes, and actions. */

const KEY = "flashsale-key";
const SILENCE = 4000;  // milliseconds without a word after which the connection counts as broken
const PAUSE = [300, 1000, 2000];  // milliseconds before each next try; the last one for ever

/* The key comes in the address once; it stays in the storage of this origin, port included. */
function key() {
  const given = location.hash.slice(1);
  if (given) {
    localStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname);
  }
  return given || localStorage.getItem(KEY) || "";
}

const headers = { "X-Flashsale-Key": key() };

/* Calls `changed(document, names)` after every change and `broken(why)` when there is no server. */
export async function follow(changed, broken) {
  const found = new Map();
  for (let tries = 0; ; tries++) {
    let why = "ended";
    try {
      await read((name, data) => {
        tries = 0;
        const names = new Set(Object.keys(data));
        if (name === "whole") {
          for (const old of found.keys()) if (!names.has(old)) names.add(old);
          found.clear();
        }
        for (const [part, value] of Object.entries(data)) {
          if (value === null) found.delete(part);
          else found.set(part, value);
        }
        changed(found, names);
      });
    } catch (error) {
      if (error.message === "stranger") why = "stranger";
    }
    broken(why);
    await new Promise((wake) => setTimeout(wake, PAUSE[Math.min(tries, PAUSE.length - 1)]));
  }
}

async function read(heard) {
  const stop = new AbortController();
  let silence = setTimeout(() => stop.abort(), SILENCE);
  const answer = await fetch("stream", { headers, signal: stop.signal, cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status === 403 ? "stranger" : "refused");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(() => stop.abort(), SILENCE);
      const events = (text + value).split("\n\n");
      text = events.pop();
      for (const event of events) {
        const [name, data] = event.split("\n");
        heard(name.slice("event: ".length), JSON.parse(data.slice("data: ".length)));
      }
    }
  } finally {
    clearTimeout(silence);
  }
}

/* Asks for an action. Returns {done} or {error, hint}. */
export async function act(name, given = {}) {
  try {
    const answer = await fetch(`actions/${name}`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(given),
    });
    if (answer.status !== 200 && answer.status !== 409) throw new Error(await answer.text());
    return await answer.json();
  } catch {
    return { error: "The dashboard does not answer.", hint: { command: "flashsale dashboard", words: "starts it again" } };
  }
}
