// Everything at a glance: services and how they are.

import { useState } from "preact/hooks";
import { Chart } from "../chart";
import * as actions from "../actions";
import { useLive } from "../live";
import { Empty, Figure, Head, Row, Search, State } from "../parts";
import { age, count, percent, size } from "../format";
import { due, isShort } from "../services";
import { useRole } from "../session";

export function Overview() {
  const { instance, history } = useLive();
  const [wanted, want] = useState("");
  const operates = useRole() === "operate";
  if (!instance) return <Empty>Asking the arbiter …</Empty>;
  const services = instance.services.filter((each) => each.name.includes(wanted));
  const workers = instance.services.flatMap((each) => each.workers);
  const awaited = instance.services.filter((each) => due(each) > 0);
  const ready = awaited.reduce((sum, each) => sum + each.workers_ready, 0);
  const dueWorkers = awaited.reduce((sum, each) => sum + due(each), 0);
  const memory = workers.reduce((sum, each) => sum + (each.memory_bytes ?? 0), 0);
  const bad = instance.services.filter((each) => ["failed", "crash-loop", "degraded"].includes(each.phase)).length;
  const last = (name: string) => history.series.get(name)?.at(-1);
  return (
    <>
      <Head title="Services" sub={`instance ${instance.name} · remuda ${instance.version} · pid ${instance.pid} · up ${age(instance.uptime_ms)}`}>
        <Search label="Find a service" value={wanted} onInput={want} />
        {operates && <button onClick={actions.upgrade}>Upgrade…</button>}
        {operates && <button class="danger quiet" onClick={() => actions.shutdown(instance.name)}>Shut down…</button>}
      </Head>
      <section class="figures" aria-label="Figures">
        <Figure label="Services" value={instance.services.length} hint={bad ? `${bad} in trouble` : "all in order"} bad={bad > 0} />
        <Figure label="Workers ready" value={`${ready} / ${dueWorkers}`} bad={instance.services.some(isShort)} />
        <Figure label="Memory of workers" value={size(memory)} hint={`arbiter ${size(instance.memory_bytes)}`} />
        <Figure label="Limits hit" value={count(instance.limits_hit.reduce((sum, each) => sum + each.count, 0))} hint={instance.limits_hit.map((each) => each.limit).join(", ") || "none"} bad={instance.limits_hit.length > 0} />
      </section>
      <div class="card scroll">
        <table>
          <thead><tr><th>Service</th><th>State</th><th class="n">Workers</th><th class="n">CPU</th><th class="n">Memory</th><th class="n wide">Starts</th><th class="n wide">Failures</th><th class="n wide">Generation</th>{operates && <th><span class="hidden">Actions</span></th>}</tr></thead>
          <tbody>
            {services.map((each) => (
              <Row key={each.name} to={`#/service/${each.name}`} label={`service ${each.name}, ${each.phase}`}>
                <td><a href={`#/service/${each.name}`} tabindex={-1}><b>{each.name}</b></a>{each.reason && <div class="reason">{each.reason}</div>}</td>
                <td><State of={each.phase} />{each.reload && <small> {each.reload.done}/{each.reload.total}</small>}</td>
                <td class="n"><span class={isShort(each) ? "warn" : due(each) ? "" : "faint"}>{each.workers_ready}</span> / {each.workers_wanted}{each.scaling && <small> of {each.scaling.min}–{each.scaling.max}</small>}</td>
                <td class="n">{percent(last(`cpu-of/${each.name}`))}</td>
                <td class="n">{size(last(`memory-of/${each.name}`))}</td>
                <td class="n wide">{count(each.starts_total)}</td>
                <td class="n wide"><span class={each.failures_total ? "warn" : ""}>{count(each.failures_total)}</span></td>
                <td class="n wide">{each.generation}</td>
                {operates && (
                  <td class="actions">
                    {["stopped", "failed", "done"].includes(each.phase)
                      ? <button onClick={() => actions.start(each.name)}>Start</button>
                      : <><button onClick={() => actions.reload(each.name)}>Reload</button><button onClick={() => actions.scale(each)}>Scale</button></>}
                  </td>
                )}
              </Row>
            ))}
          </tbody>
        </table>
        {!services.length && <Empty>{wanted ? "No service is called like that." : "This instance has no services."}</Empty>}
      </div>
      <div class="charts">
        <Chart title="CPU by service" names={instance.services.map((each) => `cpu-of/${each.name}`)} label={(name) => name.slice(7)} format={percent} />
        <Chart title="Memory by service" names={instance.services.map((each) => `memory-of/${each.name}`)} label={(name) => name.slice(10)} format={size} bytes />
      </div>
    </>
  );
}
