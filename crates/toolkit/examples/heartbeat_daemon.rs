//! A whole daemon: it answers on a socket it did not open, gives a heartbeat every five seconds, and ends when asked.
//!
//! Its heartbeats are logged; a daemon with a bus publishes them there. Run by `examples/daemon/run`.

use std::error::Error;
use std::io::{self, ErrorKind, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use remuda_toolkit::{Daemon, Environment, Quit, Wake, Watchdog};
use remuda_toolkit::{adopt::Inherited, heartbeat::Heartbeats, logging::Logger};

fn main() -> Result<(), Box<dyn Error>> {
    let daemon = Daemon::new("greeter");
    let _logging = Logger::new("greeter").install()?;
    let seat = Environment::read()?.seat.ok_or("greeter is a worker: start it with `remuda up`")?;
    let listener = Inherited::read()?.nonblocking(true).tcp("greet")?;
    let (heartbeats, watchdog) = (Heartbeats::new(&seat), Watchdog::new());
    let pulse = watchdog.pulse("serve", Duration::from_secs(5));
    let tell = |topic: &str, payload: &[u8]| {
        log::info!("{topic} {}", String::from_utf8_lossy(payload));
        Ok::<(), io::Error>(())
    };
    daemon
        .watchdog(&watchdog)
        .main_loop("serve", move |quit| serve(&listener, quit, || pulse.beat()))
        .resilient_loop("heartbeat", heartbeats.every(), heartbeats.sender(tell))
        .run()?;
    Ok(())
}

fn serve(listener: &TcpListener, quit: &Quit, alive: impl Fn()) -> io::Result<()> {
    while quit.wait_readable(listener, Duration::from_secs(1))? != Wake::Quit {
        alive();
        match listener.accept() {
            // Who hangs up before he is greeted is no trouble of ours.
            Ok((mut client, _)) => drop(writeln!(client, "hello from process {}", std::process::id())),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => log::warn!("accept: {error}"),
        }
    }
    Ok(())
}
