//! `[dashboard]`.

use std::net::SocketAddr;
use std::path::Path;

use remuda_model::DashboardSpec;

use super::{Resolution, or};
use crate::report::Problem;

/// Says that there is to be no dashboard.
const OFF: &str = "off";

impl Resolution<'_> {
    pub(super) fn dashboard(&mut self, runtime_dir: &Path) -> DashboardSpec {
        let raw = self.file.dashboard.clone().unwrap_or_default();
        let exposed = or(&raw.exposed, false);
        let mut spec = DashboardSpec { exposed, ..DashboardSpec::default() };
        if let Some(written) = &raw.listen {
            match written.value.as_str() {
                OFF => spec.listen = None,
                text => match text.parse::<SocketAddr>() {
                    Ok(address) if address.ip().is_loopback() || exposed => spec.listen = Some(address),
                    Ok(address) => {
                        let message = format!(
                            "the dashboard would be reached at {address} from beyond this machine, unencrypted"
                        );
                        self.problems.push(Problem::error(written.span.clone(), message).hint(
                            "listen on 127.0.0.1 and go there by ssh or a proxy that encrypts, or write exposed = true",
                        ));
                    }
                    Err(_) => {
                        let message =
                            format!("{text:?} is neither \"off\" nor an address such as \"127.0.0.1:7900\"");
                        self.error(written.span.as_ref(), message);
                    }
                },
            }
        }
        for host in raw.hosts.iter().flat_map(|hosts| &hosts.value) {
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
            if host.is_empty() || !host.chars().all(is_name) {
                self.error(host.span.as_ref(), format!("{:?} is not the name of a host", host.value));
            }
            spec.hosts.push(host.value.to_ascii_lowercase());
        }
        let default = || runtime_dir.join("dashboard");
        spec.state = Some(raw.state.as_ref().map_or_else(default, |path| self.path(path)));
        spec
    }
}
