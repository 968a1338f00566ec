// Light or dark: as the system says, until somebody says otherwise.

export type Theme = "system" | "light" | "dark";
const listeners = new Set<() => void>();
const system = matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme {
  const value = localStorage.getItem("theme");
  return value === "light" || value === "dark" ? value : "system";
}

export function theme(): Theme { return stored(); }

export function apply(): void {
  const chosen = stored();
  const dark = chosen === "dark" || (chosen === "system" && system.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  listeners.forEach((each) => each());
}

export function next(): Theme {
  const order: Theme[] = ["system", "light", "dark"];
  const chosen = order[(order.indexOf(stored()) + 1) % order.length] ?? "system";
  localStorage.setItem("theme", chosen);
  apply();
  return chosen;
}

export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

system.addEventListener("change", apply);
