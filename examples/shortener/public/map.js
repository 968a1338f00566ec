// The map of visits, the latest of them in words, and all links with their counts.

import { project } from "./projection.js";
import { visits } from "./visits.js";

const PLACES_MAX = 300;
const LATEST_MAX = 8;
const LINKS_SHOWN = 12;
const RINGS_MAX = 3;
// About the size of a label, in the map's units.
const LABEL = [110, 15];
const SVG = "http://www.w3.org/2000/svg";

const [marks, latest, rows, count] = ["marks", "visits", "links", "count"].map((name) => document.getElementById(name));
const places = new Map();
const links = new Map();
const labels = new Map();
let seen = 0;

function element(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Writes above a place; what stands there already makes room. */
function write(place, text, height) {
  for (const [label, other] of labels) {
    if (Math.abs(other.x - place.x) < LABEL[0] && Math.abs(other.y - place.y) < LABEL[1]) {
      label.remove();
      labels.delete(label);
    }
  }
  const label = element("text", { class: "label", y: -height }, text);
  labels.set(label, place);
  label.addEventListener("animationend", () => {
    label.remove();
    labels.delete(label);
  });
  place.group.append(label);
}

/** A dot for each place, larger with each visit, and a ring that spreads from it. */
function mark({ latitude, longitude, country }) {
  const key = `${latitude} ${longitude}`;
  if (!places.has(key)) {
    const [x, y] = project(longitude, latitude);
    const group = element("g", { class: "mark", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
    const dot = element("circle", { class: "dot" });
    const title = element("title", {});
    group.append(dot, title);
    marks.append(group);
    places.set(key, { group, dot, title, x, y, visits: 0 });
    if (places.size > PLACES_MAX) {
      const [oldest] = places.keys();
      places.get(oldest).group.remove();
      places.delete(oldest);
    }
  }
  const place = places.get(key);
  place.visits += 1;
  const radius = Math.min(3.2 + 1.4 * Math.sqrt(place.visits), 14);
  place.dot.setAttribute("r", radius);
  place.title.textContent = `${country}: ${place.visits}`;
  if (place.group.querySelectorAll(".ring").length < RINGS_MAX) {
    const ring = element("circle", { class: "ring", r: radius });
    ring.addEventListener("animationend", () => ring.remove());
    place.group.append(ring);
  }
  write(place, country, radius + 6);
  // Above all others.
  marks.append(place.group);
}

function tell({ id, url, place }) {
  latest.querySelector(".none")?.remove();
  const line = document.createElement("li");
  const [from, link, to] = ["b", "a", "span"].map((name) => document.createElement(name));
  from.textContent = place?.country ?? "Somewhere";
  [link.textContent, link.href] = [id, `/shortened/${id}`];
  [to.textContent, to.className] = [url, "target"];
  line.append(from, link, to);
  latest.prepend(line);
  while (latest.children.length > LATEST_MAX) latest.lastElementChild.remove();
}

function list() {
  const most = [...links].sort(([, one], [, other]) => other.hits - one.hits).slice(0, LINKS_SHOWN);
  rows.replaceChildren(...most.map(([id, { url, hits }]) => {
    const row = document.createElement("tr");
    row.dataset.id = id;
    const link = document.createElement("a");
    [link.textContent, link.href] = [id, `/shortened/${id}`];
    const cells = [link, url, hits].map((content) => {
      const cell = document.createElement("td");
      cell.append(content);
      return cell;
    });
    cells[1].className = "target";
    row.append(...cells);
    return row;
  }));
}

async function look() {
  const answer = await fetch("/stats");
  if (!answer.ok) return;
  for (const { id, url, hits } of (await answer.json()).links) links.set(id, { url, hits });
  list();
}

visits((visit) => {
  seen += 1;
  count.textContent = seen;
  if (visit.place) mark(visit.place);
  tell(visit);
  const known = links.get(visit.id)?.hits ?? 0;
  links.set(visit.id, { url: visit.url, hits: Math.max(visit.hits ?? 0, known) });
  list();
}, look);
