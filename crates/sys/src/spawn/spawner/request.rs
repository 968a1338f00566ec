//! A plan on its way to the spawner: one message.
//!
//! A heading, the orders, and the descriptors. In the orders a descriptor is its position among those of the message;
//! behind them come the control group's folder and, for orders that are too long for a message, their memory file.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use super::super::code::Orders;
use super::super::plan::SpawnPlan;
use super::super::trampoline::PLAN_LIMIT_BYTES;
use crate::socket::{Link, LinkError, MESSAGE_LIMIT_BYTES};
use crate::{CallError, memfd};

const IN_CGROUP: u8 = 1;
const IN_FILE: u8 = 2;

/// A request that can be sent.
#[derive(Debug)]
pub(super) struct Request<'fd> {
    message: Vec<u8>,
    descriptors: Vec<BorrowedFd<'fd>>,
    /// Orders that are too long for a message.
    file: Option<OwnedFd>,
}

impl<'fd> Request<'fd> {
    pub(super) fn of(plan: &SpawnPlan<'fd>, status: BorrowedFd<'fd>) -> Result<Self, CallError> {
        let mut descriptors = vec![status];
        descriptors.extend([plan.stdin, plan.stdout, plan.stderr].into_iter().flatten());
        descriptors.extend(&plan.passed);
        let mut orders = Orders::of(plan, status.as_raw_fd());
        let mut heading = 0;
        match plan.cgroup {
            Some(_) => {
                heading |= IN_CGROUP;
                orders.cgroup_procs = None;
            }
            None => descriptors.extend(plan.cgroup_procs),
        }
        descriptors.extend(plan.cgroup);
        let mut positions = 0..;
        orders.renumber(|_| positions.next().unwrap_or(RawFd::MAX));
        let code = orders.encode();
        let mut message = vec![heading];
        if code.len() < MESSAGE_LIMIT_BYTES {
            message.extend(code);
            return Ok(Self { message, descriptors, file: None });
        }
        let file = memfd::with_content("remuda-plan", &code)?;
        Ok(Self { message: vec![heading | IN_FILE], descriptors, file: Some(file) })
    }

    pub(super) fn send(mut self, link: &Link, limit: Duration) -> Result<(), LinkError> {
        let file = self.file.take();
        let mut descriptors: Vec<BorrowedFd<'_>> = self.descriptors;
        descriptors.extend(file.as_ref().map(AsFd::as_fd));
        link.send(&self.message, &descriptors, limit)
    }
}

/// A request that came.
#[derive(Debug)]
pub(super) struct Received {
    code: Vec<u8>,
    descriptors: Vec<OwnedFd>,
    cgroup: Option<OwnedFd>,
    file: Option<OwnedFd>,
}

impl Received {
    /// `None`: this is no request of this build.
    pub(super) fn new(mut message: Vec<u8>, mut descriptors: Vec<OwnedFd>) -> Option<Self> {
        if message.is_empty() {
            return None;
        }
        let heading = message.remove(0);
        let file = if heading & IN_FILE == 0 { None } else { Some(descriptors.pop()?) };
        let cgroup = if heading & IN_CGROUP == 0 { None } else { Some(descriptors.pop()?) };
        Some(Self { code: message, descriptors, cgroup, file })
    }

    /// The folder of the control group to be born in.
    pub(super) fn cgroup(&self) -> Option<BorrowedFd<'_>> {
        self.cgroup.as_ref().map(AsFd::as_fd)
    }

    /// The orders, with descriptors as they are numbered here.
    pub(super) fn orders(&self) -> Option<Orders> {
        let mut orders = match &self.file {
            None => Orders::decode(&self.code)?,
            Some(file) => Orders::decode(&memfd::content(file, PLAN_LIMIT_BYTES).ok()?)?,
        };
        orders.renumber(|position| {
            let descriptor = usize::try_from(position).ok().and_then(|at| self.descriptors.get(at));
            descriptor.map_or(-1, AsRawFd::as_raw_fd)
        });
        Some(orders)
    }
}
