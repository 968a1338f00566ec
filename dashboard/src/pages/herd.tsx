// The other servers, and the links with them.

import type { Hub } from "../api";
import { usePolled } from "../live";
import { Empty, Head, State } from "../parts";
import { age, count, size } from "../format";

export function HerdPage() {
  const { value, error } = usePolled<Hub>("/v1/hub");
  const herd = value?.herd;
  if (!value) return <><Head title="Herd" /><Empty>{error ?? "Asking the hub …"}</Empty></>;
  if (!herd) return <><Head title="Herd" /><Empty>This server is in no herd: [herd] in its config makes it a node.</Empty></>;
  return (
    <>
      <Head title="Herd" sub={herd.trouble || `${herd.name} of ${herd.herd} · ${herd.members.length} nodes · ${herd.mode}`} />
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
