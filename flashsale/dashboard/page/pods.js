/* The tiles. A place holds a pod, and while that dies also the pod that replaces it. */

import { age, byId, calm, element, last, write } from "./elements.js";

const SIGNS = { ready: "●", starting: "◌", leaving: "✕", gone: "✕", failing: "!" };
const WAYS = [["graceful", "Kill", "gracefully"], ["hard", "Hard", "without a grace period"], ["process", "Process", "by its process"]];
export const TITLES = { graceful: "Delete it; it gets its grace period", hard: "Delete it without a grace period", process: "Kill its process; the same pod restarts" };
const LEAVING = ["leaving", "gone"];
const SMALL = 18;  // pods above which tiles get small
const TINY = 48;

export class Pods {
  constructor(kill) {
    this.kill = kill;
    this.list = byId("places");
    this.places = new Map();  // by place: its element
    this.tiles = new Map();   // by uid: its tile
    this.readOnly = true;
    this.several = false;     // whether there are several nodes
    this.dead = new Set();    // names of nodes that are not ready
    this.hindrance = "";      // why no pod can be killed now
    this.held = null;         // the tile of a leaving pod that has the focus
  }

  /* Brings the tiles up to date with the pods whose names are given. */
  update(found, names, sale) {
    this.readOnly = sale.read_only;
    this.scale = sale.current > TINY ? sale.current / 2 : 1;  // small bars: the middle is a fair share
    const nodes = found.get("nodes") || [];
    this.several = nodes.length > 0;
    this.dead = new Set(nodes.filter((node) => !node.ready).map((node) => node.name));
    const uids = [...found.keys()].filter((name) => name.startsWith("pod/"));
    for (const name of names) if (name.startsWith("pod/") && !found.has(name)) this.remove(name);
    for (const name of uids) if (names.has("nodes") || names.has(name) || !this.tiles.has(name)) this.show(name, found.get(name));
    byId("no-pods").hidden = uids.length > 0 || !sale.known;
    this.list.classList.toggle("small", uids.length > SMALL && uids.length <= TINY);
    this.list.classList.toggle("tiny", uids.length > TINY);
  }

  show(uid, pod) {
    const known = this.tiles.get(uid);
    const tile = known || this.make(uid, pod);
    tile.pod = pod;
    this.put(tile, pod);
    if (LEAVING.includes(pod.phase)) this.hold(tile);
    const dead = this.dead.has(pod.node);
    tile.root.className = `pod ${pod.phase}${pod.own ? "" : " foreign"}${dead ? " lost-node" : ""}`;
    write(tile.name, last(pod.name));
    tile.root.title = `${pod.name}: ${pod.status}`;
    write(tile.sign, SIGNS[pod.phase]);
    write(tile.status, pod.status === "gone" ? "gone" : pod.status);
    write(tile.ready, pod.phase === "gone" ? "" : `${pod.ready} ready`);
    write(tile.restarts, pod.restarts ? `${pod.restarts} restart${pod.restarts > 1 ? "s" : ""}` : "");
    write(tile.node, this.several ? pod.node : "");
    write(tile.note, note(pod, dead));
    tile.note.title = tile.note.textContent;
    this.share(tile, pod.share);
    tile.buttons.hidden = this.readOnly;
    this.able(tile);
    if (!known && !calm.matches) tile.root.classList.add("born");
    this.tick(tile);
  }

  /* Lets pods be killed, or says why they cannot be now. */
  offer(hindrance) {
    if (this.hindrance === hindrance) return;
    this.hindrance = hindrance;
    for (const tile of this.tiles.values()) this.able(tile);
  }

  able(tile) {
    const off = this.hindrance || !tile.pod.own || LEAVING.includes(tile.pod.phase);
    for (const button of tile.buttons.children) {
      button.setAttribute("aria-disabled", String(Boolean(off)));
      button.title = this.hindrance || TITLES[button.className];
    }
  }

