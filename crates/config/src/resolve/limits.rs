//! `[service.NAME.limits]`.

use remuda_model::{CgroupLimits, ResourceLimit};

use super::Resolution;
use super::service::NUMBER_MAX;
use crate::raw::{Amount, Limit, Limits};

impl Resolution<'_> {
    pub(super) fn resources(&mut self, limits: Option<&Limits>) -> Vec<ResourceLimit> {
        let Some(limits) = limits else { return Vec::new() };
        let mut resources = Vec::new();
        for (name, limit) in limits.resources() {
            let (soft, hard) = match &limit.value {
                Limit::Both(amount) => (*amount, *amount),
                Limit::Pair(pair) => {
                    let written = pair.soft.as_ref().or(pair.hard.as_ref()).map(|amount| amount.value);
                    let Some(either) = written else {
                        self.error(limit.span.as_ref(), "write `soft`, `hard` or both");
                        continue;
                    };
                    let soft = pair.soft.as_ref().map_or(either, |amount| amount.value);
                    (soft, pair.hard.as_ref().map_or(either, |amount| amount.value))
                }
            };
            let (soft, hard) = (bound(soft), bound(hard));
            if hard.is_some_and(|hard| soft.is_none_or(|soft| soft > hard)) {
                self.error(limit.span.as_ref(), "the soft limit is above the hard one");
            }
            resources.push(ResourceLimit { name: name.to_owned(), soft, hard });
        }
        resources
    }

    pub(super) fn cgroup(&mut self, limits: Option<&Limits>) -> CgroupLimits {
        let Some(limits) = limits else { return CgroupLimits::default() };
        let positive = |cpus: &f64| cpus.is_finite() && *cpus > 0.0;
        self.demand(&limits.cpu, positive, "a number of CPUs is above zero: 1.5 is one and a half");
        self.demand(&limits.memory, |size| size.0 > 0, "no program runs without memory");
        let writable = |count: &u64| (1..=NUMBER_MAX).contains(count);
        self.demand(&limits.pids, writable, "a worker is at least one process, and at most 2^63-1");
        CgroupLimits {
            memory: limits.memory.as_ref().map(|size| size.0),
            cpu: limits.cpu.as_ref().map(|cpus| cpus.value),
            pids: limits.pids.as_ref().map(|count| count.value),
        }
    }
}

fn bound(amount: Amount) -> Option<u64> {
    match amount {
        Amount::Of(number) => Some(number),
        Amount::Unlimited => None,
    }
}
