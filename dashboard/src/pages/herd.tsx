// The other servers, and the links with them.

import { useState } from "preact/hooks";
import { get, type HerdCheck, type Hub } from "../api";
import { note } from "../dialog";
import { usePolled } from "../live";
import { Empty, Head, State } from "../parts";
import { age, count, size } from "../format";

export function HerdPage() {
  const { value, error } = usePolled<Hub>("/v1/hub");
  const [check, setCheck] = useState<HerdCheck | "asked" | null>(null);
  const compare = async () => {
    setCheck("asked");
    try { setCheck(await get<HerdCheck>("/v1/herd/check")); }
    catch (problem) { note(problem instanceof Error ? problem.message : String(problem), true); setCheck(null); }
  };
  const herd = value?.herd;
  if (!value) return <><Head title="Herd" /><Empty>{error ?? "Asking the hub …"}</Empty></>;
  if (!herd) return <><Head title="Herd" /><Empty>This server is in no herd: [herd] in its config makes it a node.</Empty></>;
  return (
    <>
      <Head title="Herd" sub={herd.trouble || `${herd.name} of ${herd.herd} · ${herd.members.length} nodes · ${herd.mode}`}>
        <button onClick={() => void compare()} disabled={check === "asked"}>{check === "asked" ? "Comparing …" : "Compare keys"}</button>
      </Head>
      {check && check !== "asked" && <Compared check={check} />}
      <div class="card scroll">
        <table>
          <thead><tr><th>Node</th><th>State</th><th class="n">For</th><th>Link</th><th class="n">Round trip</th><th class="n">Waiting</th><th class="n wide">Sent</th><th class="n wide">Received</th><th class="n">Dropped</th><th class="wide">Address</th></tr></thead>
          <tbody>
            {herd.members.filter((each) => each.node !== herd.node).map((member) => {
              const link = herd.links.find((each) => each.node === member.node);
              return (
                <tr key={member.node}>
                  <td><b>{member.name || member.node}</b></td><td><State of={member.state} /></td><td class="n">{age(member.lasting_ms)}</td>
                  <td>{link ? <State of={link.state} /> : <span class="faint">{member.distance} away</span>}</td>
                  <td class="n">{link?.round_trip_us != null ? `${(link.round_trip_us / 1000).toFixed(1)} ms` : "–"}</td>
                  <td class="n">{size(link?.waiting_bytes)}</td><td class="n wide">{size(link?.sent_bytes_total)}</td><td class="n wide">{size(link?.received_bytes_total)}</td>
                  <td class="n"><span class={link?.dropped_total ? "warn" : ""}>{link ? count(link.dropped_total) : "–"}</span></td>
                  <td class="wide"><code>{link?.address ?? member.addresses[0] ?? "–"}</code></td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {herd.members.length < 2 && <Empty>No other server has joined yet.</Empty>}
      </div>
    </>
  );
}

/** What a comparison of the shared keys has found. */
function Compared({ check }: { check: HerdCheck }) {
  const missed = check.unreached.filter((each) => each.why !== "left");
  const inVain = check.unreached.filter((each) => ["silent", "cut", "shares other keys"].includes(each.why)).length;
  const compared = Math.max(0, check.peers - check.pending - inVain);
  const isWell = !check.differing_keys && !check.pending && !missed.length;
  return (
    <div class="card" role="status" aria-label="Comparison">
      <p class="said"><State of={isWell ? "done" : check.differing_keys ? "failed" : "waiting"} /> {count(check.differing_keys)} differing keys, compared with {count(compared)} {compared === 1 ? "server" : "servers"}
        {check.pending > 0 && `; ${count(check.pending)} did not answer in time`}
        {missed.map((each) => `; ${each.name || each.node} was not compared with: ${each.why}`)}</p>
      {check.differing.length > 0 && (
        <table>
          <thead><tr><th>Key</th><th class="n">Database</th><th>Differs at</th></tr></thead>
          <tbody>{check.differing.map((each) => <tr key={`${each.node}/${each.database}/${each.key}`}><td><code>{each.key}</code></td><td class="n">{each.database}</td><td>{each.name || each.node}</td></tr>)}</tbody>
        </table>
      )}
    </div>
  );
}
