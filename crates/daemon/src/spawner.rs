//! From a spec to a process: descriptors, variables, identity, placeholders.

mod launcher;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use remuda_config::substitute::{SocketValue, Values, substitute};
use remuda_model::{Readiness, ResourceLimit, ServiceSpec, SpawnFailure, Stdin, WorkerId};
use remuda_sys::CallError;
use remuda_sys::cgroup::LimitRefusal;
use remuda_sys::notify::NotifySocket;
use remuda_sys::spawn::{Credentials, EnvironmentValue, SpawnPlan, Spawned};
use remuda_sys::users::{Account, lookup_group, lookup_user, supplementary_groups};
use remuda_sys::{pipe, process};

use crate::child::{Child, Notified};
use crate::daemon::Daemon;
use crate::environment::{Facts, known, variables};
use crate::hub::{Share, settings_file};
use crate::instance::InstanceFolder;
use crate::sockets::{Bound, SocketTable};
use crate::tracking::Tracking;

pub(crate) use launcher::Launcher;

/// Number of the first descriptor that is passed.
const FIRST_PASSED: usize = 3;

/// What the shell lends for a spawn.
#[derive(Debug)]
pub(crate) struct Workshop<'a> {
    pub(crate) folder: &'a InstanceFolder,
    pub(crate) sockets: &'a SocketTable,
    pub(crate) tracking: &'a Tracking,
    pub(crate) launcher: &'a mut Launcher,
    /// Our own variables.
    pub(crate) ours: &'a BTreeMap<String, String>,
    /// The limit of descriptors we were started with.
    pub(crate) nofile: &'a ResourceLimit,
    /// What the worker is told of the hub, or of everything.
    pub(crate) share: Share,
}

/// Who is to be spawned.
#[derive(Debug)]
pub(crate) struct Newcomer<'a> {
    pub(crate) worker: WorkerId,
    pub(crate) slot: u32,
    pub(crate) generation: u64,
    pub(crate) workers: u32,
    pub(crate) spec: &'a Arc<ServiceSpec>,
    /// What its predecessor stored: names and descriptors.
    pub(crate) stored: Vec<(String, BorrowedFd<'a>)>,
}

/// A spawned worker, and the pipes it writes to.
#[derive(Debug)]
pub(crate) struct Hatched {
    pub(crate) child: Child,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    /// Limits of the control group that could not be set.
    pub(crate) refusals: Vec<LimitRefusal>,
}

/// Arguments and variables of a program.
type Words = (Vec<OsString>, Vec<(OsString, EnvironmentValue)>);

fn failure(stage: &str, permanent: bool) -> impl Fn(String) -> SpawnFailure {
    move |detail| SpawnFailure { stage: stage.to_owned(), errno: 0, detail, permanent }
}

/// For what may pass: descriptors or memory are short.
fn short(attempt: &'static str) -> impl Fn(CallError) -> SpawnFailure {
    move |error| SpawnFailure {
        stage: "descriptors".into(),
        errno: error.errno,
        detail: format!("{attempt}: {error}"),
        permanent: false,
    }
}

/// Who a worker runs as: its account, and the ids if they differ from ours.
pub(crate) fn account(spec: &ServiceSpec) -> Result<(Option<Account>, Option<Credentials>), SpawnFailure> {
    let identity = &spec.identity;
    let unknown = failure("user", true);
    let Some(user) = &identity.user else {
        let gid = identity
            .group
            .as_deref()
            .map(lookup_group)
            .transpose()
            .map_err(|error| unknown(error.to_string()))?;
        if gid.is_some() || identity.groups.is_some() {
            return Err(unknown(
                "group and groups need a user too; write user = \"root\" to stay root".to_owned(),
            ));
        }
        return Ok((None, None));
    };
    let account = lookup_user(user).map_err(|error| unknown(error.to_string()))?;
    let unknown = failure("groups", true);
    let gid = match &identity.group {
        Some(group) => lookup_group(group).map_err(|error| unknown(error.to_string()))?,
        None => account.gid,
    };
    let groups = match &identity.groups {
        Some(groups) => groups.iter().map(|group| lookup_group(group)).collect(),
        None => supplementary_groups(&account.name, gid),
    };
    let groups = groups.map_err(|error| unknown(error.to_string()))?;
    let credentials = Credentials { uid: account.uid, gid, groups };
    Ok((Some(account), Some(credentials)))
}

