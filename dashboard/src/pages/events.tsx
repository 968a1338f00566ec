// What the arbiter did and what happened to it.

import { useEffect, useState } from "preact/hooks";
import { follow, type EventRecord } from "../api";
import { Empty, Head, Search } from "../parts";
import { clock } from "../format";

/** Events kept by the page. */
const KEPT = 2000;
const BAD = /fail|crash|kill|refused|hung|lost|drop|missed|orphan/;
const PLAIN = new Set(["seq", "time_ms", "service", "slot", "worker", "pid", "generation", "event"]);

function detail(record: EventRecord): string {
  const value = (each: unknown): string => (each !== null && typeof each === "object" ? JSON.stringify(each) : String(each));
  return Object.entries(record).filter(([name, each]) => !PLAIN.has(name) && each !== null && each !== undefined).map(([name, each]) => `${name.replaceAll("_", " ")} ${value(each)}`).join(" · ");
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
