//! What the arbiter does for its gateways: a folder in which they find each other, and their settings.
//!
//! A gateway is told everything on descriptor 0: what the config asks, where the services are whose requests it passes on
//! (their sockets are bound here, so their addresses are known, and stay while their workers change), and where the hub is.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt, chown};
use std::path::Path;
use std::sync::Arc;

use remuda_model::gateway::{GatewaySettings, GatewaySpec, PEERS_FOLDER, ServicePlace, UpstreamServers};
use remuda_model::hub::Secret;
use remuda_model::{Address, ServiceSpec, SpawnFailure, WorkerId};
use remuda_sys::{machine, random};

use crate::daemon::Daemon;
use crate::hub::reachable;
use crate::spawner::account;

/// Which worker is to be spawned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    /// Its number.
    pub(crate) worker: WorkerId,
    /// Its slot.
    pub(crate) slot: u32,
    /// Its generation.
    pub(crate) generation: u64,
}

impl Daemon {
    /// The folder of the gateways' own sockets, for the picture, where there are any.
    pub(crate) fn gateway_view(&self) -> Option<String> {
        let has_gateway = self.config.services.values().any(|spec| spec.kind.gateway().is_some());
        has_gateway.then(|| self.config.instance.runtime_dir.join(PEERS_FOLDER).display().to_string())
    }

    /// What a new worker of a gateway service is told.
    pub(crate) fn gateway_settings(
        &mut self,
        service: &ServiceSpec,
        spec: Arc<GatewaySpec>,
        seat: &Seat,
    ) -> Result<GatewaySettings, SpawnFailure> {
        let failed =
            |detail: String| SpawnFailure { stage: "gateway".to_owned(), errno: 0, detail, permanent: false };
        let (_, credentials) = account(service)?;
        let owner = credentials.map(|credentials| (credentials.uid, credentials.gid));
        let peers_dir = self.config.instance.runtime_dir.join(PEERS_FOLDER);
        peers_folder(&peers_dir, owner)
            .map_err(|error| failed(format!("make the gateways' folder {}: {error}", peers_dir.display())))?;
        let hub = self.hub_access(service).map_err(|error| failed(error.to_string()))?;
        let secret = match &self.gateway_secret {
            Some(secret) => secret.clone(),
            None => Secret::new(random::bytes().map_err(|error| failed(error.to_string()))?),
        };
        self.gateway_secret = Some(secret.clone());
        let services = spec.upstreams.iter().filter_map(|(key, upstream)| match &upstream.servers {
            UpstreamServers::Service { socket, .. } => {
                let address = self.sockets.get(socket)?.address().parse().ok()?;
                Some((key.clone(), vec![ServicePlace { address: near(address) }]))
            }
            UpstreamServers::Listed(_) => None,
        });
        Ok(GatewaySettings {
            services: services.collect(),
            spec,
            instance: self.config.instance.name.clone(),
            node: machine::host_name(),
            service: service.name.clone(),
            slot: seat.slot,
            generation: seat.generation,
            worker: seat.worker.0,
            hub,
            peers_dir,
            secret,
        })
    }
}

/// An address as one of this machine reaches it.
fn near(address: Address) -> Address {
    reachable(&address).map_or(address, Address::Tcp)
}

/// A folder that nobody but the gateways see into.
fn peers_folder(path: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o700))?;
    match owner {
        Some((user, group)) => chown(path, Some(user), Some(group)),
        None => Ok(()),
    }
}
