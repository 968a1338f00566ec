// Requests through the gateways, by route.

import { useMemo, useRef } from "preact/hooks";
import type { Gateway } from "../api";
import { Chart } from "../chart";
import { History, usePolled } from "../live";
import { Empty, Figure, Head } from "../parts";
import { count, size } from "../format";
import { Routes } from "./routes";

type All = Record<string, Gateway>;

function quantile(buckets: [number, number][], part: number): string {
  const all = buckets.reduce((sum, [, each]) => sum + each, 0);
  let left = all * part;
  for (const [bound, each] of buckets) { left -= each; if (left <= 0 && all) return bound < 10_000 ? `${(bound / 1000).toFixed(2)} ms` : `${(bound / 1000).toFixed(0)} ms`; }
  return "–";
}

export function Gateways() {
  const { value, error } = usePolled<All>("/v1/gateways");
  const history = useMemo(() => new History(), []);
  const before = useRef<{ value: All; at: number; totals: Map<string, number> } | null>(null);
  if (value && before.current?.value !== value) {
    const at = performance.now(), totals = new Map<string, number>(), rates = new Map<string, number | null>();
    for (const [service, gateway] of Object.entries(value)) {
      for (const route of gateway.metrics.routes) {
        const name = `${service} ${route.name || "(no route)"}`;
        const total = route.by_class.reduce((sum, each) => sum + each, 0);
        totals.set(name, total);
        const was = before.current?.totals.get(name);
        if (before.current && was !== undefined) rates.set(name, Math.max(0, ((total - was) / (at - before.current.at)) * 1000));
      }
    }
    before.current = { value, at, totals };
    history.push(Date.now() / 1000, rates);
  }
  if (!value) return <><Head title="Gateways" /><Empty>{error ?? "Asking the gateways …"}</Empty></>;
  const all = Object.entries(value);
  if (!all.length) return <><Head title="Gateways" /><Empty>No gateway has told its figures.</Empty><Routes /></>;
  return (
    <>
      <Head title="Gateways" sub="requests by route, since their workers began" />
      <Chart title="Requests per second" names={history.names("")} label={(name) => name} format={(each) => each.toFixed(each < 10 ? 1 : 0)} source={history} height={220} />
      {all.map(([service, { workers, metrics }]) => (
        <section key={service}>
          <h2><a href={`#/service/${service}`}>{service}</a></h2>
          <div class="figures">
            <Figure label="Workers" value={workers} /><Figure label="Open connections" value={count(metrics.open)} hint={`${count(metrics.accepted)} accepted`} />
            <Figure label="Sent" value={size(metrics.sent)} /><Figure label="Received" value={size(metrics.received)} />
          </div>
          <div class="card scroll">
            <table>
              <thead><tr><th>Route</th><th class="n">2xx</th><th class="n">3xx</th><th class="n">4xx</th><th class="n">5xx</th><th class="n">Cut</th><th class="n">Sent</th><th class="n">Median</th><th class="n">99 %</th></tr></thead>
              <tbody>{metrics.routes.map((route) => (
                <tr key={route.name}>
                  <td>{route.name || <span class="faint">no route</span>}</td>
                  {[1, 2, 3, 4].map((place) => <td key={place} class="n"><span class={place === 4 && route.by_class[4] ? "warn" : ""}>{count(route.by_class[place] ?? 0)}</span></td>)}
                  <td class="n">{count(route.cut)}</td><td class="n">{size(route.sent)}</td>
                  <td class="n">{quantile(route.time.buckets, 0.5)}</td><td class="n">{quantile(route.time.buckets, 0.99)}</td>
                </tr>
              ))}</tbody>
            </table>
          </div>
          {Object.keys(metrics.events).length > 0 && <p class="sub">{Object.entries(metrics.events).map(([word, each]) => `${word.replaceAll("-", " ")} ${count(each)}`).join(" · ")}</p>}
        </section>
      ))}
      <Routes />
    </>
  );
}
