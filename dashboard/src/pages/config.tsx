// The config in force, with every default, and what the file would change: the file is edited elsewhere, and applied here.

import { useState } from "preact/hooks";
import { get, post, type Change, type Plan } from "../api";
import { ask, note } from "../dialog";
import { usePolled } from "../live";
import { Empty, Head, Search } from "../parts";
import { useRole } from "../session";

function line(what: string, name: string, it: Change): string {
  switch (it.change) {
    case "added": return `+ ${what} ${name}`;
    case "removed": return `- ${what} ${name}`;
    case "scaled": return `~ ${what} ${name}: workers ${it.from} → ${it.to}`;
    case "bounded": return `~ ${what} ${name}: workers between ${it.min} and ${it.max}`;
    case "adjusted": return `~ ${what} ${name}: ${it.keys.join(", ")} (no worker is touched)`;
    case "replaced": return `~ ${what} ${name}: ${it.keys.join(", ")} (replaced without a gap)`;
  }
}

/** Shows what the file as it is now would change, and applies it if that is wanted. */
async function apply(): Promise<void> {
  try {
    const plan = await get<Plan>("/v1/plan");
    const lines = [
      ...plan.sockets.map((each) => line("socket", each.name, each.change)),
      ...plan.services.map((each) => line("service", each.name, each.change)),
      ...plan.instance.map((key) => `! ${key} changes when the arbiter is restarted`),
    ];
    if (!lines.length) return note("The file says what is in force: nothing to apply.");
    ask({ title: "Apply the config file?", text: lines.join("\n"), action: "Apply", danger: true, run: async () => (await post("/v1/apply")).lines });
  } catch (problem) { note(problem instanceof Error ? problem.message : String(problem), true); }
}

export function Config() {
  const { value, error } = usePolled<{ toml: string }>("/v1/config", 10_000);
  const [wanted, want] = useState("");
  const operates = useRole() === "operate";
  if (!value) return <><Head title="Config" /><Empty>{error ?? "Asking the arbiter …"}</Empty></>;
  let section = "";
  const lines = value.toml.split("\n").map((line) => { if (line.startsWith("[")) section = line; return { line, section }; });
  const text = wanted.toLowerCase();
  const shownLines = lines.filter((each) => !text || each.section.toLowerCase().includes(text) || each.line.toLowerCase().includes(text));
  return (
    <>
      <Head title="Config" sub="in force, with every default; variables are masked"><Search label="Find a key" value={wanted} onInput={want} />{operates && <button onClick={() => void apply()}>Apply the file…</button>}</Head>
      <pre class="card config" tabindex={0}>{shownLines.map((each, place) => {
        if (each.line.startsWith("[")) return <div key={place} class="section">{each.line}</div>;
        const equals = each.line.indexOf(" = ");
        return equals > 0 ? <div key={place}><span class="key">{each.line.slice(0, equals)}</span> = {each.line.slice(equals + 3)}</div> : <div key={place}>{each.line || " "}</div>;
      })}</pre>
    </>
  );
}
