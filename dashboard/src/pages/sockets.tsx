// Listening sockets and who waits at them.

import { Chart } from "../chart";
import { useLive } from "../live";
import { Empty, Head } from "../parts";

export function Sockets() {
  const { instance, history } = useLive();
  if (!instance) return <Empty>Asking the arbiter …</Empty>;
  return (
    <>
      <Head title="Sockets" sub="connections that wait to be accepted, by socket" />
      <Chart title="Waiting connections" names={history.names("queue/")} label={(name) => name.slice(6)} format={(value) => value.toFixed(0)} height={220} whole />
      <div class="card scroll">
        <table>
          <thead><tr><th>Socket</th><th>Address</th><th>Kind</th><th>Mode</th><th>Services</th><th>Waiting</th></tr></thead>
          <tbody>
            {instance.sockets.map((socket) => (
              <tr key={socket.name}>
                <td><b>{socket.name}</b></td>
                <td><code>{socket.address}</code></td>
                <td>{socket.kind}</td>
                <td>{socket.mode}</td>
                <td>{socket.services.map((each) => <a key={each} class="chip" href={`#/service/${each}`}>{each}</a>)}</td>
                <td>
                  {socket.listeners.map((each, place) => each.queue === null || each.queue === undefined ? <span class="faint">–</span> : (
                    <div key={place} class="queue">
                      {typeof each.slot === "number" && <small>slot {each.slot}</small>}
                      <meter min={0} max={each.queue_limit ?? 1} high={(each.queue_limit ?? 1) / 2} value={each.queue} aria-label="queue" />
                      <span class="n">{each.queue} / {each.queue_limit ?? "–"}</span>
                    </div>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {!instance.sockets.length && <Empty>This instance has no sockets.</Empty>}
      </div>
    </>
  );
}
