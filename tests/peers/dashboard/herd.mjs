// Looks at the other servers, the locks, the gateways and a change of the config, as a person does.
//
// Wants the URL with a token to operate, the config file, the URL of a gateway, and a folder for pictures.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { browse, fail, ok, same, until, wanted } from "../browser.mjs";

const [operate, config, edge, pictures] = wanted;

await browse(async (context) => {
  const page = await context.newPage();
  const picture = (name) => page.screenshot({ path: join(pictures, `${name}.png`) });
  const go = async (key, name) => {
    await page.locator("main").focus();
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await page.getByRole("heading", { name, exact: true }).waitFor();
  };

  await page.goto(operate);
  await page.getByRole("heading", { name: "Services" }).waitFor();

  await go("h", "Herd");
  const other = page.getByRole("row", { name: /^n1 here/ });
  await other.waitFor();
  await until("a link has a round trip", async () => /\d ms/.test(await other.textContent()));
  await page.getByRole("button", { name: "Compare keys" }).click();
  await page.getByRole("status", { name: "Comparison" }).getByText("0 differing keys, compared with 1 server").waitFor();
  ok("the keys of both servers are compared");
  await picture("herd");

  await go("x", "Locks");
  await page.getByRole("row", { name: /nightly/ }).getByText("0", { exact: true }).waitFor();
  await picture("locks");
  ok("a lock is there with its holder");

  await go("w", "Gateways");
  const route = page.getByRole("row", { name: /^greeting/ });
  const answered = async () => Number(await route.locator("td").nth(1).textContent());
  await until("a route is there", async () => (await route.count()) === 1);
  const before = await answered();
  for (let each = 0; each < 5; each++) if ((await (await fetch(`${edge}/hi`)).text()) !== "hi") fail("the gateway answers something else");
  await until("requests are counted by route", async () => (await answered()) >= before + 5);
  await page.waitForTimeout(2500);
  await picture("gateways");

  const request = page.getByLabel("Request", { exact: true });
  const answer = page.getByRole("status", { name: "Answer" });
  await request.fill("/hi");
  await page.keyboard.press("Enter");
  await answer.getByText("takes greeting: respond 200").waitFor();
  await page.getByRole("row", { name: /GET any \/hi respond 200 greeting taken/ }).waitFor();
  await picture("routes");
  await request.fill("POST https://shop.example/hi");
  await page.getByRole("button", { name: "Which route?" }).click();
  await answer.getByText("no route for this method: 405, Allow: GET").waitFor();
  await page.getByRole("row", { name: /greeting other methods/ }).waitFor();
  await request.fill("hi");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("is no URL").waitFor();
  ok("the routes are listed, and a request is told which one it takes");

  // At the width of a phone every page can be reached, and one sees where one is and as whom.
  const nav = page.getByRole("navigation", { name: "Pages" });
  const parts = [...await nav.getByRole("link").all(), nav.getByText("operates", { exact: true }), nav.getByRole("button", { name: "Keys" })];
  same("all pages, the role and the keys are there", parts.length, 13);
  for (const width of [320, 400]) {
    await page.setViewportSize({ width, height: 800 });
    for (const part of parts) {
      const box = await part.boundingBox();
      if (!box || box.x < 0 || box.x + box.width > width || box.y < 0 || box.y + box.height > 200) fail(`is not in sight at ${width} px:`, `${await part.textContent()} ${JSON.stringify(box)}`);
    }
    const [brand, foot] = [await nav.locator(".brand span").boundingBox(), await nav.locator(".foot").boundingBox()];
    if (brand.x + brand.width > foot.x && foot.y < brand.y + brand.height) fail("parts of the navigation lie on each other at", width);
  }
  same("the page one is at is marked", await nav.locator("[aria-current]").textContent().then((text) => text.startsWith("Gateways")), true);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) fail("a narrow page is wider than its screen by", wide);
  await picture("gateways-narrow");
  await nav.getByRole("button", { name: "Keys" }).click();
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 1280, height: 860 });

  await go("c", "Config");
  await page.getByRole("button", { name: "Apply the file…" }).click();
  await page.getByText("nothing to apply").waitFor();
  const file = readFileSync(config, "utf8");
  writeFileSync(config, file.replace("workers = 1 # of the edge", "workers = one"));
  await page.getByRole("button", { name: "Apply the file…" }).click();
  const report = page.locator(".note.bad", { hasText: "^" });
  const look = await report.evaluate((note) => [getComputedStyle(note).fontFamily, getComputedStyle(note).whiteSpace].join());
  if (!look.includes("monospace") || !look.endsWith(",pre")) fail("a mark does not stand below its word:", look);
  ok("a report on the file keeps its layout");
  await picture("report");
  writeFileSync(config, file.replace("workers = 1 # of the edge", "workers = 2"));
  await page.getByRole("button", { name: "Apply the file…" }).click();
  await page.getByRole("dialog").getByText("~ service edge: workers 1 → 2").waitFor();
  await picture("apply");
  await page.getByRole("dialog").getByRole("button", { name: "Apply" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await go("s", "Services");
  await page.getByRole("row", { name: /service edge/ }).getByText("2 / 2").waitFor();
  ok("a change of the file is shown and applied");
  await page.emulateMedia({ colorScheme: "dark" });
  await go("h", "Herd");
  await other.waitFor();
  await picture("herd-dark");
});
