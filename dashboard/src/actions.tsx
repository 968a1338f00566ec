// What can be done with a service: the same as on the command line.

import { ask, act } from "./dialog";
import { post, type Service } from "./api";
import { milliseconds } from "./format";

const lines = async (path: string, body: unknown): Promise<string[]> => (await post(path, body)).lines ?? [];

export function reload(target: string): void { void act("/v1/reload", { targets: [target] }, `${target} is reloaded`); }
export function start(service: string): void { void act("/v1/start", { targets: [service] }, `${service} is started`); }
export function release(service: string): void { void act("/v1/release", { service }, `${service} is released`); }

export function restart(target: string): void {
  ask({ title: `Restart ${target}?`, text: "Its workers are stopped before new ones start. Its sockets stay open: connections wait meanwhile.", action: "Restart", danger: true, run: () => lines("/v1/restart", { targets: [target] }) });
}
export function stop(service: string): void {
  ask({ title: `Stop ${service}?`, text: "Its workers end, and nobody answers at its sockets until it is started again.", action: "Stop", danger: true, run: () => lines("/v1/stop", { targets: [service] }) });
}
export function scale(service: Service): void {
  ask({
    title: `Scale ${service.name}`, action: "Scale",
    fields: [{ name: "to", label: "Workers", value: String(service.workers_wanted), hint: "Kept until the config says another number." }],
    run: (values) => {
      const to = Number(values.to);
      if (!/^\d+$/.test(values.to?.trim() ?? "")) throw new Error(`${values.to} is not a number of workers`);
      return lines("/v1/scale", { service: service.name, to });
    },
  });
}
export function hold(service: string): void {
  ask({
    title: `Hold ${service}`, text: "Its workers go, and new connections wait until it is released or the time is over.", action: "Hold", danger: true,
    fields: [{ name: "for", label: "For", value: "30s", hint: "up to 10m" }],
    run: (values) => {
      const for_ms = milliseconds(values.for ?? "");
      if (for_ms === null) throw new Error(`${values.for} is no time such as 30s`);
      return lines("/v1/hold", { service, for_ms });
    },
  });
}
export function signal(target: string): void {
  ask({
    title: `Signal ${target}`, action: "Send", danger: true,
    fields: [{ name: "signal", label: "Signal", value: "HUP", hint: "HUP, USR1, TERM, 10, RTMIN+1" }, { name: "scope", label: "To", value: "main", choices: ["main", "group", "tree"] }],
    run: (values) => lines("/v1/signal", { targets: [target], signal: values.signal, scope: values.scope }),
  });
}
export function upgrade(): void {
  ask({
    title: "Upgrade Remuda", text: "Another build goes on in this process; workers, sockets and connections to them stay. This page comes back by itself.", action: "Upgrade", danger: true,
    fields: [{ name: "to", label: "Program", value: "", hint: "absolute path; empty for the file this one was started from, as it is by now" }],
    run: (values) => lines("/v1/upgrade", values.to?.trim() ? { to: values.to.trim() } : {}),
  });
}
export function shutdown(name: string): void {
  ask({ title: `Shut down ${name}?`, text: "Everything is stopped, and the arbiter ends. Nothing on this page brings it back.", action: "Shut down", danger: true, run: () => lines("/v1/shutdown", undefined) });
}
export function reopen(): void { void act("/v1/logs/reopen", undefined, "log files are open anew"); }
