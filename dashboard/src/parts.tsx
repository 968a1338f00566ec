// What several pages are made of.

import type { ComponentChildren } from "preact";

const GOOD = ["running", "ready", "here", "up", "done"];
const BAD = ["failed", "crash-loop", "away", "killing", "gone"];
const BUSY = ["degraded", "starting", "reloading", "stopping", "draining", "spawning", "preparing", "waiting", "connecting", "held", "backoff", "restarting", "suspect"];

export function State({ of }: { of: string }) {
  const kind = GOOD.includes(of) ? "good" : BAD.includes(of) ? "bad" : BUSY.includes(of) ? "busy" : "idle";
  return <span class={`state ${kind}`}>{of.replaceAll("-", " ")}</span>;
}

export function Head({ title, children, sub }: { title: ComponentChildren; children?: ComponentChildren; sub?: ComponentChildren }) {
  return (
    <header class="head">
      <div><h1>{title}</h1>{sub && <p class="sub">{sub}</p>}</div>
      <div class="tools">{children}</div>
    </header>
  );
}

export function Search({ value, onInput, label }: { value: string; onInput: (text: string) => void; label: string }) {
  return <input type="search" data-search class="search" placeholder={`${label}  (/)`} aria-label={label} value={value} onInput={(event) => onInput(event.currentTarget.value)} />;
}

export function Empty({ children }: { children: ComponentChildren }) { return <p class="empty">{children}</p>; }

export function Figure({ label, value, hint, bad }: { label: string; value: ComponentChildren; hint?: ComponentChildren; bad?: boolean }) {
  return <div class={bad ? "figure bad" : "figure"}><span class="label">{label}</span><span class="value">{value}</span>{hint && <span class="hint">{hint}</span>}</div>;
}

/** A row that opens something: by click, and by Enter when it has the focus. */
export function Row({ to, onOpen, label, children, selected }: { to?: string; onOpen?: () => void; label: string; children: ComponentChildren; selected?: boolean }) {
  const open = () => { if (to) location.hash = to; else onOpen?.(); };
  return (
    <tr class="row" tabindex={0} aria-label={label} aria-selected={selected} onClick={(event) => { if (!(event.target as HTMLElement).closest("button, a")) open(); }}
      onKeyDown={(event) => { if (event.key === "Enter" && event.target === event.currentTarget) { event.preventDefault(); open(); } }}>
      {children}
    </tr>
  );
}
