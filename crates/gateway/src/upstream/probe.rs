//! Asking a member whether it is well.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;

use remuda_model::gateway::{HealthSpec, ProxyProtocol};
use remuda_wire::http::{ResponseHead, ResponseParser};
use remuda_wire::proxy_protocol;

use super::group::Upstream;
use super::link::write_all;
use super::place::Place;
use crate::balance::{MemberId, Probe};

/// Bytes of an answer's body that are kept with a result.
const EXCERPT: usize = 100;

impl Upstream {
    /// Probes `member` once, and has the group know.
    pub(super) async fn probe(self: Rc<Self>, member: MemberId) {
        let Some(health) = &self.spec.health else { return };
        let place = self.place(member);
        let asked = tokio::time::timeout(health.timeout, self.ask(place, health)).await;
        let (is_good, detail) = match asked {
            Ok(Ok((status, excerpt))) => {
                let is_good = (health.statuses.0..=health.statuses.1).contains(&status);
                (is_good, if is_good { status.to_string() } else { format!("{status} {excerpt}") })
            }
            Ok(Err(error)) => (false, error.to_string()),
            Err(_elapsed) => (false, format!("no answer within {:?}", health.timeout)),
        };
        let what = if is_good { "well" } else { "ill" };
        let probe = Probe { at: self.clock.now(), is_good, detail: detail.clone() };
        if self.group.borrow_mut().probed(member, probe) {
            log::warn!("{}: {} is {what}: {detail}", self.name, place.text());
        }
        self.grant();
    }

    async fn ask(&self, place: &Place, health: &HealthSpec) -> io::Result<(u16, String)> {
        let transport = self.open(place).await?;
        let host = health.host.as_deref().or(self.spec.host.as_deref()).unwrap_or("localhost");
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: remuda-health\r\nAccept: */*\r\nConnection: close\r\n\r\n",
            health.path
        );
        if let Some(ProxyProtocol::V1) = self.spec.proxy_protocol {
            write_all(&transport, b"PROXY UNKNOWN\r\n").await?;
        } else if self.spec.proxy_protocol.is_some() {
            let mut header = Vec::new();
            proxy_protocol::write_v2_local(&mut header);
            write_all(&transport, &header).await?;
        }
        write_all(&transport, request.as_bytes()).await?;
        let (mut parser, mut head) = (ResponseParser::new(self.head_limits.clone()), ResponseHead::new(0));
        let mut input = Vec::new();
        loop {
            input.reserve(1024);
            if poll_fn(|context| transport.poll_read(context, &mut input)).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            while let Some(len) = parser.parse(&input, &mut head).map_err(io::Error::other)? {
                input.drain(..len);
                if !head.is_interim() {
                    let excerpt = &input[..input.len().min(EXCERPT)];
                    return Ok((head.status, String::from_utf8_lossy(excerpt).into_owned()));
                }
            }
        }
    }
}