  make(uid, pod) {
    const root = element("article");
    const head = element("h3");
    const tile = { root, uid, sign: element("span", "sign"), name: element("span", "name"), status: element("span", "status"), age: element("span", "age"),
      ready: element("span"), restarts: element("span", "restarts"), node: element("span", "node"), note: element("p", "why"),
      bar: element("div", "share"), fill: element("i"), part: element("span", "part"), buttons: element("div", "ways") };
    tile.sign.setAttribute("aria-hidden", "true");
    head.append(tile.sign, tile.name, tile.age);
    const facts = element("p", "facts-line");
    facts.append(tile.status, tile.ready, tile.restarts, tile.node);
    tile.bar.append(tile.fill);
    const sales = element("div", "sales");
    sales.append(tile.bar, tile.part);
    for (const [how, word, aloud] of WAYS) {
      const button = element("button", how, word);
      button.type = "button";
      button.setAttribute("aria-label", `Kill ${pod.name} ${aloud}`);
      button.addEventListener("click", () => this.kill(pod.name, how));
      tile.buttons.append(button);
    }
    root.append(head, facts, tile.note, sales, tile.buttons);
    root.setAttribute("aria-label", pod.name);
    root.tabIndex = -1;
    this.tiles.set(uid, tile);
    return tile;
  }

  /* Puts a tile in its place; places and tiles keep their order, and nothing else moves. */
  put(tile, pod) {
    const [seat, turn] = pod.slot;
    if (tile.seat === seat && tile.turn === turn) return;
    const old = tile.root.parentElement;
    let place = this.places.get(seat);
    if (!place) {
      place = element("li", "place");
      place.seat = seat;
      this.places.set(seat, place);
      const next = [...this.list.children].find((one) => one.seat > seat);
      this.list.insertBefore(place, next || null);
    }
    [tile.seat, tile.turn, tile.root.turn] = [seat, turn, turn];
    const below = [...place.children].find((one) => one !== tile.root && one.turn > turn);
    const focused = tile.root.contains(document.activeElement) ? document.activeElement : null;
    place.insertBefore(tile.root, below || null);
    if (focused) focused.focus();
    if (this.held && this.held.seat === seat && this.held.root !== tile.root) this.handOn(tile.root);
    this.clear(old);
  }

  remove(uid) {
    const tile = this.tiles.get(uid);
    if (!tile) return;
    this.tiles.delete(uid);
    const place = tile.root.parentElement;
    this.hold(tile);
    const held = this.held && this.held.root === tile.root;
    tile.root.remove();
    if (held) this.handOn(place.querySelector(".pod") || this.list);
    this.clear(place);
  }

  /* The buttons of a pod that leaves go: the focus stays on its tile, which remembers the button. */
  hold(tile) {
    const button = tile.buttons.contains(document.activeElement) ? document.activeElement : null;
    if (!button) return;
    this.held = { root: tile.root, seat: tile.seat, way: button.className };
    tile.root.focus();
  }

  /* The focus goes on to the same button of the pod that came in its place, unless it went away. */
  handOn(heir) {
    const { root, way } = this.held;
    this.held = null;
    const lost = document.activeElement === document.body;
    if (document.activeElement === root || lost) (heir.querySelector(`.${way}`) || heir).focus();
  }

  clear(place) {
    if (!place || place.children.length || place.seat === undefined) return;
    this.places.delete(place.seat);
    place.remove();
  }

  share(tile, share) {
    tile.bar.hidden = share === null;
    write(tile.part, share === null ? "" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);
    if (share !== null) tile.fill.style.width = `${Math.min(100, 100 * share * this.scale)}%`;
  }

  tick(tile) {
    write(tile.age, tile.pod.phase === "gone" ? "" : age(tile.pod.born));
  }

  ticks() {
    if (document.body.classList.contains("stale")) return;
    for (const tile of this.tiles.values()) this.tick(tile);
  }

  byName(name) {
    for (const tile of this.tiles.values()) if (tile.pod.name === name) return tile.root;
    return null;
  }
}

function note(pod, dead) {
  if (dead && pod.phase !== "gone") return "its node does not answer";
  if (pod.phase === "gone") return pod.why ? `not replaced: ${pod.why}` : "";
  if (!pod.own) return "not of this ReplicaSet";
  if (pod.trouble) return pod.trouble;
  if (pod.why) return `not replaced: ${pod.why}`;
  return pod.replaces ? `replaces ${last(pod.replaces)}` : "";
}
