//! The hub's part of the page.

use remuda_model::hub::{
    BusMetrics, CallMetrics, ConnectionMetrics, EngineMetrics, HubMetrics, JournalMetrics, StoreMetrics,
};

use super::{COUNTER, GAUGE, Kind, Label, Line, Millis, Page};

/// Whether the hub answers, and all it tells.
pub(super) fn hub(page: &mut Page, metrics: Option<&HubMetrics>) {
    const NONE: &[Label<'_>] = &[];
    let help = "Whether the hub tells its figures.";
    page.family("remuda_hub_up", GAUGE, help, [(NONE, u8::from(metrics.is_some()))]);
    let Some(metrics) = metrics else { return };
    let help = "Time since the hub's worker began. Its counters began then, but for those of the bus, which go on over a reload.";
    page.family("remuda_hub_uptime_seconds", GAUGE, help, [(NONE, Millis(metrics.uptime_ms))]);
    let parts = [
        connections(&metrics.connections),
        bus(&metrics.bus),
        calls(&metrics.calls),
        store(&metrics.store),
        journal(&metrics.journal),
        vec![
            ("scripts_total", COUNTER, "Scripts run.", metrics.scripts.runs_total),
            ("scripts_cached", GAUGE, "Scripts kept compiled.", metrics.scripts.cached),
            ("locks_held", GAUGE, "Locks held.", metrics.locks.held),
            ("locks_waiting", GAUGE, "Clients that wait for a lock.", metrics.locks.waiting),
            ("locks_acquired_total", COUNTER, "Locks given.", metrics.locks.acquired_total),
            ("locks_expired_total", COUNTER, "Leases that ended by themselves.", metrics.locks.expired_total),
            ("locks_refused_total", COUNTER, "Questions about locks refused.", metrics.locks.refused_total),
        ],
    ];
    page.lines("remuda_hub_", parts.into_iter().flatten());
    let databases =
        metrics.store.databases.iter().map(|(database, keys)| ([("database", database.to_string())], *keys));
    page.family("remuda_hub_store_database_keys", GAUGE, "Keys of a database that has any.", databases);
    members(page, metrics);
    services(page, metrics);
    engines(page, metrics);
    if let Some(view) = &metrics.herd {
        super::herd::herd(page, view);
    }
}

fn members(page: &mut Page, metrics: &HubMetrics) {
    let each = |of: fn(&remuda_model::hub::MemberMetrics) -> u64| {
        metrics.worst_members.iter().map(move |member| {
            let labels = [
                ("member", member.id.to_string()),
                ("name", member.name.clone()),
                ("protocol", member.protocol.clone()),
            ];
            (labels, of(member))
        })
    };
    let help = "Bytes that wait for a subscriber; the 20 that are furthest behind.";
    page.family("remuda_hub_member_queued_bytes", GAUGE, help, each(|member| member.queued_bytes));
    let help = "Messages a subscriber is behind; the 20 that are furthest behind.";
    page.family("remuda_hub_member_lag_messages", GAUGE, help, each(|member| member.lag_messages));
    let help = "Messages dropped that were for a subscriber; the 20 that are furthest behind.";
    page.family(
        "remuda_hub_member_dropped_messages_total",
        COUNTER,
        help,
        each(|member| member.dropped_messages_total),
    );
}

fn services(page: &mut Page, metrics: &HubMetrics) {
    let each = |of: fn(&remuda_model::hub::ServiceMetrics) -> u64| {
        metrics.services.iter().map(move |service| ([("called", service.name.clone())], of(service)))
    };
    let help = "Workers that answer calls of a service.";
    page.family("remuda_hub_called_service_workers", GAUGE, help, each(|service| service.workers));
    let help = "Calls that workers of a service work on.";
    page.family(
        "remuda_hub_called_service_outstanding_calls",
        GAUGE,
        help,
        each(|service| service.outstanding),
    );
    let help = "Calls that wait for a worker of a service.";
    page.family("remuda_hub_called_service_waiting_calls", GAUGE, help, each(|service| service.waiting));
}

/// A figure of an engine: what stands behind `remuda_hub_engine_`, its kind, its meaning, and where it is.
type EngineFamily = (&'static str, Kind, &'static str, fn(&EngineMetrics) -> u64);

fn engines(page: &mut Page, metrics: &HubMetrics) {
    let each = |of: fn(&EngineMetrics) -> u64| {
        metrics.engines.iter().map(move |engine| {
            ([("purpose", engine.purpose.clone()), ("address", engine.address.clone())], of(engine))
        })
    };
    let families: [EngineFamily; 8] = [
        ("up", GAUGE, "Whether the engine is connected.", |engine| u64::from(engine.state == "up")),
        ("losses_total", COUNTER, "Times the engine was lost.", |engine| engine.losses_total),
        ("sent_total", COUNTER, "Messages or commands sent to the engine.", |engine| engine.sent_total),
        ("dropped_messages_total", COUNTER, "Messages the engine did not get.", |engine| {
            engine.dropped_total
        }),
        ("unsure_messages_total", COUNTER, "Messages lost with the engine, or not.", |engine| {
            engine.unsure_total
        }),
        ("too_long_messages_total", COUNTER, "Messages of the engine too long for the bus.", |engine| {
            engine.too_long_total
        }),
        ("waiting_bytes", GAUGE, "Bytes that wait for the engine.", |engine| engine.waiting_bytes),
        ("connections", GAUGE, "Connections to the engine.", |engine| engine.connections),
    ];
    for (name, kind, help, of) in families {
        page.family(&format!("remuda_hub_engine_{name}"), kind, help, each(of));
    }
}

fn connections(it: &ConnectionMetrics) -> Vec<Line> {
    vec![
        ("redis_clients", GAUGE, "Redis clients connected.", it.redis_clients),
        ("zeromq_peers", GAUGE, "ZeroMQ peers connected.", it.zeromq_peers),
        ("blocked_clients", GAUGE, "Redis clients that wait in a blocking command.", it.blocked_clients),
        ("reply_queue_bytes", GAUGE, "Replies that wait to be read by their clients.", it.reply_queue_bytes),
        ("connections_total", COUNTER, "Connections taken in.", it.accepted_total),
        ("rejected_connections_total", COUNTER, "Connections turned away.", it.rejected_total),
        (
            "accept_failures_total",
            COUNTER,
            "Times no connection could be taken in for want of descriptors.",
            it.accept_failures_total,
        ),
        ("protocol_errors_total", COUNTER, "Connections ended for what they sent.", it.protocol_errors_total),
        ("refused_credentials_total", COUNTER, "Wrong tokens, keys, signatures.", it.refused_total),
        ("silent_peers_total", COUNTER, "Peers given up for silence.", it.silent_total),
        (
            "half_message_bytes",
            GAUGE,
            "Bytes of ZeroMQ peers' messages that are not whole yet.",
            it.half_message_bytes,
        ),
        (
            "half_messages_cut_total",
            COUNTER,
            "Peers cut off in the middle of a message: those of all together were too much.",
            it.half_messages_cut_total,
        ),
        ("commands_total", COUNTER, "Commands of Redis clients.", it.commands_total),
        ("zeromq_messages_total", COUNTER, "Messages of ZeroMQ peers.", it.zeromq_messages_total),
    ]
}

fn bus(it: &BusMetrics) -> Vec<Line> {
    vec![
        ("bus_sequence", GAUGE, "Number of the last message.", it.sequence),
        ("bus_members", GAUGE, "Subscribers and consumers.", it.members),
        ("bus_subscriptions", GAUGE, "Their subscriptions.", it.subscriptions),
        ("bus_published_messages_total", COUNTER, "Messages published.", it.published_messages_total),
        ("bus_published_bytes_total", COUNTER, "Bytes published.", it.published_bytes_total),
        (
            "bus_delivered_messages_total",
            COUNTER,
            "Messages queued for members.",
            it.delivered_messages_total,
        ),
        ("bus_unheard_messages_total", COUNTER, "Messages nobody got.", it.unheard_messages_total),
        (
            "bus_refused_messages_total",
            COUNTER,
            "Messages on topics not their sender's.",
            it.refused_messages_total,
        ),
        (
            "bus_dropped_messages_total",
            COUNTER,
            "Messages dropped from full queues.",
            it.dropped_messages_total,
        ),
        ("bus_dropped_bytes_total", COUNTER, "Bytes dropped from full queues.", it.dropped_bytes_total),
        ("bus_members_behind", GAUGE, "Members whose queues have been half full.", it.members_behind),
        ("bus_left_messages_total", COUNTER, "Messages whose member left first.", it.left_messages_total),
        ("bus_left_bytes_total", COUNTER, "Bytes whose member left first.", it.left_bytes_total),
        ("bus_queued_messages", GAUGE, "Messages that wait for members.", it.queued_messages),
        ("bus_queued_bytes", GAUGE, "Bytes that wait for members.", it.queued_bytes),
        (
            "bus_lag_messages_max",
            GAUGE,
            "Messages the member furthest behind is behind.",
            it.lag_messages_max,
        ),
        ("bus_retained_bytes", GAUGE, "Memory of all queues and rings.", it.retained_bytes),
        ("bus_backlog_messages", GAUGE, "Work that waits for a consumer.", it.backlog_messages),
        ("bus_backlog_bytes", GAUGE, "Bytes of work that wait for a consumer.", it.backlog_bytes),
        (
            "bus_backlog_dropped_messages_total",
            COUNTER,
            "Work that found no room to wait.",
            it.backlog_dropped_messages_total,
        ),
        (
            "bus_backlog_dropped_bytes_total",
            COUNTER,
            "Bytes of work that found no room to wait.",
            it.backlog_dropped_bytes_total,
        ),
        ("bus_ring_messages", GAUGE, "Messages kept for those who come late.", it.ring_messages),
        ("bus_ring_bytes", GAUGE, "Bytes kept for those who come late.", it.ring_bytes),
        ("bus_congested", GAUGE, "Whether publishers are held.", it.is_congested.into()),
    ]
}

fn calls(it: &CallMetrics) -> Vec<Line> {
    vec![
        ("calls_total", COUNTER, "Calls between workers.", it.calls_total),
        ("answered_calls_total", COUNTER, "Calls answered.", it.answered_total),
        ("timed_out_calls_total", COUNTER, "Calls that took too long.", it.timed_out_total),
        ("abandoned_calls_total", COUNTER, "Calls whose worker went.", it.worker_gone_total),
        ("refused_calls_total", COUNTER, "Calls refused at once.", it.refused_total),
        ("given_up_calls_total", COUNTER, "Calls whose caller went.", it.caller_gone_total),
        ("late_answers_total", COUNTER, "Answers that came too late.", it.late_answers_total),
        ("waiting_calls_bytes", GAUGE, "Bytes of calls that wait for a worker.", it.waiting_bytes),
        ("unknown_answers_total", COUNTER, "Answers to no call of that worker.", it.unknown_answers_total),
    ]
}

fn store(it: &StoreMetrics) -> Vec<Line> {
    vec![
        ("store_keys", GAUGE, "Keys.", it.keys),
        ("store_expiring_keys", GAUGE, "Keys that have a deadline.", it.expiring_keys),
        ("store_used_bytes", GAUGE, "Memory of keys and values, estimated.", it.used_bytes),
        ("store_limit_bytes", GAUGE, "What that may be; 0 for no limit.", it.limit_bytes),
        ("store_changes_total", COUNTER, "Revision of the last change; goes on over restarts.", it.revision),
        ("store_expired_keys_total", COUNTER, "Keys whose time was over.", it.expired_total),
        ("store_evicted_keys_total", COUNTER, "Keys that gave way to others.", it.evicted_total),
        ("store_untold_changes_total", COUNTER, "Changes that came to no event.", it.untold_changes_total),
        ("store_durable", GAUGE, "Whether the store is kept on disk.", it.is_durable.into()),
    ]
}

fn journal(it: &JournalMetrics) -> Vec<Line> {
    vec![
        ("journal_records_total", COUNTER, "Records appended.", it.records_total),
        ("journal_base_bytes", GAUGE, "Length of the base.", it.base_bytes),
        ("journal_log_bytes", GAUGE, "Length of the logs behind it.", it.log_bytes),
        (
            "journal_pending_bytes",
            GAUGE,
            "Bytes that wait for the disk, those of a new base too.",
            it.pending_bytes,
        ),
        ("journal_syncs_total", COUNTER, "Times the disk was told to keep all.", it.syncs_total),
        ("journal_failures_total", COUNTER, "Calls to the disk that failed.", it.failures_total),
        ("journal_congestions_total", COUNTER, "Times writers waited for the disk.", it.congestions_total),
        ("journal_failing", GAUGE, "Whether writes are refused for want of a disk.", it.is_failing.into()),
    ]
}
