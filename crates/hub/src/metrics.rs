//! The hub's figures, gathered when somebody asks (`HUB.METRICS`): one walk over connections and members, no more.
//!
//! Nothing is counted for the figures' sake while messages flow; what the machines count anyway is put together here, so
//! that a monitor that looks every few seconds costs a hub with 10,000 subscribers some milliseconds.

use remuda_bus::{Encoding, MemberView};
use remuda_model::hub::{
    BusMetrics, CallMetrics, ConnectionMetrics, HubMetrics, JournalMetrics, MemberMetrics, SERVICES_MAX,
    ScriptMetrics, ServiceMetrics, StoreMetrics, WORST_MAX,
};

use crate::connection::Protocol;
use crate::core::Core;
use crate::hub::Hub;
use crate::script::Scripts;
use crate::table::Key;

impl Hub {
    /// All figures as they are now.
    pub(crate) fn metrics(&self) -> HubMetrics {
        let core = &self.core;
        let mut members: Vec<MemberView> = core.bus.members().collect();
        let bus = bus(core, &members);
        // Who waits with most is told, then who lost most.
        let badness = |member: &MemberView| {
            (member.lag_messages, member.queued_bytes, member.counters.dropped_messages)
        };
        if members.len() > WORST_MAX {
            members.select_nth_unstable_by_key(WORST_MAX, |member| std::cmp::Reverse(badness(member)));
            members.truncate(WORST_MAX);
        }
        members.sort_by_key(|member| (std::cmp::Reverse(badness(member)), member.id.0));
        HubMetrics {
            run_id: core.run_id.clone(),
            uptime_ms: u64::try_from(core.moment.tick.since(core.began).as_millis()).unwrap_or(u64::MAX),
            connections: self.connection_metrics(),
            bus,
            worst_members: members.iter().map(|member| self.member_metrics(member)).collect(),
            calls: calls(core),
            services: services(core),
            store: store(core),
            journal: journal(core),
            scripts: ScriptMetrics {
                runs_total: core.figures.scripts,
                cached: whole(core.scripts.as_ref().map_or(0, Scripts::count)),
            },
            locks: core.locks.metrics(),
            engines: core.engines.metrics(),
            herd: self.herd_view(),
        }
    }

    fn connection_metrics(&self) -> ConnectionMetrics {
        let figures = self.core.figures;
        ConnectionMetrics {
            redis_clients: whole(figures.redis_clients),
            zeromq_peers: whole(figures.zeromq_peers),
            blocked_clients: whole(self.core.store.blocked_count()),
            reply_queue_bytes: whole(
                self.connections.iter().map(|(_, connection)| connection.outbox.len()).sum(),
            ),
            accepted_total: figures.accepted,
            rejected_total: figures.rejected,
            accept_failures_total: figures.accept_failures,
            protocol_errors_total: figures.protocol_errors,
            refused_total: figures.refused,
            silent_total: figures.silent,
            half_message_bytes: whole(self.core.halves.bytes()),
            half_messages_cut_total: self.core.halves.cut,
            commands_total: figures.commands,
            zeromq_messages_total: figures.messages_in,
        }
    }

    fn member_metrics(&self, member: &MemberView) -> MemberMetrics {
        let protocol = match member.encoding {
            Encoding::Zmtp => "zeromq",
            Encoding::Resp2 | Encoding::Resp3 => "redis",
        };
        MemberMetrics {
            id: member.id.0,
            name: self.name_of(Key::from_number(member.id.0)),
            protocol: protocol.to_owned(),
            queued_bytes: whole(member.queued_bytes),
            lag_messages: member.lag_messages,
            sent_messages_total: member.counters.sent_messages,
            dropped_messages_total: member.counters.dropped_messages,
        }
    }

    /// The service, and what the client calls itself.
    fn name_of(&self, key: Key) -> String {
        let Some(connection) = self.connections.get(key) else { return String::new() };
        let (user, name) = match &connection.protocol {
            Protocol::Redis(session, _) => (session.user.as_ref(), session.name.as_str()),
            Protocol::ZeroMq(peer) => (peer.user.as_ref(), ""),
            Protocol::Herd(_) => return String::new(),
        };
        match (user.map_or("", |user| user.name.as_str()), name) {
            (user, "") => user.to_owned(),
            (user, name) => format!("{user} {name}"),
        }
    }
}

