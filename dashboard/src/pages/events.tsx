// What the arbiter did and what happened to it.

import { useEffect, useState } from "preact/hooks";
import { follow, type EventRecord } from "../api";
import { Empty, Head, Search } from "../parts";
import { age, clock } from "../format";

/** Events kept by the page. */
const KEPT = 2000;
const BAD = /fail|crash|kill|refused|hung|lost|drop|missed|orphan/;
const PLAIN = new Set(["seq", "time_ms", "service", "slot", "worker", "pid", "generation", "event"]);

/** How a process ended, as the command line says it. */
function ending(status: { code?: number; signal?: { signal: unknown; core: boolean } }): string | null {
  if (typeof status.code === "number") return `exit ${status.code}`;
  return status.signal ? `killed by ${status.signal.signal}${status.signal.core ? ", core dumped" : ""}` : null;
}

/** A field of an event in words. */
function words(name: string, each: unknown): string {
  const plain = name.replaceAll("_", " ");
  if (name === "expected") return each ? "" : "unasked";
  if (name.endsWith("_ms") && typeof each === "number") return `${plain.slice(0, -3)} ${each < 1000 ? `${each} ms` : age(each)}`;
  if (Array.isArray(each)) return each.length ? `${plain} ${each.join(name === "last_lines" ? "\n" : ", ")}` : "";
  if (each === null || typeof each !== "object") return `${plain} ${each}`;
  const ended = name === "status" ? ending(each) : null;
  if (ended) return ended;
  if ("stage" in each && "detail" in each) return `${each.stage}: ${each.detail}`;
  return `${plain} ${Object.entries(each).map(([inner, value]) => `${inner.replaceAll("_", " ")} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ")}`;
}

function detail(record: EventRecord): string {
  const told = Object.entries(record).filter(([name, each]) => !PLAIN.has(name) && each !== null && each !== undefined);
  return told.map(([name, each]) => words(name, each)).filter(Boolean).join(" · ");
}

const subject = (record: EventRecord): string => (record.service ? `${record.service}${typeof record.slot === "number" ? `.${record.slot}` : ""}` : "instance");

export function EventRows({ events }: { events: EventRecord[] }) {
  if (!events.length) return <Empty>Nothing yet.</Empty>;
  return (
    <>
      {events.map((record) => (
        <div key={record.seq} class={BAD.test(record.event) ? "line bad" : "line"}>
          <time>{clock(record.time_ms)}</time><span class="who">{subject(record)}</span>
          <span class="what"><b>{record.event.replaceAll("-", " ")}</b>{record.pid ? <small> pid {record.pid}</small> : null} <span class="faint">{detail(record)}</span></span>
        </div>
      ))}
    </>
  );
}

export function Events() {
  const [events, set] = useState<EventRecord[]>([]);
  const [wanted, want] = useState("");
  const [on, connected] = useState(false);
  useEffect(() => {
    let waiting: EventRecord[] = [];
    const timer = window.setInterval(() => {
      if (!waiting.length) return;
      const news = waiting;
      waiting = [];
      set((list) => [...list, ...news].slice(-KEPT));
    }, 150);
    const off = follow("/v1/events?after=0", (kind, record) => { if (kind !== "missed" && kind !== "end") waiting.push(record); }, connected);
    return () => { off(); window.clearInterval(timer); };
  }, []);
  const text = wanted.toLowerCase();
  const found = events.filter((record) => !text || `${subject(record)} ${record.event} ${record.event.replaceAll("-", " ")} ${detail(record)}`.toLowerCase().includes(text));
  return (
    <>
      <Head title="Events" sub={`${found.length} of ${events.length}, the newest first · ${on ? "live" : "not connected"}`}><Search label="Filter events" value={wanted} onInput={want} /></Head>
      <div class="card stream" tabindex={0} aria-label="Events"><EventRows events={found.slice(-500).reverse()} /></div>
    </>
  );
}
