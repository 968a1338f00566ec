// examples/shortener as a person and a program see it. Wants the URLs of the servers: one, or those of a herd.

import { browse, fail, ok, pixels, same, until, wanted } from "../browser.mjs";

const [a, b = a, c = a] = wanted;
const LONG = "https://example.org/a/long/one?with=query";

const ask = (url, options = {}) => fetch(url, { redirect: "manual", ...options });
const post = (body, type, accept = "*/*") =>
  ask(`${a}/shorten`, { method: "POST", body, headers: { "content-type": type, accept } });
const hits = async (server, id) => (await (await ask(`${server}/stats`)).json()).links.find((link) => link.id === id)?.hits;

await browse(async (context) => {
  const map = await context.newPage();
  await map.goto(`${a}/`);
  await map.getByRole("status").getByText("Connected", { exact: true }).waitFor();
  await until("the world is drawn", () => map.evaluate(() => document.querySelector("#map .land").getBBox().width > 500));

  const form = await context.newPage();
  await form.goto(`${a}/`);
  await form.getByLabel("A long URL").fill(LONG);
  await form.getByRole("button", { name: "Shorten" }).click();
  await form.waitForURL(/\/shortened\/[0-9A-Za-z]{8}$/);
  await form.getByText(LONG).waitFor();
  const short = await form.locator("#short").getAttribute("href");
  const id = short.split("/").at(-1);
  same("a form is answered by a page with the short link", short, `${a}/r/${id}`);

  await until("another server knows the link", async () => {
    const answer = await ask(`${b}/r/${id}`, { method: "HEAD" });
    return answer.status === 303 && answer.headers.get("location") === LONG;
  });
  same("HEAD is no visit", await hits(a, id), 0);

  const picture = map.locator("#map");
  const before = await pixels(picture);
  await until("a third server follows the link", async () => (await ask(`${c}/r/${id}`)).status === 303);
  await until("the visit is a mark on the map", async () => (await map.locator("#marks .mark").count()) === 1);
  if ((await pixels(picture)) === before) fail("the map looks as before");
  ok("the map looks different");
  const told = await map.locator("#visits li").first().textContent();
  if (!told.includes(LONG) || told.startsWith("Somewhere")) fail("the visit is not told:", told);
  await until("the first server counts it", async () => (await hits(a, id)) === 1);
  await until("the page of the link counts it", async () => (await form.locator("#hits").textContent()) === "1");

  // Several at once, on all servers and their workers: none is lost.
  const statuses = await Promise.all(Array.from({ length: 30 }, async (_, i) => (await ask(`${[a, b, c][i % 3]}/r/${id}`)).status));
  if (!statuses.every((status) => status === 303)) fail("a visit was refused:", statuses);
  for (const server of [a, b, c]) await until("each server counts all visits", async () => (await hits(server, id)) === 31);
  same("a link keeps its place", await map.locator("#marks .mark").count(), 1);

  const raw = await post("http://example.org", "text/plain");
  const text = await raw.text();
  if (raw.status !== 201 || !text.startsWith(`${a}/r/`)) fail("a raw body is answered by a short URL:", `${raw.status} ${text}`);
  same("who was not visited has a count", await (await ask(`${a}/hits/${text.trim().split("/").at(-1)}`)).text(), "0");
  const made = await (await post(JSON.stringify({ url: "https://m\u00fcnchen.example/k\u00e4se" }), "application/json")).json();
  same("JSON is answered in JSON, with the URL as it is kept", made.url, "https://xn--mnchen-3ya.example/k%C3%A4se");
  same("where it leads stands in the store", await (await ask(`${a}/links/${made.id}`)).text(), made.url);

  for (const bad of ["javascript:alert(1)", "//example.org/", "https://bank.example@evil.example/", "https://exa\\mple.org/", `${a}/r/${id}`, "https://a\r\nSet-Cookie: b/", "http://"]) {
    const answer = await post(bad, "text/plain");
    if (answer.status !== 422) fail(`${bad} is answered`, answer.status);
  }
  ok("what is no URL of http is refused");
  const pieces = new Blob(["https://exam", "ple.org/pieces"]).stream();
  const chunked = await ask(`${a}/shorten`, { method: "POST", body: pieces, duplex: "half", headers: { "content-type": "text/plain" } });
  same("a body that comes in pieces is taken", chunked.status, 201);
  same("a schema is asked for", (await post('{"uri": "https://example.org/"}', "application/json")).status, 422);
  same("a long body is refused", (await post("https://example.org/".padEnd(9000, "x"), "text/plain")).status, 413);
  same("a long URL is refused", (await post("https://example.org/".padEnd(2100, "x"), "text/plain")).status, 422);
  same("nothing is refused", (await post("", "text/plain")).status, 400);
  const page = await post("url=ftp://example.org/", "application/x-www-form-urlencoded", "text/html");
  if (page.status !== 422 || !(await page.text()).includes("Only URLs that begin with")) fail("a browser gets a page", page.status);
  same("an unknown link is 404", (await ask(`${a}/r/00000000`)).status, 404);
  same("an id that is none is 404", (await ask(`${a}/r/..%2fstats`)).status, 404);

  await form.goto(`${a}/docs`);
  await form.getByText("Follow a short link").first().waitFor();
  const cut = await form.locator("nav a .t").evaluateAll((all) => all.filter((each) => each.scrollWidth > each.clientWidth).map((each) => getComputedStyle(each).textOverflow));
  if (!cut.length || cut.some((each) => each !== "ellipsis")) fail("what is cut in the menu does not say so:", cut);
  ok("what is cut in the menu says so");
  const { paths } = await (await ask(`${a}/openapi.json`)).json();
  same("the routes describe themselves", Object.keys(paths["/shorten"].post.requestBody.content).join(), "*/*,application/json");
  same("all of them", Object.keys(paths).sort().join(), "/hits/{id},/links/{id},/r/{id},/shorten,/socket.io/{rest},/stats");
});