fn bus(core: &Core, members: &[MemberView]) -> BusMetrics {
    let view = core.bus.view();
    let totals = view.totals;
    let sum = |of: fn(&MemberView) -> u64| members.iter().map(of).sum::<u64>();
    BusMetrics {
        sequence: view.last_sequence,
        members: whole(view.members),
        subscriptions: whole(view.subscriptions),
        published_messages_total: totals.published_messages,
        published_bytes_total: totals.published_bytes,
        delivered_messages_total: totals.delivered_messages,
        unheard_messages_total: totals.unheard_messages,
        refused_messages_total: core.figures.refused_messages,
        dropped_messages_total: view.dropped_messages,
        dropped_bytes_total: view.dropped_bytes,
        members_behind: whole(members.iter().filter(|member| member.is_behind).count()),
        left_messages_total: totals.left_messages,
        left_bytes_total: totals.left_bytes,
        queued_messages: sum(|member| member.lag_messages),
        queued_bytes: whole(view.queued_bytes),
        lag_messages_max: members.iter().map(|member| member.lag_messages).max().unwrap_or_default(),
        retained_bytes: whole(view.retained_bytes),
        backlog_messages: view.backlog_messages,
        backlog_bytes: whole(view.backlog_bytes),
        backlog_dropped_messages_total: view.backlog_dropped_messages,
        backlog_dropped_bytes_total: view.backlog_dropped_bytes,
        ring_messages: whole(view.ring_messages),
        ring_bytes: whole(view.ring_bytes),
        is_congested: view.is_congested,
    }
}

fn calls(core: &Core) -> CallMetrics {
    let counters = core.services.counters();
    CallMetrics {
        calls_total: counters.calls,
        answered_total: counters.answered,
        timed_out_total: counters.timed_out,
        worker_gone_total: counters.worker_gone,
        refused_total: counters.refused,
        caller_gone_total: counters.caller_gone,
        late_answers_total: counters.late,
        unknown_answers_total: counters.unknown,
        waiting_bytes: whole(core.services.waiting_bytes()),
    }
}

fn services(core: &Core) -> Vec<ServiceMetrics> {
    let services = core.services.view().take(SERVICES_MAX).map(|service| ServiceMetrics {
        name: String::from_utf8_lossy(&service.name).into_owned(),
        workers: whole(service.workers.len()),
        outstanding: whole(service.workers.iter().map(|(_, outstanding)| outstanding).sum()),
        waiting: whole(service.waiting),
    });
    services.collect()
}

fn store(core: &Core) -> StoreMetrics {
    let store = &core.store;
    let mut metrics = StoreMetrics::default();
    for database in 0..store.databases() {
        let (keys, expiring) = store.len(database);
        metrics.keys += whole(keys);
        metrics.expiring_keys += whole(expiring);
        if keys > 0 {
            metrics.databases.push((database, whole(keys)));
        }
    }
    let (expired_total, evicted_total) = store.lapsed();
    StoreMetrics {
        used_bytes: store.used_bytes(),
        limit_bytes: store.options().memory_max_bytes.unwrap_or_default(),
        revision: store.revision(),
        epoch: core.epoch.clone(),
        expired_total,
        evicted_total,
        untold_changes_total: core.news.forgotten,
        is_durable: core.durability.is_on(),
        ..metrics
    }
}

fn journal(core: &Core) -> JournalMetrics {
    let figures = core.durability.figures();
    JournalMetrics {
        records_total: figures.records,
        base_bytes: figures.base_bytes,
        log_bytes: figures.log_bytes,
        pending_bytes: figures.pending_bytes + figures.base_pending_bytes,
        syncs_total: figures.syncs,
        failures_total: figures.failures,
        congestions_total: figures.congestions,
        is_failing: core.durability.trouble().is_some(),
    }
}

fn whole(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
