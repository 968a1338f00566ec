//! The plan as bytes, from the arbiter to its own executable.
//!
//! Both ends are the same build, so there is no version; a text is a length and its bytes, everything little-endian.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use remuda_model::{ResourceLimit, Session};

use super::plan::{Credentials, EnvironmentValue, SpawnPlan};

/// The plan as the trampoline reads it: descriptors are numbers in its own table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Orders {
    pub(super) status: RawFd,
    pub(super) argv: Vec<OsString>,
    pub(super) environment: Vec<(OsString, EnvironmentValue)>,
    pub(super) directory: Option<OsString>,
    pub(super) standard: [Option<RawFd>; 3],
    pub(super) passed: Vec<RawFd>,
    pub(super) user: Option<Credentials>,
    pub(super) umask: Option<u32>,
    pub(super) limits: Vec<ResourceLimit>,
    pub(super) nice: Option<i32>,
    pub(super) oom_score_adjust: Option<i32>,
    pub(super) cpus: Vec<u32>,
    pub(super) session: Session,
    pub(super) cgroup_procs: Option<RawFd>,
    pub(super) no_new_privileges: bool,
}

impl Orders {
    pub(super) fn of(plan: &SpawnPlan<'_>, status: RawFd) -> Self {
        let number = |fd: &BorrowedFd<'_>| fd.as_raw_fd();
        Self {
            status,
            argv: plan.argv.clone(),
            environment: plan.environment.clone(),
            directory: plan.directory.clone().map(OsString::from),
            standard: [&plan.stdin, &plan.stdout, &plan.stderr].map(|fd| fd.as_ref().map(number)),
            passed: plan.passed.iter().map(number).collect(),
            user: plan.user.clone(),
            umask: plan.umask,
            limits: plan.limits.clone(),
            nice: plan.nice,
            oom_score_adjust: plan.oom_score_adjust,
            cpus: plan.cpus.clone(),
            session: plan.session,
            cgroup_procs: plan.cgroup_procs.as_ref().map(number),
            no_new_privileges: plan.no_new_privileges,
        }
    }

    /// Calls every descriptor by the number `of` gives it: first the status pipe, then the standard ones, the passed
    /// ones, and the control group's.
    pub(super) fn renumber(&mut self, mut of: impl FnMut(RawFd) -> RawFd) {
        self.status = of(self.status);
        let others = self.standard.iter_mut().flatten().chain(&mut self.passed).chain(&mut self.cgroup_procs);
        others.for_each(|fd| *fd = of(*fd));
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::with_capacity(4096));
        writer.signed(self.status);
        writer.list(&self.argv, |writer, text| writer.text(text));
        writer.list(&self.environment, |writer, (name, value)| {
            writer.text(name);
            match value {
                EnvironmentValue::Text(text) => {
                    writer.0.push(0);
                    writer.text(text);
                }
                EnvironmentValue::Pid => writer.0.push(1),
                EnvironmentValue::PidfdId => writer.0.push(2),
            }
        });
        writer.option(self.directory.as_ref(), |writer, text| writer.text(text));
        for fd in &self.standard {
            writer.option(fd.as_ref(), |writer, fd| writer.signed(*fd));
        }
        writer.list(&self.passed, |writer, fd| writer.signed(*fd));
        writer.option(self.user.as_ref(), |writer, user| {
            writer.number(user.uid);
            writer.number(user.gid);
            writer.list(&user.groups, |writer, group| writer.number(*group));
        });
        writer.option(self.umask.as_ref(), |writer, umask| writer.number(*umask));
        writer.list(&self.limits, |writer, limit| {
            writer.text(OsStr::new(&limit.name));
            writer.option(limit.soft.as_ref(), |writer, value| writer.0.extend(value.to_le_bytes()));
            writer.option(limit.hard.as_ref(), |writer, value| writer.0.extend(value.to_le_bytes()));
        });
        writer.option(self.nice.as_ref(), |writer, nice| writer.signed(*nice));
        writer.option(self.oom_score_adjust.as_ref(), |writer, adjust| writer.signed(*adjust));
        writer.list(&self.cpus, |writer, cpu| writer.number(*cpu));
        writer.0.push(match self.session {
            Session::New => 0,
            Session::Group => 1,
            Session::Inherit => 2,
        });
        writer.option(self.cgroup_procs.as_ref(), |writer, fd| writer.signed(*fd));
        writer.0.push(u8::from(self.no_new_privileges));
        writer.0
    }

    /// `None`: these are no orders of this build.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let reader = &mut Reader(bytes);
        let orders = Self {
            status: reader.signed()?,
            argv: reader.list(Reader::text)?,
            environment: reader.list(|reader| {
                let name = reader.text()?;
                let value = match reader.byte()? {
                    0 => EnvironmentValue::Text(reader.text()?),
                    1 => EnvironmentValue::Pid,
                    2 => EnvironmentValue::PidfdId,
                    _ => return None,
                };
                Some((name, value))
            })?,
            directory: reader.option(Reader::text)?,
            standard: [
                reader.option(Reader::signed)?,
                reader.option(Reader::signed)?,
                reader.option(Reader::signed)?,
            ],
            passed: reader.list(Reader::signed)?,
            user: reader.option(|reader| {
                let (uid, gid) = (reader.number()?, reader.number()?);
                Some(Credentials { uid, gid, groups: reader.list(Reader::number)? })
            })?,
            umask: reader.option(Reader::number)?,
            limits: reader.list(|reader| {
                let name = reader.text()?.into_string().ok()?;
                Some(ResourceLimit {
                    name,
                    soft: reader.option(Reader::wide)?,
                    hard: reader.option(Reader::wide)?,
                })
            })?,
            nice: reader.option(Reader::signed)?,
            oom_score_adjust: reader.option(Reader::signed)?,
            cpus: reader.list(Reader::number)?,
            session: match reader.byte()? {
                0 => Session::New,
                1 => Session::Group,
                2 => Session::Inherit,
                _ => return None,
            },
            cgroup_procs: reader.option(Reader::signed)?,
            no_new_privileges: reader.byte()? == 1,
        };
        reader.0.is_empty().then_some(orders)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u32) {
        self.0.extend(number.to_le_bytes());
    }

    fn signed(&mut self, number: i32) {
        self.0.extend(number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.number(u32::try_from(length).expect("execve takes no more than 4 GiB of arguments"));
    }

    fn text(&mut self, text: &OsStr) {
        self.length(text.len());
        self.0.extend(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) {
        self.length(items.len());
        for item in items {
            each(self, item);
        }
    }

    fn option<T>(&mut self, value: Option<&T>, each: impl FnOnce(&mut Self, &T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            each(self, value);
        }
    }
}

struct Reader<'bytes>(&'bytes [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn signed(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    fn wide(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<OsString> {
        let length = usize::try_from(self.number()?).ok()?;
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(OsString::from_vec(head.to_vec()))
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.number()?).map(|_| each(self)).collect()
    }

    fn option<T>(&mut self, each: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.byte()? == 0 { Some(None) } else { each(self).map(Some) }
    }
}

#[cfg(test)]
mod tests;
