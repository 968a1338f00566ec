// The shell: who is looking, where they are, and the page for it.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, onExpired, post, type Role } from "./api";
import { Dialogs, Modal } from "./dialog";
import { KEYS, PLACES, listen } from "./keys";
import { useLive } from "./live";
import { Session } from "./session";
import * as theme from "./theme";
import { Overview } from "./pages/overview";
import { ServicePage } from "./pages/service";
import { Sockets } from "./pages/sockets";
import { Events } from "./pages/events";
import { Logs } from "./pages/logs";
import { Store } from "./pages/store";
import { Bus } from "./pages/bus";
import { HerdPage } from "./pages/herd";
import { Locks } from "./pages/locks";
import { Gateways } from "./pages/gateways";
import { Config } from "./pages/config";
import "./style.css";

function useHash(): string {
  const [hash, set] = useState(location.hash);
  useEffect(() => { const l = () => set(location.hash); addEventListener("hashchange", l); return () => removeEventListener("hashchange", l); }, []);
  return hash;
}

function page(hash: string) {
  const [, first = "", second = ""] = hash.replace(/^#/, "").split("/");
  switch (first) {
    case "service": return <ServicePage key={second} name={decodeURIComponent(second)} />;
    case "sockets": return <Sockets />;
    case "events": return <Events />;
    case "logs": return <Logs key={second} service={decodeURIComponent(second)} />;
    case "store": return <Store />;
    case "bus": return <Bus />;
    case "locks": return <Locks />;
    case "herd": return <HerdPage />;
    case "gateways": return <Gateways />;
    case "config": return <Config />;
    default: return <Overview />;
  }
}

function Shell({ role, leave }: { role: Role; leave: () => void }) {
  const hash = useHash();
  const { instance, trouble } = useLive();
  const [help, setHelp] = useState(false);
  const [look, setLook] = useState(theme.theme());
  useEffect(() => listen(() => setHelp(true)), []);
  useEffect(() => theme.onTheme(() => setLook(theme.theme())) as unknown as () => void, []);
  useEffect(() => { document.title = `${instance?.name ?? "Remuda"} · Remuda`; document.getElementById("page")?.scrollTo(0, 0); }, [hash, instance?.name]);
  const missing: Record<string, boolean> = { "#/store": !instance?.hub, "#/bus": !instance?.hub, "#/locks": !instance?.hub, "#/herd": !instance?.hub, "#/gateways": !instance?.gateways };
  const here = hash.split("/")[1] ?? "";
  return (
    <Session.Provider value={role}>
      <a class="skip" href="#page" onClick={(event) => { event.preventDefault(); document.getElementById("page")?.focus(); }}>To the page</a>
      <nav class="side" aria-label="Pages">
        <a class="brand" href="#/"><img src="/icon.svg" alt="" width="26" height="26" /><span>Remuda<small>{instance?.name ?? " "}</small></span></a>
        <ul>
          {PLACES.filter(([, , to]) => !missing[to]).map(([key, title, to]) => {
            const name = to.slice(2);
            const current = name === here || (name === "" && here === "service");
            return <li key={to}><a href={to} aria-current={current ? "page" : undefined}>{title}<kbd>g {key}</kbd></a></li>;
          })}
        </ul>
        <div class="foot">
          <button class="plain" onClick={() => theme.next()} title="t"><span>Theme<span class="which">: {look === "system" ? "as the system" : look}</span></span></button>
          <button class="plain" onClick={() => setHelp(true)}>Keys <kbd>?</kbd></button>
          <button class="plain" onClick={leave}>Log out <small class={role === "operate" ? "role operate" : "role"}>{role === "operate" ? "operates" : "views"}</small></button>
        </div>
      </nav>
      <main id="page" tabindex={-1}>
        {trouble && <p class="banner" role="alert">{trouble}</p>}
        {instance?.stopping && <p class="banner">The instance is being stopped.</p>}
        {page(hash)}
      </main>
      {help && (
        <Modal title="Keys" onClose={() => setHelp(false)}>
          <dl class="keys">
            {KEYS.map(([key, text]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{text}</dd></div>)}
            {PLACES.map(([key, title]) => <div key={title}><dt><kbd>g</kbd> <kbd>{key}</kbd></dt><dd>{title}</dd></div>)}
          </dl>
        </Modal>
      )}
      <Dialogs />
    </Session.Provider>
  );
}

function Login({ enter, problem }: { enter: (token: string) => void; problem: string | null }) {
  const [token, set] = useState("");
  return (
    <main class="login">
      <form class="card" onSubmit={(event) => { event.preventDefault(); enter(token); }}>
        <img src="/icon.svg" alt="" width="44" height="44" />
        <h1>Remuda</h1>
        <p>Log in with the token that <code>remuda up</code> has printed, or make one by <code>remuda dashboard token</code>.</p>
        <label class="field"><span>Token</span><input type="password" name="token" autocomplete="off" autofocus value={token} onInput={(event) => set(event.currentTarget.value)} /></label>
        {problem && <p class="problem" role="alert">{problem}</p>}
        <button class="primary" disabled={!token}>Log in</button>
      </form>
    </main>
  );
}

function App() {
  const [role, setRole] = useState<Role | undefined>(undefined);
  const [problem, setProblem] = useState<string | null>(null);
  const enter = async (token: string) => {
    try { setRole((await post("/login", { token })).role); setProblem(null); }
    catch (error) { setProblem(error instanceof Error ? error.message : String(error)); setRole(null); }
  };
  useEffect(() => {
    onExpired(() => setRole(null));
    const given = () => {
      const token = /^#token=(.+)$/.exec(location.hash)?.[1];
      // The token is not to stay in the address, nor in the history.
      if (token) { history.replaceState(null, "", "/#/"); void enter(decodeURIComponent(token)); }
      return Boolean(token);
    };
    // The address with a token may be pasted into a page that is open already.
    addEventListener("hashchange", given);
    if (!given()) get<{ role: Role }>("/session").then((session) => setRole(session.role), (error) => { setProblem(String(error.message)); setRole(null); });
    return () => removeEventListener("hashchange", given);
  }, []);
  if (role === undefined) return null;
  if (role === null) return <Login enter={(token) => void enter(token)} problem={problem} />;
  return <Shell role={role} leave={async () => { await post("/logout"); setRole(null); }} />;
}

theme.apply();
const root = document.getElementById("app");
if (root) render(<App />, root);
