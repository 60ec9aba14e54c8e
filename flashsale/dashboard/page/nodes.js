/* The nodes, where there are several: how each one is, and a button to kill or to start it. */

import { byId, element, write } from "./elements.js";

export class Nodes {
  constructor(act) {
    this.act = act;  // takes the name of the action, and the node's
    this.list = byId("nodes");
    this.lines = new Map();  // by name
    this.hindrance = "";
  }

  update(nodes) {
    this.list.hidden = nodes.length === 0;
    const names = new Set(nodes.map((node) => node.name));
    for (const [name, line] of this.lines) {
      if (names.has(name)) continue;
      line.root.remove();
      this.lines.delete(name);
    }
    nodes.forEach((node, index) => this.show(node, this.lines.get(node.name) || this.make(node.name, index)));
  }

  show(node, line) {
    line.node = node;
    line.root.classList.toggle("dead", !node.ready);
    write(line.sign, node.ready ? "●" : "✕");
    write(line.state, node.state === "Ready" ? "" : node.state);
    write(line.pods, node.pods ? `${node.ready_pods} of ${node.pods} pod${node.pods === 1 ? "" : "s"} ready` : "no pods");
    line.button.hidden = !node.kill && !node.start;
    write(line.button, node.start ? "Start node" : "Kill node");
    line.button.setAttribute("aria-label", `${node.start ? "Start" : "Kill"} the node ${node.name}`);
    this.able(line);
  }

  make(name, index) {
    const root = element("li");
    const line = { root, sign: element("span", "sign"), state: element("b"), pods: element("span", "note"), button: element("button") };
    line.sign.setAttribute("aria-hidden", "true");
    line.button.type = "button";
    line.button.addEventListener("click", () => this.act(line.node.start ? "start-node" : "kill-node", name));
    root.append(line.sign, element("span", "name", name), line.state, line.pods, line.button);
    this.list.insertBefore(root, this.list.children[index] || null);
    this.lines.set(name, line);
    return line;
  }

  /* Lets nodes be killed and started, or says why that cannot be now. */
  offer(hindrance) {
    this.hindrance = hindrance;
    for (const line of this.lines.values()) this.able(line);
  }

  able(line) {
    line.button.setAttribute("aria-disabled", String(Boolean(this.hindrance)));
    line.button.title = this.hindrance || (line.node.start ? "" : "As if its machine lost its power");
  }
}
