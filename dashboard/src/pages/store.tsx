// Keys of the hub's store: look, change, delete.

import { useCallback, useEffect, useState } from "preact/hooks";
import { get, keyQuery, post, shown, type Bytes, type Hub, type KeyList, type KeyValue } from "../api";
import { ask, note } from "../dialog";
import { usePolled } from "../live";
import { Empty, Figure, Head, Row, Search, State } from "../parts";
import { age, count, milliseconds, size } from "../format";
import { useRole } from "../session";

export function Store() {
  const hub = usePolled<Hub>("/v1/hub");
  const operates = useRole() === "operate";
  const [pattern, setPattern] = useState("");
  const [database, setDatabase] = useState(0);
  const [list, setList] = useState<KeyList>({ keys: [], next: null });
  const [open, setOpen] = useState<KeyValue | null>(null);
  const [draft, setDraft] = useState("");
  const [ttl, setTtl] = useState("");
  const [error, fail] = useState<string | null>(null);

  const search = useCallback(async (cursor = 0) => {
    try {
      const glob = /[*?[]/.test(pattern) || !pattern ? pattern : `*${pattern}*`;
      const found = await get<KeyList>(`/v1/store/keys?limit=200&database=${database}&cursor=${cursor}&pattern=${encodeURIComponent(glob)}`);
      setList((before) => (cursor ? { keys: [...before.keys, ...found.keys], next: found.next } : found));
      fail(null);
    } catch (problem) { fail(problem instanceof Error ? problem.message : String(problem)); }
  }, [pattern, database]);
  useEffect(() => { const timer = window.setTimeout(() => void search(), 150); return () => window.clearTimeout(timer); }, [search]);

  const show = async (key: Bytes) => {
    try {
      const found = await get<KeyValue>(`/v1/store/key?database=${database}&${keyQuery(key)}`);
      setOpen(found);
      setDraft(found.value && "text" in found.value ? found.value.text : "");
      setTtl(found.ttl_ms === null ? "" : `${Math.ceil(found.ttl_ms / 1000)}s`);
    } catch (problem) { note(problem instanceof Error ? problem.message : String(problem), true); setOpen(null); }
  };
  const save = async (key: Bytes, value: string, lasting: string) => {
    const ttl_ms = lasting.trim() ? milliseconds(lasting) : undefined;
    if (ttl_ms === null) throw new Error(`${lasting} is no time such as 90s or 5m`);
    await post("/v1/store/set", { key, value: { text: value }, database, ...(ttl_ms ? { ttl_ms } : {}) });
    note(`${shown(key)} is set`);
    await Promise.all([search(), show(key)]);
  };
  const fresh = () => ask({
    title: "New key", action: "Set",
    fields: [{ name: "key", label: "Key", value: "" }, { name: "value", label: "Value", value: "" }, { name: "ttl", label: "Expires in", value: "", hint: "90s, 5m, 1h; empty for never" }],
    run: async (values) => { if (!values.key) throw new Error("a key has a name"); await save({ text: values.key }, values.value ?? "", values.ttl ?? ""); },
  });
  const remove = (key: Bytes) => ask({
    title: `Delete ${shown(key)}?`, text: "It is gone for every worker, and on every server if it is shared.", action: "Delete", danger: true,
    run: async () => { const reply = await post("/v1/store/delete", { keys: [key], database }); setOpen(null); await search(); return reply.lines; },
  });
  if (hub.error && !hub.value) return <><Head title="Store" /><Empty>{hub.error}</Empty></>;
  const store = hub.value?.store;
  const isText = open?.kind === "string" && open.value !== null && "text" in open.value && !open.is_cut;
  return (
    <>
      <Head title="Store" sub={store ? `revision ${count(store.revision)} · ${store.is_durable ? "on disk" : "in memory"}` : "…"}>
        <Search label="Keys like user:*" value={pattern} onInput={setPattern} />
        <select aria-label="Database" value={String(database)} onInput={(event) => { setOpen(null); setDatabase(Number(event.currentTarget.value)); }}>
          {[...new Set([0, ...(store?.databases.map(([number]) => number) ?? [])])].sort((a, b) => a - b).map((number) => <option key={number} value={String(number)}>database {number}</option>)}
        </select>
        <button onClick={() => void search()}>Look again</button>
        {operates && <button class="primary" onClick={fresh}>New key…</button>}
      </Head>
      <section class="figures" aria-label="Figures">
        <Figure label="Keys" value={store ? count(store.keys) : "–"} />
        <Figure label="Memory" value={size(store?.used_bytes)} hint={store?.limit_bytes ? `of ${size(store.limit_bytes)}` : "no limit"} />
        <Figure label="Clients" value={hub.value ? count(hub.value.connections.redis_clients ?? 0) : "–"} />
      </section>
      {error && <p class="problem" role="alert">{error}</p>}
      <div class="split">
        <div class="card scroll tall">
          <table>
            <thead><tr><th>Key</th></tr></thead>
            <tbody>{list.keys.map((key) => <Row key={shown(key)} label={`key ${shown(key)}`} selected={open !== null && shown(open.key) === shown(key)} onOpen={() => void show(key)}><td><code>{shown(key)}</code></td></Row>)}</tbody>
          </table>
          {!list.keys.length && <Empty>{pattern ? "No key is called like that." : "There are no keys here yet."}</Empty>}
          {list.next !== null && <button class="more-button" onClick={() => void search(list.next ?? 0)}>More</button>}
        </div>
        <div class="card pad">
          {!open ? <Empty>Choose a key to see its value.</Empty> : (
            <>
              <h2><code>{shown(open.key)}</code> <State of={open.kind} /></h2>
              <p class="sub">{open.kind === "string" ? size(open.length) : `${count(open.length)} members`} · {open.ttl_ms === null ? "never expires" : `expires in ${age(open.ttl_ms)}`}{open.is_cut && " · only its beginning is shown"}</p>
              {open.kind === "string" ? (
                isText && operates ? (
                  <form onSubmit={async (event) => { event.preventDefault(); try { await save(open.key, draft, ttl); } catch (problem) { note(problem instanceof Error ? problem.message : String(problem), true); } }}>
                    <label class="field"><span>Value</span><textarea rows={8} spellcheck={false} value={draft} onInput={(event) => setDraft(event.currentTarget.value)} /></label>
                    <label class="field"><span>Expires in</span><input value={ttl} placeholder="never" onInput={(event) => setTtl(event.currentTarget.value)} /></label>
                    <div class="buttons"><button type="button" class="danger quiet" onClick={() => remove(open.key)}>Delete…</button><button type="submit" class="primary">Save</button></div>
                  </form>
                ) : <pre>{open.value ? shown(open.value) : ""}</pre>
              ) : (
                <table><tbody>{open.entries.map((entry, place) => <tr key={place}><td class="faint">{entry.name ? shown(entry.name) : place}</td><td><code>{shown(entry.value)}</code></td></tr>)}</tbody></table>
              )}
              {operates && !isText && <div class="buttons"><button class="danger quiet" onClick={() => remove(open.key)}>Delete…</button></div>}
            </>
          )}
        </div>
      </div>
    </>
  );
}
