// One short link: what it is, where it leads, and how often it was visited, live.

import { visits } from "./visits.js";

const id = location.pathname.split("/").at(-1);
const [short, target, hits, copy] = ["short", "target", "hits", "copy"].map((name) => document.getElementById(name));
short.href = short.textContent = `${location.origin}/r/${id}`;
const kept = async (path) => {
  const answer = await fetch(path, { headers: { Accept: "text/plain" } });
  return answer.ok ? answer.text() : null;
};
async function look() {
  const [url, count] = await Promise.all([kept(`/links/${id}`), kept(`/hits/${id}`)]);
  if (url === null) document.getElementById("title").textContent = "There is no such link";
  target.textContent = url ?? "nowhere";
  hits.textContent = count ?? "0";
}
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(short.href);
  copy.textContent = "Copied";
});
visits((visit) => {
  if (visit.id === id && visit.hits) hits.textContent = visit.hits;
}, look);