impl Workshop<'_> {
    /// Spawns a worker. What fails before there is a process is reported in the trampoline's own terms.
    pub(crate) fn spawn(&mut self, newcomer: Newcomer<'_>) -> Result<Hatched, SpawnFailure> {
        let spec = newcomer.spec;
        let (account, user) = account(spec)?;
        let sockets: Vec<Arc<Bound>> =
            spec.sockets.iter().filter_map(|name| self.sockets.get(name).cloned()).collect();
        let listeners =
            sockets.iter().map(|bound| self.lend(bound, newcomer.slot)).collect::<Result<Vec<_>, _>>()?;
        let known = known(self.ours, spec, account.as_ref().or(Some(&self.own_account())));
        let values = values(&newcomer, &sockets, known.clone());
        let stdout = pipe::log().map_err(short("open a pipe for stdout"))?;
        let stderr = pipe::log().map_err(short("open a pipe for stderr"))?;
        let path = self.folder.notify_socket(newcomer.worker.0);
        let socket = NotifySocket::bind(&path).map_err(short("give it a notify socket"))?;
        let notify = Notified { socket, path };
        let (argv, environment) = self.words(&newcomer, &known, &values, &notify, &sockets)?;
        let stdin = self.stdin(&newcomer)?;
        let ready = match spec.ready {
            Readiness::Descriptor(_) => Some(pipe::plain().map_err(short("open its readiness descriptor"))?),
            _ => None,
        };
        let null =
            File::open("/dev/null").map_err(|error| failure("descriptors", false)(error.to_string()))?;
        let mut passed: Vec<BorrowedFd<'_>> = listeners.iter().map(AsFd::as_fd).collect();
        passed.extend(newcomer.stored.iter().map(|(_, fd)| *fd));
        if let (Readiness::Descriptor(number), Some(ready)) = (&spec.ready, &ready) {
            let place = usize::try_from(*number).unwrap_or(0).saturating_sub(FIRST_PASSED);
            while passed.len() < place {
                passed.push(null.as_fd());
            }
            passed.push(ready.writer.as_fd());
        }
        let cgroup = self.tracking.create(newcomer.worker).map_err(short("make its cgroup"))?;
        let refusals = cgroup.as_ref().map(|cgroup| cgroup.set_limits(&spec.cgroup)).unwrap_or_default();
        let mut plan = SpawnPlan::new(argv);
        plan.environment = environment;
        plan.stdin = stdin.as_ref().map(|(given, _)| given.as_fd());
        plan.stdout = Some(stdout.writer.as_fd());
        plan.stderr = Some(stderr.writer.as_fd());
        plan.passed = passed;
        let user_id = user.as_ref().map_or_else(remuda_sys::users::effective_user, |user| user.uid);
        plan.user = user;
        let born_in = cgroup.as_ref().and_then(|cgroup| File::open(cgroup.path()).ok());
        plan.cgroup = born_in.as_ref().map(AsFd::as_fd);
        plan.cgroup_procs = cgroup.as_ref().map(|cgroup| cgroup.procs());
        self.follow(spec, &mut plan);
        let spawned =
            self.launcher.spawn(&plan).map_err(|error| failure("start", false)(error.to_string()))?;
        drop(plan);
        let Spawned { pid, pidfd, status } = spawned;
        let child = Child {
            id: newcomer.worker,
            slot: newcomer.slot,
            spec: Arc::clone(spec),
            pid,
            pidfd,
            // It has just been made and is not reaped: its entry in /proc is there.
            start_time: process::start_time(pid).unwrap_or(0),
            status: Some(status),
            generation: newcomer.generation,
            user: user_id,
            ended: false,
            main: None,
            notify: Some(notify),
            ready: ready.map(|pipe| pipe.reader),
            held: stdin.and_then(|(_, held)| held),
            workers: newcomer.workers,
            sockets,
            cgroup,
        };
        Ok(Hatched { child, stdout: stdout.reader, stderr: stderr.reader, refusals })
    }

    /// What of a spec goes into the plan as it is.
    fn follow(&self, spec: &ServiceSpec, plan: &mut SpawnPlan<'_>) {
        plan.directory = Some(spec.directory.clone());
        plan.umask = spec.identity.umask;
        plan.limits = spec.limits.clone();
        if !plan.limits.iter().any(|limit| limit.name == self.nofile.name) {
            plan.limits.push(self.nofile.clone());
        }
        plan.nice = (spec.nice != 0).then_some(spec.nice);
        plan.oom_score_adjust = spec.oom_score_adjust;
        plan.no_new_privileges = spec.no_new_privileges;
        plan.session = spec.session;
    }

    /// Arguments and variables, their placeholders filled in.
    fn words(
        &self,
        newcomer: &Newcomer<'_>,
        known: &BTreeMap<String, String>,
        values: &Values,
        notify: &Notified,
        sockets: &[Arc<Bound>],
    ) -> Result<Words, SpawnFailure> {
        let spec = newcomer.spec;
        let mut names: Vec<String> = sockets.iter().map(|bound| bound.name.to_string()).collect();
        names.extend(newcomer.stored.iter().map(|(name, _)| name.clone()));
        let facts = Facts {
            worker: newcomer.worker,
            folder: self.folder.path(),
            notify: Some(&notify.path),
            einhorn: &self.folder.einhorn_socket(),
            names: &names,
            sockets: sockets.len(),
            hub: match &self.share {
                Share::Variables(variables) => variables,
                Share::Nothing | Share::Settings(_) | Share::Gateway(_) => &[],
            },
        };
        let placeholder = failure("placeholders", true);
        let environment =
            variables(known, spec, values, &facts).map_err(|error| placeholder(error.to_string()))?;
        let argv: Result<Vec<OsString>, _> =
            spec.command.argv.iter().map(|text| substitute(text, values).map(OsString::from)).collect();
        Ok((argv.map_err(|error| placeholder(error.to_string()))?, environment))
    }

    /// Its descriptor 0, and what keeps that open.
    fn stdin(&self, newcomer: &Newcomer<'_>) -> Result<Option<(OwnedFd, Option<OwnedFd>)>, SpawnFailure> {
        let file = match &self.share {
            Share::Settings(settings) => Some(settings_file(settings)),
            Share::Gateway(settings) => Some(settings_file(settings)),
            Share::Nothing | Share::Variables(_) => None,
        };
        if let Some(file) = file {
            return Ok(Some((file.map_err(short("write its settings"))?, None)));
        }
        match &newcomer.spec.stdin {
            Stdin::Null => Ok(None),
            Stdin::Hold => {
                let held =
                    pipe::blocking().map_err(|error| failure("descriptors", false)(error.to_string()))?;
                Ok(Some((held.reader, Some(held.writer))))
            }
            Stdin::Socket(name) => {
                let missing = || failure("sockets", true)(format!("there is no socket {name}"));
                let bound = self.sockets.get(name).ok_or_else(missing)?;
                Ok(Some((self.lend(bound, newcomer.slot)?, None)))
            }
        }
    }

    /// A duplicate of the listener of `slot`, so that the table's lock is not held over the spawn.
    fn lend(&self, bound: &Bound, slot: u32) -> Result<OwnedFd, SpawnFailure> {
        let refused = failure("sockets", false);
        let lent = bound.with_listener(slot, |listener| listener.fd.try_clone());
        lent.map_err(|error| refused(error.to_string()))?.map_err(|error| refused(error.to_string()))
    }

    fn own_account(&self) -> Account {
        let ours = |name: &str, otherwise: &str| {
            self.ours.get(name).cloned().unwrap_or_else(|| otherwise.to_owned())
        };
        Account {
            uid: 0,
            gid: 0,
            name: ours("USER", "root"),
            home: ours("HOME", "/").into(),
            shell: ours("SHELL", "/bin/sh").into(),
        }
    }
}

