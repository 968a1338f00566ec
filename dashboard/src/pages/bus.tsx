// Messages of the bus, as they pass.

import { useEffect, useRef, useState } from "preact/hooks";
import { follow, post, shown, type BusMessage, type Hub } from "../api";
import { note } from "../dialog";
import { usePolled } from "../live";
import { Empty, Figure, Head, Search } from "../parts";
import { clock, count, size } from "../format";
import { useRole } from "../session";

const KEPT = 500;

export function Bus() {
  const hub = usePolled<Hub>("/v1/hub");
  const operates = useRole() === "operate";
  const [prefix, setPrefix] = useState("");
  const [messages, set] = useState<(BusMessage & { place: number })[]>([]);
  const [paused, pause] = useState(false);
  const [on, connected] = useState(false);
  const [topic, setTopic] = useState("");
  const [payload, setPayload] = useState("");
  const held = useRef(false);
  held.current = paused;
  useEffect(() => {
    set([]);
    let waiting: (BusMessage & { place: number })[] = [], place = 0;
    let off = () => {};
    const begin = window.setTimeout(() => {
      off = follow(`/v1/bus?prefix=${encodeURIComponent(prefix)}`, (kind, data) => { if (kind === "message") waiting.push({ ...data, place: place++ }); }, connected);
    }, 200);
    const timer = window.setInterval(() => {
      if (!waiting.length || held.current) { waiting = waiting.slice(-KEPT); return; }
      const news = waiting;
      waiting = [];
      set((list) => [...list, ...news].slice(-KEPT));
    }, 150);
    return () => { window.clearTimeout(begin); window.clearInterval(timer); off(); };
  }, [prefix]);
  const publish = async (event: Event) => {
    event.preventDefault();
    try { note((await post("/v1/bus/publish", { topic: { text: topic }, payload: { text: payload } })).lines.join("\n")); }
    catch (problem) { note(problem instanceof Error ? problem.message : String(problem), true); }
  };
  if (hub.error && !hub.value) return <><Head title="Bus" /><Empty>{hub.error}</Empty></>;
  const bus = hub.value?.bus;
  return (
    <>
      <Head title="Bus" sub={paused ? "paused" : on ? "live" : "not connected"}>
        <Search label="Topics that begin with" value={prefix} onInput={setPrefix} />
        <button aria-pressed={paused} data-pause onClick={() => pause(!paused)}>{paused ? "Go on" : "Pause"}</button>
      </Head>
      <section class="figures" aria-label="Figures">
        <Figure label="Published" value={bus ? count(bus.published_messages_total ?? 0) : "–"} hint={bus ? size(bus.published_bytes_total) : undefined} />
        <Figure label="Members" value={bus ? count(bus.members ?? 0) : "–"} hint={bus ? `${count(bus.subscriptions ?? 0)} subscriptions` : undefined} />
        <Figure label="Queued" value={bus ? count(bus.queued_messages ?? 0) : "–"} hint={size(bus?.queued_bytes)} />
        <Figure label="Dropped" value={bus ? count(bus.dropped_messages_total ?? 0) : "–"} bad={(bus?.dropped_messages_total ?? 0) > 0} hint={bus ? `lag at most ${count(bus.lag_messages_max ?? 0)}` : undefined} />
      </section>
      {operates && (
        <form class="card publish" onSubmit={publish} aria-label="Publish">
          <input aria-label="Topic" placeholder="topic" value={topic} onInput={(event) => setTopic(event.currentTarget.value)} required />
          <input aria-label="Payload" class="grow" placeholder="payload" value={payload} onInput={(event) => setPayload(event.currentTarget.value)} />
          <button class="primary">Publish</button>
        </form>
      )}
      <div class="card stream" tabindex={0} role="log" aria-label="Messages">
        {[...messages].reverse().map((each) => (
          <div key={each.place} class="line"><time>{clock(each.time_ms)}</time><span class="who">{shown(each.topic)}</span><span class="what">{shown(each.payload)} {each.length > 16384 && <small>({size(each.length)})</small>}</span></div>
        ))}
        {!messages.length && <Empty>Messages appear here from now on.</Empty>}
      </div>
    </>
  );
}
