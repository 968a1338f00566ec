// The config in force, with every default. Changing it is for the file and `remuda apply`.

import { useState } from "preact/hooks";
import { usePolled } from "../live";
import { Empty, Head, Search } from "../parts";

export function Config() {
  const { value, error } = usePolled<{ toml: string }>("/v1/config", 10_000);
  const [wanted, want] = useState("");
  if (!value) return <><Head title="Config" /><Empty>{error ?? "Asking the arbiter …"}</Empty></>;
  let section = "";
  const lines = value.toml.split("\n").map((line) => { if (line.startsWith("[")) section = line; return { line, section }; });
  const text = wanted.toLowerCase();
  const shownLines = lines.filter((each) => !text || each.section.toLowerCase().includes(text) || each.line.toLowerCase().includes(text));
  return (
    <>
      <Head title="Config" sub="in force, with every default; variables are masked"><Search label="Find a key" value={wanted} onInput={want} /></Head>
      <pre class="card config" tabindex={0}>{shownLines.map((each, place) => {
        if (each.line.startsWith("[")) return <div key={place} class="section">{each.line}</div>;
        const equals = each.line.indexOf(" = ");
        return equals > 0 ? <div key={place}><span class="key">{each.line.slice(0, equals)}</span> = {each.line.slice(equals + 3)}</div> : <div key={place}>{each.line || " "}</div>;
      })}</pre>
    </>
  );
}
