// The keyboard: what each key does, and where.

import { next } from "./theme";

export const PLACES: [string, string, string][] = [
  ["s", "Services", "#/"], ["o", "Sockets", "#/sockets"], ["l", "Logs", "#/logs"], ["e", "Events", "#/events"],
  ["k", "Store", "#/store"], ["b", "Bus", "#/bus"], ["x", "Locks", "#/locks"], ["h", "Herd", "#/herd"], ["w", "Gateways", "#/gateways"], ["c", "Config", "#/config"],
];

export const KEYS: [string, string][] = [
  ["/", "search on this page"], ["?", "these keys"], ["↑ ↓", "row by row"], ["Enter", "open the row"], ["p", "pause what flows"],
  ["t", "light, dark, as the system"], ["Esc", "leave a field or a dialog"],
];

/** Listens to keys; `help` shows them. */
export function listen(help: () => void): () => void {
  let going = 0;
  const pressed = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input, textarea, select")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    if (Date.now() - going < 1500) {
      going = 0;
      const place = PLACES.find(([key]) => key === event.key);
      if (place) { location.hash = place[2]; event.preventDefault(); }
      return;
    }
    switch (event.key) {
      case "g": going = Date.now(); break;
      case "/": document.querySelector<HTMLInputElement>("[data-search]")?.focus(); event.preventDefault(); break;
      case "?": help(); break;
      case "t": next(); break;
      case "p": document.querySelector<HTMLButtonElement>("[data-pause]")?.click(); break;
      case "ArrowDown": case "ArrowUp": {
        const rows = [...document.querySelectorAll<HTMLElement>("tr.row")];
        if (!rows.length || target.matches(".stream, .config")) return;
        const here = rows.indexOf(document.activeElement as HTMLElement);
        rows[Math.max(0, Math.min(rows.length - 1, here + (event.key === "ArrowDown" ? 1 : -1)))]?.focus();
        event.preventDefault();
      }
    }
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
