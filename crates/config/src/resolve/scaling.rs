//! How many workers, and within which bounds they follow the load.

use remuda_model::{Address, Load, Scaling, ServiceSpec, SocketName, Stdin};

use super::{Resolution, Services, Sockets, or};
use crate::raw::{self, Located, Span, WorkerBounds, WorkerCount, Workers};
use crate::report::Problem;

impl Resolution<'_> {
    /// The number of workers to begin with, and the bounds if it follows the load.
    pub(super) fn workers(&mut self, raw: &raw::Service) -> (u32, Option<Scaling>) {
        let Some(written) = &raw.workers else { return (1, None) };
        let (workers, scaling) = match &written.value {
            Workers::Count(count) => (self.count(*count), None),
            Workers::Bounds(bounds) => {
                let scaling = self.scaling(raw, written, bounds);
                (scaling.map_or(1, |scaling| scaling.min), scaling)
            }
        };
        if let Some(singleton) = &raw.singleton
            && singleton.value
            && (workers > 1 || scaling.is_some())
        {
            let message = match scaling {
                Some(_) => "a singleton has one worker, whatever the load".to_owned(),
                None => format!("a singleton has one worker, and {workers} are wanted"),
            };
            let problem = Problem::error(written.span.clone(), message);
            self.problems.push(problem.related(singleton.span.clone(), "a singleton"));
        }
        (workers, scaling)
    }

    fn count(&self, count: WorkerCount) -> u32 {
        match count {
            WorkerCount::Number(number) => number,
            WorkerCount::PerCpu(times) => self.surroundings.cpus.max(1).saturating_mul(times),
        }
    }

    /// `None` only together with an error.
    fn scaling(
        &mut self,
        raw: &raw::Service,
        written: &Located<Workers>,
        bounds: &WorkerBounds,
    ) -> Option<Scaling> {
        let Some(most) = &bounds.max else {
            let problem = Problem::error(
                written.span.clone(),
                "a number of workers that follows the load has no `max`",
            );
            self.problems.push(problem.hint("write how many there may be: workers = { min = 1, max = 8 }"));
            return None;
        };
        let max = self.count(most.value);
        let min = bounds.min.as_ref().map_or(1, |least| self.count(least.value));
        if min == 0 {
            let span = bounds.min.as_ref().and_then(|least| least.span.clone());
            let problem = Problem::error(span, "a number of workers that follows the load is at least 1");
            self.problems.push(
                problem.hint("a service without workers until a connection comes has on_demand = true"),
            );
        }
        if max < min {
            let message = format!("at most {max} workers are fewer than at least {min}");
            let problem = Problem::error(most.span.clone(), message);
            let least = bounds.min.as_ref().and_then(|least| least.span.clone());
            self.problems.push(problem.related(least, "at least so many"));
        }
        let has_an_end = [
            raw.oneshot.as_ref().filter(|oneshot| oneshot.value).map(|oneshot| (&oneshot.span, "oneshot")),
            raw.schedule.as_ref().map(|schedule| (&schedule.span, "the schedule")),
        ];
        for (span, what) in has_an_end.into_iter().flatten() {
            let message = "workers of a service whose work has an end do not follow the load";
            let problem = Problem::error(written.span.clone(), message);
            self.problems.push(problem.related(span.clone(), what));
        }
        Some(Scaling { min, max, on: or(&bounds.on, Load::Backlog) })
    }

    /// Who follows the backlog has a queue.
    pub(super) fn queues(&mut self, sockets: &Sockets, services: &Services) {
        let follows = |spec: &&ServiceSpec| spec.scaling.is_some_and(|scaling| scaling.on == Load::Backlog);
        // What was cut out of a service may have been what it follows, or its socket.
        let cut = |spec: &ServiceSpec| self.cut.contains(&("service".to_owned(), spec.name.to_string()));
        let judged: Vec<&ServiceSpec> = services.values().filter(follows).filter(|spec| !cut(spec)).collect();
        for spec in judged {
            if inherited(spec).any(|name| sockets.get(name).is_some_and(|socket| queues(&socket.listen))) {
                continue;
            }
            let message =
                format!("service.{} has no socket in whose queue connections could wait", spec.name);
            let problem = Problem::error(self.workers_span(spec), message);
            self.problems.push(
                problem.hint("write workers = { …, on = \"cpu\" }, or name a stream socket in its `sockets`"),
            );
        }
    }

    pub(super) fn workers_span(&self, spec: &ServiceSpec) -> Option<Span> {
        self.file.service.get(spec.name.as_str())?.workers.as_ref()?.span.clone()
    }
}

fn inherited(spec: &ServiceSpec) -> impl Iterator<Item = &SocketName> {
    let on_stdin = if let Stdin::Socket(name) = &spec.stdin { Some(name) } else { None };
    spec.sockets.iter().chain(on_stdin)
}

/// What is passed to us may be of any kind.
fn queues(address: &Address) -> bool {
    !matches!(address, Address::Udp(_) | Address::UnixDatagram(_))
}
