// What workers write, as they write it.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { follow, type LogLine } from "../api";
import { useLive } from "../live";
import { Empty, Head, Search } from "../parts";
import { clock } from "../format";

/** What our own workers write to stderr and is no error: their log has its level in front. */
const CALM = /^(INFO|DEBUG|TRACE)\b/;

/** Lines kept by the page, and of these the ones that are drawn. */
const KEPT = 5000, DRAWN = 800;

type Item = LogLine & { missed?: number };

export function Logs({ service }: { service: string }) {
  const { instance } = useLive();
  const [items, set] = useState<Item[]>([]);
  const [wanted, want] = useState("");
  const [stream, setStream] = useState("");
  const [paused, pause] = useState(false);
  const [on, connected] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const held = useRef(false);
  held.current = paused;

  useEffect(() => {
    set([]);
    let waiting: Item[] = [];
    let unique = -1;
    const query = new URLSearchParams({ last: "1000" });
    if (service) query.set("service", service);
    if (stream) query.set("stream", stream);
    const timer = window.setInterval(() => {
      if (!waiting.length || held.current) { waiting = waiting.slice(-KEPT); return; }
      const news = waiting;
      waiting = [];
      set((list) => [...list, ...news].slice(-KEPT));
    }, 150);
    const off = follow(`/v1/logs?${query}`, (kind, data) => {
      if (kind === "line") waiting.push(data);
      if (kind === "missed") waiting.push({ ...data, seq: unique--, time_ms: Date.now(), slot: 0, pid: 0, stream: "", text: `${data.missed} lines left memory before they were read`, partial: false });
    }, connected);
    return () => { off(); window.clearInterval(timer); };
  }, [service, stream]);

  const text = wanted.toLowerCase();
  const found = items.filter((item) => !text || item.text.toLowerCase().includes(text) || `${item.service}.${item.slot}`.includes(text));
  const drawn = found.slice(-DRAWN);
  useLayoutEffect(() => { if (!paused && box.current) box.current.scrollTop = box.current.scrollHeight; }, [drawn.length, drawn.at(-1)?.seq, paused]);

  return (
    <>
      <Head title="Logs" sub={`${found.length} of ${items.length} lines · ${paused ? "paused" : on ? "live" : "not connected"}`}>
        <Search label="Search lines" value={wanted} onInput={want} />
        <select aria-label="Service" value={service} onInput={(event) => { location.hash = `#/logs/${event.currentTarget.value}`; }}>
          <option value="">all services</option>
          {instance?.services.map((each) => <option key={each.name} value={each.name}>{each.name}</option>)}
        </select>
        <select aria-label="Stream" value={stream} onInput={(event) => setStream(event.currentTarget.value)}>
          <option value="">both streams</option><option>stdout</option><option>stderr</option>
        </select>
        <button aria-pressed={paused} data-pause onClick={() => pause(!paused)}>{paused ? "Go on" : "Pause"}</button>
      </Head>
      <div class="card stream log" ref={box} tabindex={0} role="log" aria-label="Lines">
        {drawn.map((item) => (
          <div key={item.seq} class={item.stream === "stderr" && !CALM.test(item.text) ? "line error" : "line"}>
            <time>{clock(item.time_ms)}</time><span class="who">{item.service}.{item.slot}</span><span class="what">{marked(item.text, text)}</span>
          </div>
        ))}
        {!drawn.length && <Empty>{items.length ? "No line has that." : "Nothing has been written yet."}</Empty>}
      </div>
    </>
  );
}

function marked(text: string, wanted: string) {
  if (!wanted) return text;
  const place = text.toLowerCase().indexOf(wanted);
  if (place < 0) return text;
  return <>{text.slice(0, place)}<mark>{text.slice(place, place + wanted.length)}</mark>{text.slice(place + wanted.length)}</>;
}
