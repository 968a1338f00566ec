// A card with two charts for each server that tells of itself, whichever server this page came from.

import { Chart } from "./chart.js";

// At two samples a second a little over the minute that the charts show.
const POINTS_MAX = 130;
const SILENT_MS = 3000;
const servers = new Map();

class Server {
  constructor(name) {
    this.name = name;
    this.points = [];
    this.heard = -Infinity;
    // What the other servers think of it.
    this.said = new Map();
    this.card = document.getElementById("server").content.firstElementChild.cloneNode(true);
    this.card.querySelector("h2").textContent = name;
    this.card.setAttribute("aria-label", `Server ${name}`);
    const [cpu, memory] = this.card.querySelectorAll("figure");
    cpu.setAttribute("aria-label", `CPU of ${name}`);
    memory.setAttribute("aria-label", `Memory of ${name}`);
    [this.cpu, this.memory] = [cpu.querySelector("output"), memory.querySelector("output")];
    const main = document.getElementById("servers");
    const next = [...main.querySelectorAll("article")].find((card) => card.querySelector("h2").textContent > name);
    main.insertBefore(this.card, next ?? null);
    document.getElementById("nobody").hidden = true;
    this.total = 1;
    this.cpuChart = new Chart(cpu.querySelector(".plot"), ["used", "disk"], () => 100, " %");
    this.memoryChart = new Chart(memory.querySelector(".plot"), ["used", "buffers", "cached"], () => this.total, " GiB");
  }

  sample({ at, cpu, memory }) {
    const gib = (mib) => mib / 1024;
    const last = this.points.at(-1);
    // A server that was set back in time, or comes again after a while, begins a new line.
    if (last && at <= last.at) this.points = [];
    else if (last && at - last.at > SILENT_MS / 1000) this.points.push({ at: last.at + 0.01, cpu: [null, null], memory: [null, null, null] });
    this.points.push({ at, cpu: [cpu.used, cpu.disk], memory: [memory.used, memory.buffers, memory.cached].map(gib) });
    this.points.splice(0, this.points.length - POINTS_MAX);
    this.heard = performance.now();
    this.total = gib(memory.total);
    this.cpu.textContent = `${cpu.used.toFixed(1)} %`;
    this.memory.textContent = `${gib(memory.used).toFixed(2)} of ${this.total.toFixed(1)} GiB`;
    this.cpuChart.draw(this.points.map((point) => [point.at, ...point.cpu]));
    this.memoryChart.draw(this.points.map((point) => [point.at, ...point.memory]));
    this.judge();
  }

  /** Says how it is: it speaks for itself as long as it does, then the others do. */
  judge() {
    const said = [...this.said].filter(([by]) => servers.get(by)?.isHeard()).map(([, state]) => state);
    const gone = ["left", "lost", "suspected"].find((state) => said.includes(state));
    const [state, text] = this.isHeard() ? ["here", "here"] : ["away", gone ? `away: ${gone}` : "away: silent"];
    this.card.dataset.state = state;
    const line = this.card.querySelector(".state");
    line.dataset.state = state;
    if (line.textContent !== text) line.textContent = text;
  }

  isHeard() {
    return performance.now() - this.heard < SILENT_MS;
  }
}

function server(name) {
  if (!servers.has(name)) servers.set(name, new Server(name));
  return servers.get(name);
}

const status = document.getElementById("status");
function connection(state, text) {
  status.dataset.state = document.body.dataset.state = state;
  status.textContent = text;
}

// Comes back by itself, whatever ended the connection.
const socket = io({ reconnectionDelay: 500, reconnectionDelayMax: 2000 });
socket.on("connect", () => connection("connected", "Connected"));
socket.on("disconnect", (reason) => {
  connection("disconnected", "Disconnected");
  if (reason === "io server disconnect") socket.connect();
});
socket.io.on("reconnect_attempt", () => connection("connecting", "Connecting…"));
socket.io.on("reconnect_error", () => connection("disconnected", "Disconnected"));
socket.on("sample", (sample) => {
  server(sample.server).sample(sample);
  for (const { name, state } of sample.herd) {
    if (servers.has(name) || state !== "left") server(name).said.set(sample.server, state);
  }
});
// While nothing can be heard, nobody is judged by silence.
setInterval(() => socket.connected && servers.forEach((each) => each.judge()), 500);
