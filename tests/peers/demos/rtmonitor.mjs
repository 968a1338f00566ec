// examples/rtmonitor as a person sees it. Wants `one` or `herd`, and the page's URL.

import { browse, ok, pixels, please, until, wanted } from "../browser.mjs";

const [mode, url] = wanted;

await browse(async (context) => {
  const page = await context.newPage();
  await page.goto(url);
  const status = page.getByRole("status");
  await status.getByText("Connected", { exact: true }).waitFor();
  const card = (name) => page.locator(`article[aria-label="Server ${name}"]`);
  const state = (name) => card(name).locator(".state").textContent();
  const chart = (name, what) => page.getByRole("figure", { name: `${what} of ${name}` }).locator("canvas");
  const moves = async (name, what) => {
    const first = await pixels(chart(name, what));
    await until(`the chart of ${name}'s ${what} moves`, async () => (await pixels(chart(name, what))) !== first);
  };

  if (mode === "one") {
    const name = await page.locator("article h2").textContent();
    await moves(name, "CPU");
    await moves(name, "Memory");
    await until("memory is told", async () => /^[\d.]+ of [\d.]+ GiB$/.test(await card(name).locator(".memory output").textContent()));
    await page.evaluate(() => {
      window.states = [];
      const status = document.getElementById("status");
      new MutationObserver(() => states.push(status.textContent)).observe(status, { childList: true });
    });
    await please("kill the gateways");
    await until("a lost connection is told, and comes back", async () => {
      const states = await page.evaluate(() => window.states);
      return states.includes("Disconnected") && states.at(-1) === "Connected";
    });
    await moves(name, "CPU");
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: "light" });
    await until("the system's theme is followed", () => page.evaluate((was) => getComputedStyle(document.body).backgroundColor !== was, dark));
    await page.setViewportSize({ width: 390, height: 780 });
    await until("a narrow screen is enough", () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    return;
  }

  for (const name of ["n0", "n1", "n2"]) await until(`${name} is here`, async () => (await card(name).count()) && (await state(name)) === "here");
  await moves("n1", "CPU");
  await moves("n2", "Memory");
  await please("kill n1");
  await until("n1 is away, and the others have given it up", async () => (await state("n1")) === "away: lost");
  for (const name of ["n0", "n2"]) if ((await state(name)) !== "here") throw new Error(`${name} is ${await state(name)}`);
  await moves("n2", "CPU");
  const last = await pixels(chart("n1", "CPU"));
  await moves("n0", "CPU");
  if ((await pixels(chart("n1", "CPU"))) !== last) throw new Error("the chart of a server that is gone moves");
  ok("its chart stands still");
});
