//! What starting a worker costs: the arbiter's time per spawn, and processor time in all.
//!
//! `cargo run --release -p remuda-sys --example spawn_cost -- [PROGRAM] [COUNT]`

use std::error::Error;
use std::io::Write;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use remuda_sys::event::{Interest, Poller, Token};
use remuda_sys::process::reap;
use remuda_sys::spawn::{EnvironmentValue, SpawnPlan, run_trampoline_if_asked, spawn};

fn main() -> Result<(), Box<dyn Error>> {
    run_trampoline_if_asked();
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().unwrap_or_else(|| "/bin/true".into());
    let count: u32 = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let variables = (0..30)
        .map(|number| (format!("VARIABLE_{number}").into(), EnvironmentValue::Text("x".repeat(40).into())));
    let plan = SpawnPlan {
        environment: variables.chain([("LISTEN_PID".into(), EnvironmentValue::Pid)]).collect(),
        passed: vec![listener.as_fd()],
        ..SpawnPlan::new(vec![program.into()])
    };
    let mut poller = Poller::new()?;
    let (mut parent, mut children) = (Duration::ZERO, Duration::ZERO);
    let begin = Instant::now();
    for _ in 0..count {
        let before = Instant::now();
        let spawned = spawn(&plan)?;
        parent += before.elapsed();
        poller.add(&spawned.pidfd, Token(0), Interest::Read)?;
        while poller.wait(None)?.count() == 0 {}
        poller.remove(&spawned.pidfd)?;
        children += reap(&spawned.pidfd)?.map(|exit| exit.cpu).unwrap_or_default();
    }
    let each = |total: Duration| total.as_micros() / u128::from(count.max(1));
    writeln!(
        std::io::stdout(),
        "per spawn of {count}: {} µs in the caller, {} µs from start to end, {} µs processor time of the child",
        each(parent),
        each(begin.elapsed()),
        each(children)
    )?;
    Ok(())
}
