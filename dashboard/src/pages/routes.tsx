// The routes of the gateways, and which of them a request takes.

import { useState } from "preact/hooks";
import { get, type GatewayRoute, type RouteMatch } from "../api";
import { usePolled } from "../live";

/** The question of "POST https://shop.example/cart", "/cart"; GET where there is only a URL. */
function query(request: string, headers: string, from: string): string {
  const words = request.trim().split(/\s+/);
  const [method = "GET", url = ""] = words.length > 1 ? words : ["GET", ...words];
  const question = new URLSearchParams({ method, url });
  for (const header of headers.split("\n")) if (header.trim()) question.append("header", header.trim());
  if (from.trim()) question.set("from", from.trim());
  return question.toString();
}

function Found({ found }: { found: RouteMatch }) {
  if (found.allow) return <>no route for this method: 405, Allow: {found.allow.join(", ")}</>;
  if (!found.route) return <>no route: 404</>;
  const parameters = Object.entries(found.parameters);
  return <>takes <b>{found.route.name}</b>{parameters.length > 0 && <> with {parameters.map(([name, value]) => `${name} = ${value}`).join(", ")}</>}: {found.route.does}</>;
}

export function Routes() {
  // They change with the config alone.
  const { value } = usePolled<{ routes: GatewayRoute[] }>("/v1/gateways/routes", 10_000);
  const [request, write] = useState("");
  const [headers, writeHeaders] = useState("");
  const [from, writeFrom] = useState("");
  const [found, find] = useState<RouteMatch | null>(null);
  const [error, fail] = useState<string | null>(null);
  const test = async (event: Event) => {
    event.preventDefault();
    try { find(await get<RouteMatch>(`/v1/gateways/route?${query(request, headers, from)}`)); fail(null); }
    catch (problem) { find(null); fail(problem instanceof Error ? problem.message : String(problem)); }
  };
  const clear = () => { find(null); fail(null); };
  if (!value?.routes.length) return null;
  // The config may have changed since the request was tested: a verdict is that of the route in its place.
  const verdict = (place: number, name: string) => { const it = found?.routes[place]; return it?.route === name ? it.verdict : "–"; };
  return (
    <section>
      <h2>Routes</h2>
      <div class="card">
        <form class="publish" onSubmit={(event) => void test(event)}>
          <input class="grow" name="request" aria-label="Request" placeholder="METHOD URL, as POST https://shop.example/cart, or /cart" autocomplete="off" value={request} onInput={(event) => { write(event.currentTarget.value); clear(); }} />
          <button class="primary" disabled={!request.trim()}>Which route?</button>
          <details class="all-of-it">
            <summary>Headers, client</summary>
            <label class="field"><span>Headers, one a line</span><textarea rows={2} placeholder="Accept: text/html" value={headers} onInput={(event) => { writeHeaders(event.currentTarget.value); clear(); }} /></label>
            <label class="field"><span>The client's address</span><input value={from} placeholder="127.0.0.1" onInput={(event) => { writeFrom(event.currentTarget.value); clear(); }} /></label>
          </details>
        </form>
        {error && <p class="said problem" role="alert">{error}</p>}
        {found && <p class="said" role="status" aria-label="Answer"><Found found={found} /></p>}
        <div class="scroll">
          <table aria-label="Routes">
            <thead><tr><th class="n">#</th><th>Methods</th><th>Host</th><th>Path</th><th>Does</th><th>Name</th>{found && <th>For this request</th>}</tr></thead>
            <tbody>{value.routes.map((route, place) => (
              <tr key={place} aria-selected={found ? verdict(place, route.name) === "taken" : undefined}>
                <td class="n">{place + 1}</td>
                <td>{route.methods.join("|") || "any"}</td>
                <td>{route.hosts.join(", ") || "any"}</td>
                <td><code>{route.path}</code>{route.conditions.map((each) => <div key={each} class="reason">{each}</div>)}</td>
                <td>{route.does}</td>
                <td class="faint">{route.name}</td>
                {found && <td class="reason">{verdict(place, route.name)}</td>}
              </tr>
            ))}</tbody>
          </table>
        </div>
      </div>
    </section>
  );
}
