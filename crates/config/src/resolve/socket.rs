//! `[socket.NAME]`.

use std::time::Duration;

use remuda_model::{Address, Balance, Mode, SocketName, SocketOptions, SocketSpec, UnixOwner};

use super::instance::SOCKET_PATH_MAX;
use super::{Resolution, or};
use crate::raw::{self, Field, Keepalive, Located};
use crate::report::Problem;

impl Resolution<'_> {
    /// `None` when its name or address is missing or wrong.
    pub(super) fn socket(&mut self, name: &Located<String>, socket: &raw::Socket) -> Option<SocketSpec> {
        let checked = self.name(name, "socket", SocketName::new(name));
        let Some(listen) = &socket.listen else {
            let message = format!("socket.{} has no address", name.value);
            let problem = Problem::error(name.span.clone(), message);
            self.problems.push(problem.hint("write where it listens: listen = \"127.0.0.1:8080\""));
            return None;
        };
        let address = listen.value.clone().below(&self.folder);
        self.unix_fits(&address, listen);
        let mode = or(&socket.mode, Mode::Shared);
        if mode == Mode::PerWorker && is_unix(&address) {
            let message = format!(
                "socket.{} cannot be per-worker: Linux does not spread the connections of a Unix socket over several listeners",
                name.value
            );
            let span = socket.mode.as_ref().and_then(|mode| mode.span.clone());
            let problem = Problem::error(span, message).related(listen.span.clone(), "a Unix socket");
            self.problems.push(problem.hint("write mode = \"shared\", or listen on a TCP address"));
        }
        if let Some(balance) = &socket.balance
            && mode == Mode::Shared
        {
            let message = format!(
                "socket.{} has one queue for all workers: `balance` chooses between the queues of a per-worker socket",
                name.value
            );
            let problem = Problem::error(balance.span.clone(), message);
            self.problems.push(problem.hint("write mode = \"per-worker\" too, or leave `balance` out"));
        }
        let balance = or(&socket.balance, Balance::default());
        let options = self.socket_options(socket, &address);
        Some(SocketSpec { name: checked?, listen: address, mode, balance, options })
    }

    pub(super) fn unix_fits(&mut self, address: &Address, written: &Located<Address>) {
        let length = match address {
            Address::Abstract(name) => name.len(),
            address => address.path().map_or(0, |path| path.as_os_str().len()),
        };
        if length > SOCKET_PATH_MAX {
            let message =
                format!("{address} is {length} bytes long; a Unix socket has at most {SOCKET_PATH_MAX}");
            self.error(written.span.as_ref(), message);
        }
    }

    fn socket_options(&mut self, socket: &raw::Socket, address: &Address) -> SocketOptions {
        let default = SocketOptions::default();
        let tcp = matches!(address, Address::Tcp(_) | Address::TcpHost { .. });
        let (keepalive, times) = match socket.keepalive.as_ref().map(|keepalive| &keepalive.value) {
            None | Some(Keepalive::Flag(false)) => (false, raw::KeepaliveTable::default()),
            Some(Keepalive::Flag(true)) => (true, raw::KeepaliveTable::default()),
            Some(Keepalive::Table(times)) => (true, times.clone()),
        };
        self.demand(&times.probes, |probes| *probes > 0, "there is at least one probe");
        self.file_settings(socket, address);
        SocketOptions {
            backlog: or(&socket.backlog, default.backlog),
            reuse_address: or(&socket.reuse_address, tcp),
            reuse_port: or(&socket.reuse_port, default.reuse_port),
            nonblocking: or(&socket.nonblocking, default.nonblocking),
            nodelay: or(&socket.nodelay, default.nodelay),
            keepalive,
            keepalive_time: self.seconds(&times.time),
            keepalive_interval: self.seconds(&times.interval),
            keepalive_probes: times.probes.as_ref().map(|probes| probes.value),
            defer_accept: self.seconds(&socket.defer_accept),
            fast_open: socket.fast_open.as_ref().map(|length| length.value),
            receive_buffer: socket.receive_buffer.as_ref().map(|size| size.0),
            send_buffer: socket.send_buffer.as_ref().map(|size| size.0),
            free_bind: or(&socket.free_bind, default.free_bind),
            v6_only: socket.v6_only.as_ref().map(|flag| flag.value),
            mark: socket.mark.as_ref().map(|mark| mark.value),
            device: socket.device.as_ref().map(|device| device.value.clone()),
            broadcast: or(&socket.broadcast, default.broadcast),
            file_mode: socket.file_mode.as_ref().map_or(default.file_mode, |mode| mode.0),
            owner: UnixOwner {
                user: socket.user.as_ref().map(|user| user.0.clone()),
                group: socket.group.as_ref().map(|group| group.0.clone()),
            },
        }
    }

    /// A time that the kernel counts in whole seconds.
    fn seconds(&mut self, field: &Field<raw::Duration>) -> Option<Duration> {
        let whole = |time: &raw::Duration| time.0.as_secs() > 0 && time.0.subsec_nanos() == 0;
        self.demand(field, whole, "the kernel takes this in whole seconds, at least one");
        field.as_ref().map(|time| time.0)
    }

    /// Mode and owner say nothing about a socket without a file.
    fn file_settings(&mut self, socket: &raw::Socket, address: &Address) {
        let spans = [
            ("file_mode", socket.file_mode.as_ref().map(|field| &field.span)),
            ("user", socket.user.as_ref().map(|field| &field.span)),
            ("group", socket.group.as_ref().map(|field| &field.span)),
        ];
        for (key, span) in spans {
            if let Some(span) = span
                && address.path().is_none()
            {
                let message = format!("`{key}` has no effect: {address} has no file");
                self.problems.push(Problem::warning(span.clone(), message));
            }
        }
    }
}

fn is_unix(address: &Address) -> bool {
    address.path().is_some() || matches!(address, Address::Abstract(_))
}
