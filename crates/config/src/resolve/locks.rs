//! `[locks]`: what keeps them, and whether that can be exact.

use remuda_model::hub::{BusSpec, Engine, EngineKind, LocksSpec, StoreSpec};

use super::Resolution;
use crate::report::Problem;

impl Resolution<'_> {
    /// Several hubs that each keep the same locks keep none: one that says nothing of locks may be so, and refuses them when
    /// it is asked; one that says something may not.
    pub(super) fn locks(&mut self, bus: &BusSpec, store: &StoreSpec, is_in_herd: bool) -> LocksSpec {
        let Some(written) = self.file.locks.clone() else { return LocksSpec::default() };
        let raw = written.value;
        let engine = self.engine(raw.engine.as_ref());
        // What is no engine has been said to be none; what was meant is not known.
        let is_known = raw.engine.as_ref().is_none_or(|engine| engine.parse::<Engine>().is_ok());
        self.demand(&raw.home, |home| !home.is_empty(), "home is the name of a node");
        let span = raw.engine.as_ref().and_then(|engine| engine.span.clone());
        match engine.external().map(|url| url.kind) {
            Some(EngineKind::Nats) => {
                let problem = Problem::error(span, "a NATS carries messages; it cannot keep locks");
                self.problems.push(problem.hint(
                    "write \"postgres://user@host/database\", \"etcd://host\", or \"redis://host\" for best effort",
                ));
            }
            Some(EngineKind::Redis) => {
                let message = "locks of a Redis are best effort: one that loses its data, or a replica that takes its \
                               place, may give a lock away twice";
                let problem = Problem::warning(span, message);
                self.problems.push(problem.hint("postgres:// and etcd:// are exact; see docs/locks.md"));
            }
            Some(EngineKind::Postgres | EngineKind::Etcd) => {}
            None if !is_known => {}
            None => {
                let has_engine = bus.engine.external().is_some() || store.engine.external().is_some();
                if raw.home.is_none() && (has_engine || is_in_herd) {
                    let why = if is_in_herd { "is in a herd" } else { "shares its bus or store with others" };
                    let message = format!(
                        "this hub {why}, and each of them would give the same lock away: say who keeps the locks"
                    );
                    let problem = Problem::error(written.span.clone(), message);
                    self.problems.push(problem.hint(
                        "home = \"NODE\" names the one hub that keeps them; engine = \"postgres://…\" or \"etcd://…\" \
                         keeps them for all",
                    ));
                }
            }
        }
        if engine != Engine::Embedded
            && let Some(home) = &raw.home
        {
            let message = "with an engine every hub gives locks: `home` has no meaning then";
            self.problems.push(Problem::error(home.span.clone(), message));
        }
        LocksSpec { engine, home: raw.home.map(|home| home.value) }
    }
}
