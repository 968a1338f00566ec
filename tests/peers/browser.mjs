// A browser without a screen, for the programs in the folders beside this file.
//
// Arguments of each: the folder with node_modules, a new folder for the browser's profile, and what the program wants.
// Prints `ok NAME` for each thing that is as it should be; the first that is not ends the run. `please NAME` asks whoever
// started it to do something, which has been done when a line comes.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

// One thing to wait for, and the whole run.
const PATIENCE_MS = 20_000;
const RUN_MS = 55_000;

const [peers, profile, ...rest] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export const wanted = rest;
export const ok = (name) => console.log(`ok ${name}`);
export const fail = (name, more = "") => { throw new Error(`${name} ${more}`); };
export const same = (name, is, should) => (is === should ? ok(name) : fail(name, `is ${is}, not ${should}`));
export const pixels = async (locator) => createHash("sha256").update(await locator.screenshot({ animations: "disabled" })).digest("hex");

/** Looks until it is so; gives what was seen. */
export async function until(name, look) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (seen) {
      ok(name);
      return seen;
    }
    if (Date.now() > end) fail(name);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export async function please(name) {
  console.log(`please ${name}`);
  await lines.next();
}

/** Runs `look(context)` with a browser, in which no page may fail or load anything from elsewhere. */
export async function browse(look) {
  setTimeout(() => { console.error("it takes too long"); process.exit(3); }, RUN_MS).unref();
  const { chromium } = createRequire(join(peers, "x.js"))("playwright-core");
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    viewport: { width: 1280, height: 860 },
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  context.on("weberror", (error) => complaints.push(String(error.error())));
  // A refusal that is asked for is told on the console too.
  context.on("console", (message) => { if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) complaints.push(message.text()); });
  context.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "127.0.0.1") complaints.push(`a page wants ${request.url()}`);
  });
  try {
    await look(context);
    if (complaints.length) fail("the browser complains:", complaints.join("; "));
    ok("the browser complains of nothing");
  } catch (error) {
    console.error(error, complaints);
    for (const page of context.pages()) console.error(await page.locator("body").innerText().catch(() => "no page"));
    process.exitCode = 1;
  } finally {
    await context.close();
    process.stdin.destroy();
  }
}
