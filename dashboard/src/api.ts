// The control API as the browser reaches it: the same paths and documents as on the Unix socket.

export type Role = "view" | "operate" | null;

export interface Worker {
  id: number;
  slot: number;
  pid: number | null;
  generation: number;
  phase: string;
  age_ms: number;
  status?: string | null;
  requests?: number | null;
  memory_bytes: number | null;
  cpu_ms: number | null;
}
export interface Service {
  name: string;
  phase: string;
  wanted: boolean;
  workers_wanted: number;
  workers_ready: number;
  generation: number;
  failures_total: number;
  starts_total: number;
  reason?: string | null;
  reload?: { done: number; total: number } | null;
  scaling?: { min: number; max: number; on: string } | null;
  held_for_ms?: number | null;
  next_run_ms?: number | null;
  workers: Worker[];
  backoffs: { slot: number; retry_in_ms: number | null; failures: number }[];
}
export interface Socket {
  name: string;
  address: string;
  kind: string;
  mode: string;
  listeners: { slot?: number | null; queue?: number | null; queue_limit?: number | null }[];
  services: string[];
}
export interface Instance {
  name: string;
  version: string;
  pid: number;
  uptime_ms: number;
  config: string;
  tracking: string;
  memory_bytes: number;
  stopping: boolean;
  limits_hit: { limit: string; count: number }[];
  hub?: object | null;
  gateways?: string | null;
  sockets: Socket[];
  services: Service[];
}
export type Bytes = { text: string } | { base64: string };
export interface KeyList { keys: Bytes[]; next: number | null }
export interface KeyValue {
  key: Bytes;
  kind: string;
  ttl_ms: number | null;
  length: number;
  value: Bytes | null;
  entries: { name: Bytes | null; value: Bytes }[];
  is_cut: boolean;
}
export interface BusMessage { time_ms: number; topic: Bytes; payload: Bytes; length: number }
export interface EventRecord { seq: number; time_ms: number; service?: string; slot?: number; pid?: number; event: string; [more: string]: unknown }
export interface LogLine { seq: number; time_ms: number; service: string; slot: number; pid: number; stream: string; text: string; partial: boolean }
export interface HerdMember { node: string; name: string; state: string; lasting_ms: number; distance: number; addresses: string[] }
export interface HerdLink {
  node: string;
  address: string;
  state: string;
  round_trip_us: number | null;
  waiting_bytes: number;
  sent_bytes_total: number;
  received_bytes_total: number;
  dropped_total: number;
}
export interface Herd { herd: string; node: string; name: string; mode: string; trouble: string; members: HerdMember[]; links: HerdLink[] }
export interface HerdUnreached { node: string; name: string; why: string }
export interface HerdDifference { node: string; name: string; database: number; key: string }
export interface HerdCheck { peers: number; pending: number; unreached: HerdUnreached[]; differing_keys: number; differing: HerdDifference[] }
export interface HeldLock { name: Bytes; owner: Bytes; fence: number; left_ms: number; ttl_ms: number; waiting: number }
export interface LockList { locks: HeldLock[]; engine: string | null; is_exact: boolean; trouble: string }
export type Change =
  | { change: "added" } | { change: "removed" }
  | { change: "scaled"; from: number; to: number } | { change: "bounded"; min: number; max: number }
  | { change: "adjusted"; keys: string[] } | { change: "replaced"; keys: string[] };
export interface Plan { sockets: { name: string; change: Change }[]; services: { name: string; change: Change }[]; instance: string[] }
export interface Hub {
  uptime_ms: number;
  connections: Record<string, number>;
  bus: Record<string, number>;
  worst_members: { name: string; protocol: string; queued_bytes: number; lag_messages: number; dropped_messages_total: number }[];
  store: { keys: number; used_bytes: number; limit_bytes: number; databases: [number, number][]; revision: number; is_durable: boolean };
  herd: Herd | null;
}
export interface Gateway {
  workers: number;
  metrics: {
    open: number; accepted: number; received: number; sent: number;
    events: Record<string, number>;
    routes: { name: string; by_class: number[]; cut: number; sent: number; time: { buckets: [number, number][]; sum_us: number } }[];
  };
}

export interface GatewayRoute { name: string; methods: string[]; hosts: string[]; path: string; conditions: string[]; action: string; does: string }
export interface RouteMatch { route: GatewayRoute | null; parameters: Record<string, string>; allow: string[] | null; routes: { route: string; verdict: string }[] }

export class ApiError extends Error {
  constructor(readonly status: number, message: string) { super(message); }
}

const expired = new Set<() => void>();
export function onExpired(listener: () => void): void { expired.add(listener); }

async function failure(response: Response): Promise<ApiError> {
  if (response.status === 401 && !response.url.endsWith("/login")) expired.forEach((each) => each());
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    if (body.lines) return new ApiError(response.status, body.lines.join("\n"));
    const { result: _, code, ...rest } = body;
    if (code === "not-allowed") return new ApiError(response.status, "this session may look, but not change anything");
    if (code) return new ApiError(response.status, rest.reason ?? `${code.replaceAll("-", " ")}: ${Object.values(rest).filter(Boolean).join(", ")}`);
  } catch { /* no JSON: the text says it */ }
  return new ApiError(response.status, text || response.statusText);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, { signal: signal ?? null });
  if (!response.ok) throw await failure(response);
  return response.json();
}

export async function post(path: string, body?: unknown): Promise<any> {
  const headers: Record<string, string> = { "x-remuda-dashboard": "1" };
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(path, { method: "POST", headers, body: body === undefined ? null : JSON.stringify(body) });
  if (!response.ok) throw await failure(response);
  return response.json();
}

export const shown = (bytes: Bytes): string => ("text" in bytes ? bytes.text : `base64:${bytes.base64}`);
export const keyQuery = (key: Bytes): string =>
  "text" in key ? `key=${encodeURIComponent(key.text)}` : `key_base64=${encodeURIComponent(key.base64)}`;

/** Reads server-sent events, and goes on after the last one when the arbiter comes back. */
export function follow(path: string, on: (kind: string, data: any) => void, state?: (connected: boolean, why?: string) => void): () => void {
  const abort = new AbortController();
  let last: string | undefined;
  let pause = 500;
  (async () => {
    while (!abort.signal.aborted) {
      try {
        const response = await fetch(path, { signal: abort.signal, headers: last ? { "last-event-id": last } : {} });
        if (!response.ok || !response.body) throw await failure(response);
        state?.(true);
        pause = 500;
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        let held = "";
        for (;;) {
          const { value, done } = await reader.read();
          if (done) break;
          held += value;
          const blocks = held.split("\n\n");
          held = blocks.pop() ?? "";
          for (const block of blocks) {
            let kind = "message", data = "";
            for (const line of block.split("\n")) {
              if (line.startsWith("id: ")) last = line.slice(4);
              else if (line.startsWith("event: ")) kind = line.slice(7);
              else if (line.startsWith("data: ")) data += line.slice(6);
            }
            if (data) on(kind, JSON.parse(data));
          }
        }
        state?.(false);
      } catch (error) {
        if (abort.signal.aborted) return;
        state?.(false, error instanceof ApiError ? error.message : undefined);
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, 5000);
    }
  })();
  return () => abort.abort();
}
