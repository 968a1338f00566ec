// The picture of the present, asked for once a second while somebody looks, and what it was before.

import { useEffect, useReducer } from "preact/hooks";
import { ApiError, get, type Instance } from "./api";

/** Seconds kept for charts. */
const KEPT = 300;

/** Values over time; all series of one history have the same times. */
export class History {
  times: number[] = [];
  series = new Map<string, (number | null)[]>();

  push(time: number, values: Map<string, number | null>): void {
    this.times.push(time);
    for (const name of values.keys()) {
      if (!this.series.has(name)) this.series.set(name, new Array(this.times.length - 1).fill(null));
    }
    for (const [name, list] of this.series) list.push(values.get(name) ?? null);
    if (this.times.length > KEPT) {
      this.times.shift();
      for (const [name, list] of this.series) {
        list.shift();
        if (list.every((value) => value === null)) this.series.delete(name);
      }
    }
  }

  names(prefix: string): string[] {
    return [...this.series.keys()].filter((name) => name.startsWith(prefix)).sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  }
}

class Live {
  instance: Instance | null = null;
  trouble: string | null = null;
  history = new History();
  #listeners = new Set<() => void>();
  #timer: number | undefined;
  #before: { at: number; cpu: Map<number, number> } | null = null;

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (!this.#listeners.size) this.#stop();
    };
  }

  async refresh(): Promise<void> {
    try {
      const instance = await get<Instance>("/v1/status", AbortSignal.timeout(5000));
      this.#remember(instance);
      this.instance = instance;
      this.trouble = null;
    } catch (error) {
      this.trouble = error instanceof ApiError ? error.message : "the arbiter does not answer; trying again";
    }
    this.#listeners.forEach((each) => each());
  }

  #start(): void {
    const turn = async () => {
      if (!document.hidden) await this.refresh();
      if (this.#listeners.size) this.#timer = window.setTimeout(turn, 1000);
    };
    void turn();
  }

  #stop(): void { window.clearTimeout(this.#timer); }

  #remember(instance: Instance): void {
    const at = performance.now();
    const cpu = new Map<number, number>();
    const values = new Map<string, number | null>();
    const before = this.#before;
    for (const service of instance.services) {
      let used = 0, memory = 0;
      for (const worker of service.workers) {
        if (worker.cpu_ms !== null) {
          cpu.set(worker.id, worker.cpu_ms);
          const was = before?.cpu.get(worker.id);
          if (before && was !== undefined) {
            const percent = Math.max(0, ((worker.cpu_ms - was) / (at - before.at)) * 100);
            used += percent;
            values.set(`cpu/${service.name}/${worker.slot}`, percent);
          }
        }
        if (worker.memory_bytes !== null) {
          memory += worker.memory_bytes;
          values.set(`memory/${service.name}/${worker.slot}`, worker.memory_bytes);
        }
      }
      if (before) values.set(`cpu-of/${service.name}`, used);
      values.set(`memory-of/${service.name}`, memory);
    }
    for (const socket of instance.sockets) {
      const depths = socket.listeners.map((each) => each.queue).filter((queue) => typeof queue === "number");
      if (depths.length) values.set(`queue/${socket.name}`, depths.reduce((sum, each) => sum + each, 0));
    }
    this.#before = { at, cpu };
    this.history.push(Date.now() / 1000, values);
  }
}

export const live = new Live();

export function useLive(): Live {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => live.subscribe(() => again(undefined as never)), []);
  return live;
}

/** Asks for a document every second while the component is there and seen. */
export function usePolled<T>(path: string | null, every = 1000): { value: T | null; error: string | null } {
  const [state, set] = useReducer((_: { value: T | null; error: string | null }, next: { value: T | null; error: string | null }) => next, { value: null, error: null });
  useEffect(() => {
    if (!path) return;
    let timer: number | undefined, over = false, last: T | null = null;
    const turn = async () => {
      if (!document.hidden) {
        try {
          last = await get<T>(path, AbortSignal.timeout(5000));
          if (!over) set({ value: last, error: null });
        } catch (error) {
          if (!over) set({ value: last, error: error instanceof ApiError ? error.message : "no answer; trying again" });
        }
      }
      if (!over) timer = window.setTimeout(turn, every);
    };
    void turn();
    return () => { over = true; window.clearTimeout(timer); };
  }, [path, every]);
  return state;
}
