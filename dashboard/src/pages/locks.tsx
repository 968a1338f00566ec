// The locks that are held, and by whom.

import { shown, type LockList } from "../api";
import { usePolled } from "../live";
import { Empty, Head } from "../parts";
import { age, count } from "../format";

export function Locks() {
  const { value, error } = usePolled<LockList>("/v1/locks");
  if (!value) return <><Head title="Locks" /><Empty>{error ?? "Asking the hub …"}</Empty></>;
  const keeper = value.engine ? `kept by ${value.engine}${value.is_exact ? "" : ", best effort: it may give a lock away twice"}; listed are those acquired by way of this server` : "kept by this server";
  return (
    <>
      <Head title="Locks" sub={keeper} />
      {value.trouble && <p class="banner" role="alert">The engine is away: {value.trouble}</p>}
      <div class="card scroll">
        <table>
          <thead><tr><th>Lock</th><th>Holder</th><th class="n">Fence</th><th class="n">Left</th><th class="n wide">At a time</th><th class="n">Waiting</th></tr></thead>
          <tbody>
            {value.locks.map((lock) => (
              <tr key={shown(lock.name)}>
                <td><b>{shown(lock.name)}</b></td><td><code>{shown(lock.owner)}</code></td><td class="n">{count(lock.fence)}</td>
                <td class="n">{age(lock.left_ms)}</td><td class="n wide">{age(lock.ttl_ms)}</td><td class="n">{count(lock.waiting)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {!value.locks.length && <Empty>No lock is held: <code>remuda lock NAME -- COMMAND</code> holds one while a command runs.</Empty>}
      </div>
    </>
  );
}