impl Daemon {
    /// What the placeholders of a worker became when it was spawned.
    pub(crate) fn values_of(&self, child: &Child) -> Values {
        // Who could be looked up when it was spawned is not worth a failure now.
        let (account, _) = account(&child.spec).unwrap_or_default();
        let known = known(&self.ours, &child.spec, account.as_ref());
        let newcomer = Newcomer {
            worker: child.id,
            slot: child.slot,
            generation: child.generation,
            workers: child.workers,
            spec: &child.spec,
            stored: Vec::new(),
        };
        values(&newcomer, &child.sockets, known)
    }
}

/// What the placeholders of a worker become.
pub(crate) fn values(
    newcomer: &Newcomer<'_>,
    sockets: &[Arc<Bound>],
    known: BTreeMap<String, String>,
) -> Values {
    let numbered = (3_i32..).zip(sockets);
    let mut values = Values {
        service: newcomer.spec.name.clone(),
        slot: newcomer.slot,
        generation: newcomer.generation,
        workers: newcomer.workers,
        sockets: numbered
            .map(|(descriptor, bound)| {
                let value = SocketValue { descriptor, address: bound.address(), port: bound.port() };
                (bound.name.clone(), value)
            })
            .collect(),
        environment: known,
    };
    // A variable may be made of another one, but not of itself: each sees those before it.
    for (name, text) in &newcomer.spec.environment.variables {
        if let Ok(text) = substitute(text, &values) {
            values.environment.insert(name.clone(), text);
        }
    }
    values
}
