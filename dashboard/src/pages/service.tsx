// One service: its slots, who sits in them, and what can be done.

import { useEffect, useState } from "preact/hooks";
import { Chart } from "../chart";
import * as actions from "../actions";
import { follow, type EventRecord } from "../api";
import { useLive } from "../live";
import { Empty, Figure, Head, State } from "../parts";
import { age, count, percent, size } from "../format";
import { isShort } from "../services";
import { useRole } from "../session";
import { EventRows } from "./events";

export function ServicePage({ name }: { name: string }) {
  const { instance, history } = useLive();
  const operates = useRole() === "operate";
  const [events, setEvents] = useState<EventRecord[]>([]);
  useEffect(() => {
    setEvents([]);
    return follow("/v1/events?after=0", (kind, record) => {
      if (kind !== "missed" && kind !== "end" && record.service === name) setEvents((list) => [...list.slice(-199), record]);
    });
  }, [name]);
  const service = instance?.services.find((each) => each.name === name);
  if (!instance) return <Empty>Asking the arbiter …</Empty>;
  if (!service) return <><Head title={name} /><Empty>There is no service {name} in this instance.</Empty></>;
  const isDown = ["stopped", "failed", "done", "stopping"].includes(service.phase);
  const slots = Array.from({ length: Math.max(service.workers_wanted, ...service.workers.map((each) => each.slot + 1), 0) }, (_, slot) => slot);
  const sockets = instance.sockets.filter((each) => each.services.includes(name));
  const last = (key: string) => history.series.get(key)?.at(-1);
  return (
    <>
      <Head title={<><a href="#/" class="crumb">Services</a> / {name} <State of={service.phase} /></>} sub={service.reason ?? (sockets.map((each) => `${each.name} ${each.address}`).join(" · ") || "no sockets")}>
        {operates && (isDown
          ? <button class="primary" onClick={() => actions.start(name)}>Start</button>
          : <>
              <button class="primary" onClick={() => actions.reload(name)}>Reload</button>
              <button onClick={() => actions.scale(service)}>Scale…</button>
              {service.held_for_ms ? <button onClick={() => actions.release(name)}>Release</button> : sockets.length > 0 && <button onClick={() => actions.hold(name)}>Hold…</button>}
              <button onClick={() => actions.signal(name)}>Signal…</button>
              <button onClick={() => actions.restart(name)}>Restart…</button>
              <button class="danger quiet" onClick={() => actions.stop(name)}>Stop…</button>
            </>)}
      </Head>
      <section class="figures" aria-label="Figures">
        <Figure label="Workers ready" value={`${service.workers_ready} / ${service.workers_wanted}`} bad={isShort(service)} hint={service.scaling ? `${service.scaling.min}–${service.scaling.max} by ${service.scaling.on}` : undefined} />
        <Figure label="Generation" value={service.generation} hint={service.reload ? `reload ${service.reload.done} of ${service.reload.total}` : undefined} />
        <Figure label="Starts" value={count(service.starts_total)} />
        <Figure label="Failures" value={count(service.failures_total)} bad={service.failures_total > 0} />
        {service.held_for_ms ? <Figure label="Held for" value={age(service.held_for_ms)} /> : null}
        {service.next_run_ms ? <Figure label="Next run in" value={age(service.next_run_ms)} /> : null}
      </section>
      <div class="charts">
        <Chart title="CPU by slot" names={history.names(`cpu/${name}/`)} label={(key) => `slot ${key.split("/")[2]}`} format={percent} />
        <Chart title="Memory by slot" names={history.names(`memory/${name}/`)} label={(key) => `slot ${key.split("/")[2]}`} format={size} bytes />
      </div>
      <div class="card scroll">
        <table>
          <thead><tr><th>Slot</th><th>State</th><th class="n">Pid</th><th class="n">Generation</th><th class="n">Uptime</th><th class="n">CPU</th><th class="n">Memory</th><th class="n wide">Requests</th><th class="wide">Says</th>{operates && <th><span class="hidden">Actions</span></th>}</tr></thead>
          <tbody>
            {slots.flatMap((slot) => {
              const here = service.workers.filter((each) => each.slot === slot);
              const pause = service.backoffs.find((each) => each.slot === slot);
              if (!here.length) return [<tr key={`s${slot}`}><td>{slot}</td><td colspan={operates ? 9 : 8}>{pause ? <><State of="backoff" /> <small>again in {age(pause.retry_in_ms)} after {pause.failures} failures</small></> : <span class="faint">empty</span>}</td></tr>];
              return here.map((worker) => (
                <tr key={worker.id}>
                  <td>{slot}</td>
                  <td><State of={worker.phase} /></td>
                  <td class="n">{worker.pid ?? "–"}</td>
                  <td class="n">{worker.generation}</td>
                  <td class="n">{age(worker.age_ms)}</td>
                  <td class="n">{percent(last(`cpu/${name}/${slot}`))}</td>
                  <td class="n">{size(worker.memory_bytes)}</td>
                  <td class="n wide">{worker.requests ?? "–"}</td>
                  <td class="wide">{worker.status ?? ""}</td>
                  {operates && <td class="actions"><button onClick={() => actions.reload(`${name}.${slot}`)}>Reload</button><button onClick={() => actions.signal(`${name}.${slot}`)}>Signal…</button></td>}
                </tr>
              ));
            })}
          </tbody>
        </table>
      </div>
      <section>
        <h2>What happened <a class="more" href={`#/logs/${name}`}>logs of {name} →</a></h2>
        <div class="card stream short" tabindex={0} aria-label="Events of this service"><EventRows events={[...events].reverse()} /></div>
      </section>
    </>
  );
}
