//! The executable the tests start: a keeper, its trampoline, and an arbiter of one worker that is there to be killed.

use std::ffi::OsString;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;

use remuda_daemon::Keeper;
use remuda_sys::pipe;
use remuda_sys::spawn::{SpawnPlan, spawn};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    remuda_sys::spawn::run_trampoline_if_asked();
    remuda_daemon::run_keeper_if_asked();
    let mut arguments = std::env::args().skip(1);
    let (name, script) = arguments.next().zip(arguments.next()).ok_or("which name, and which script?")?;
    arbiter(&name, &script)
}

/// Runs `script` with our standard input and a log pipe as its output, has both kept, says so, and stands still.
fn arbiter(name: &str, script: &str) -> Result<(), Failure> {
    let executable = Path::new("/proc/self/exe");
    let mut keeper = Keeper::spawn(executable, name)?;
    let output = pipe::log()?;
    let stdin = std::io::stdin();
    let mut plan = SpawnPlan::new(["/bin/sh", "-c", script].map(OsString::from).to_vec());
    plan.stdin = Some(stdin.as_fd());
    plan.stdout = Some(output.writer.as_fd());
    let worker = spawn(&plan)?;
    drop(plan);
    drop(output.writer);
    keeper.keep([("log/1/stdout", output.reader.as_fd()), ("pid/1", worker.pidfd.as_fd())])?;
    keeper.sync()?;
    writeln!(std::io::stdout(), "{} {}", keeper.pid(), worker.pid)?;
    loop {
        std::thread::park();
    }
}
