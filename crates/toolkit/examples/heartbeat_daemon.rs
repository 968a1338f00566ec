//! A whole daemon: it answers on a socket it did not open, gives a heartbeat every five seconds, and ends when asked.
//!
//! Its heartbeats are logged; a daemon with a bus publishes them there. Run by `examples/daemon/run`.

use std::error::Error;
use std::io::{self, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use remuda_toolkit::adopt::Inherited;
use remuda_toolkit::heartbeat::Heartbeats;
use remuda_toolkit::logging::Logger;
use remuda_toolkit::{Daemon, Environment, Quit, Wake, Watchdog};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let daemon = Daemon::new("greeter");
    let _logging = Logger::new("greeter").install()?;
    let seat = Environment::read()?.seat.ok_or("greeter is a worker: start it with `remuda up`")?;
    let listener = Inherited::read()?.nonblocking(true).tcp("greet")?;
    let heartbeats = Heartbeats::new(&seat);
    let watchdog = Watchdog::new();
    let pulse = watchdog.pulse("serve", Duration::from_secs(5));
    daemon
        .watchdog(&watchdog)
        .main_loop("serve", move |quit| serve(&listener, quit, || pulse.beat()))
        .resilient_loop(
            "heartbeat",
            heartbeats.every(),
            heartbeats.sender(|topic, payload| {
                log::info!("{topic} {}", String::from_utf8_lossy(payload));
                Ok::<(), io::Error>(())
            }),
        )
        .run()?;
    Ok(())
}

fn serve(listener: &TcpListener, quit: &Quit, alive: impl Fn()) -> io::Result<()> {
    while quit.wait_readable(listener, Duration::from_secs(1))? != Wake::Quit {
        alive();
        match listener.accept() {
            Ok((mut client, peer)) => {
                log::info!("greets {peer}");
                client.set_write_timeout(Some(Duration::from_secs(1)))?;
                // Who hangs up before he is greeted is no trouble of ours.
                let _ = writeln!(client, "hello from process {}", std::process::id());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => log::warn!("accept: {error}"),
        }
    }
    Ok(())
}
