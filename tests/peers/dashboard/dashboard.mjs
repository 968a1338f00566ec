// Looks at a dashboard as a person does, in a browser without a screen.
//
// Wants the URL with a token to operate, the URL with a token to view, and a folder for pictures.

import { join } from "node:path";
import { browse, fail, ok, pixels, until, wanted } from "../browser.mjs";

const [operate, view, pictures] = wanted;

await browse(async (context) => {
  const page = await context.newPage();
  const picture = (name) => page.screenshot({ path: join(pictures, `${name}.png`) });
  await page.goto(operate.replace(/#.*/, "#token=wrong"));
  await page.getByRole("alert").getByText("of no use").waitFor();
  ok("a wrong token is told to be of no use");
  await picture("login");

  await page.goto("about:blank");
  await page.goto(operate);
  await page.getByRole("heading", { name: "Services" }).waitFor();
  if (page.url().includes("token")) fail("the token stays in the address", page.url());
  ok("the token logs in and leaves the address");

  // Pasted into the tab that is open: the page stays, and its address alone changes.
  await page.evaluate((hash) => { location.hash = hash; }, new URL(view).hash);
  await page.getByText("views", { exact: true }).waitFor();
  await page.evaluate((hash) => { location.hash = hash; }, new URL(operate).hash);
  await page.getByText("operates", { exact: true }).waitFor();
  if (page.url().includes("token")) fail("the token stays in the address", page.url());
  ok("a token pasted into an open page logs in too");

  const row = page.getByRole("row", { name: "service web, running" });
  await row.getByText("2 / 2").waitFor();
  ok("services are there with their workers");

  for (const name of ["service yearly, scheduled", "service rare, idle"]) {
    if (await page.getByRole("row", { name }).locator(".warn").count()) fail("what rests is told to be missing:", name);
  }
  const ready = page.locator(".figure", { hasText: "Workers ready" });
  // The hub's worker is one of them.
  await ready.getByText("3 / 3", { exact: true }).waitFor();
  if (await ready.evaluate((figure) => figure.matches(".bad"))) fail("what rests is counted as missing");
  ok("what waits for its time or a connection is not missing");

  const chart = page.getByRole("figure", { name: "CPU by service" }).locator("canvas");
  const first = await pixels(chart);
  await until("a chart moves by itself", async () => (await pixels(chart)) !== first);

  await row.getByRole("button", { name: "Scale" }).click();
  await page.getByLabel("Workers").fill("3");
  await page.keyboard.press("Enter");
  await row.getByText("3 / 3").waitFor();
  ok("a service is scaled");

  await page.keyboard.press("Escape");
  await page.locator("main").focus();
  await page.keyboard.press("ArrowDown");
  await until("arrows go from row to row", () => page.evaluate(() => document.activeElement?.matches("tr.row") ?? false));
  await page.waitForTimeout(2500);
  await page.emulateMedia({ colorScheme: "light" });
  await picture("overview-light");
  const light = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: "dark" });
  await until("the system's theme is followed", () => page.evaluate((was) => getComputedStyle(document.body).backgroundColor !== was, light));
  await picture("overview-dark");

  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await picture("keys");
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "web", exact: true }).click();
  await page.getByRole("figure", { name: "Memory by slot" }).waitFor();
  await page.waitForTimeout(2500);
  await picture("service");
  await page.getByRole("button", { name: "Stop…" }).click();
  await page.getByRole("heading", { name: "Stop web?" }).waitFor();
  await picture("confirm");
  await page.getByRole("button", { name: "Cancel" }).click();
  ok("a stop is asked about first");
  await page.emulateMedia({ colorScheme: "light" });

  await page.locator("main").focus();
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.getByRole("heading", { name: "Logs" }).waitFor();
  await page.getByText("tick 1", { exact: true }).first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("needle");
  await until("only lines with the wanted word are left", async () => {
    const lines = await page.locator(".line .what").allTextContents();
    return lines.length > 0 && lines.every((line) => line.includes("needle"));
  });
  await picture("logs");

  for (const [key, name] of [["e", "Events"], ["o", "Sockets"], ["c", "Config"], ["b", "Bus"], ["k", "Store"]]) {
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await page.getByRole("heading", { name, exact: true }).waitFor();
    if (name === "Bus") {
      await page.getByText("live", { exact: true }).waitFor();
      await page.getByLabel("Topic", { exact: true }).fill("news.today");
      await page.getByLabel("Payload").fill("hello herd");
      await page.getByRole("button", { name: "Publish" }).click();
      await page.locator(".line", { hasText: "hello herd" }).waitFor();
      ok("a message that is published is seen on the bus");
      await page.locator("main").focus();
    }
    if (name === "Store") {
      await page.getByRole("button", { name: "New key…" }).click();
      await page.getByLabel("Key", { exact: true }).fill("greeting");
      await page.getByLabel("Value").fill("good morning");
      await page.getByRole("button", { name: "Set" }).click();
      await page.getByRole("row", { name: "key greeting" }).waitFor();
      // It has a field of the same name, and goes when the key is shown.
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await page.getByRole("textbox", { name: "Value" }).fill("good evening");
      await page.getByRole("button", { name: "Save" }).click();
      await until("a key is changed", async () => (await page.evaluate(async () => (await (await fetch("/v1/store/key?key=greeting")).json()).value.text)) === "good evening");
      await picture("store");
      await page.getByRole("button", { name: "Delete…" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
      await page.getByRole("row", { name: "key greeting" }).waitFor({ state: "detached" });
      ok("a key is deleted");
    } else await picture(name.toLowerCase());
  }

  await page.setViewportSize({ width: 390, height: 780 });
  await page.goto(operate.replace(/#.*/, "#/"));
  await page.getByRole("heading", { name: "Services" }).waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) fail("a narrow page is wider than its screen by", wide);
  await page.waitForTimeout(1500);
  await picture("narrow");
  ok("a narrow screen is enough");
  await page.setViewportSize({ width: 1280, height: 860 });

  await page.getByRole("button", { name: /Log out/ }).click();
  await page.getByLabel("Token").waitFor();
  await page.goto("about:blank");
  await page.goto(view);
  await page.getByRole("heading", { name: "Services" }).waitFor();
  await page.getByText("views").waitFor();
  if (await page.getByRole("button", { name: /Scale|Reload|Stop|Shut down/ }).count()) fail("a viewer is offered what it may not do");
  const refused = await page.evaluate(async () => (await fetch("/v1/scale", { method: "POST", headers: { "x-remuda-dashboard": "1" }, body: '{"service":"web","to":1}' })).status);
  if (refused !== 403) fail("a viewer is not refused but answered", refused);
  ok("a viewer is offered nothing it may not do, and refused");
  await picture("viewer");
});
