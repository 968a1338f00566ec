//! The process the tests look at: a daemon that does what its first argument says.

#![expect(clippy::panic, reason = "a panic that is survived is among what it shows")]

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use log::LevelFilter;
use remuda_toolkit::adopt::Inherited;
use remuda_toolkit::logging::{Lines, Logger, Syslog};
use remuda_toolkit::{Backoff, Daemon, Notifier, Quit, Watchdog};

/// Longer than any test.
const FOREVER: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next().unwrap_or_default();
    let detail = arguments.next().unwrap_or_default();
    if role == "adopt" {
        return adopt(&detail);
    }
    let daemon = Daemon::new("subject");
    let logger = Logger::new("subject").level(LevelFilter::Debug);
    let logger = match role.as_str() {
        "syslog" => logger.onward(Syslog::at(detail.as_ref())),
        "flood" => logger.queue_lines(4).onward(Lines(io::stdout())),
        _ => logger,
    };
    let logging = logger.install().expect("no other logger is installed");
    let daemon = match role.as_str() {
        "calm" => {
            daemon.main_loop("serve", wait).resilient_loop("stats", FOREVER, |_| Ok::<_, io::Error>(()))
        }
        "syslog" => daemon.main_loop("serve", |quit| {
            log::info!("serves");
            wait(quit)
        }),
        "flood" => daemon.main_loop("serve", |quit| {
            (0..2000).for_each(|number| log::debug!("line {number} {}", "x".repeat(200)));
            quit.ask();
            Ok::<_, io::Error>(())
        }),
        "stumbles" => stumbles(daemon),
        "dies" => dies(daemon, detail),
        "deaf" => daemon
            .quit_within(if detail == "long" { FOREVER } else { Duration::from_millis(300) })
            .main_loop("serve", wait)
            .main_loop("deaf", |_| -> Result<(), io::Error> {
                loop {
                    std::thread::park();
                }
            }),
        "flush-fails" => daemon.main_loop("serve", |quit| {
            wait(quit)?;
            Err(io::Error::other("the last page was not written"))
        }),
        "hangs" => hangs(daemon),
        "reloads" => daemon.main_loop("serve", wait).on_reload(move || match detail.as_str() {
            "fails" => Err(io::Error::other("the new config is broken")),
            _ => {
                log::info!("loaded anew");
                Ok(())
            }
        }),
        "by-hand" => daemon.ready_by_hand().main_loop("serve", |quit| {
            let notifier = Notifier::from_environment()?;
            notifier.status("warming up\nREADY=1")?;
            notifier.ready()?;
            wait(quit).map_err(Box::<dyn std::error::Error + Send + Sync>::from)
        }),
        "twice" => daemon.main_loop("serve", wait).main_loop("serve", wait),
        _ => daemon,
    };
    let ended = daemon.run();
    logging.finish(Duration::from_secs(20));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "ended: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn wait(quit: &Quit) -> Result<(), io::Error> {
    quit.wait(FOREVER);
    Ok(())
}

/// A loop that panics, then fails, then works, while the main loop serves.
fn stumbles(daemon: Daemon) -> Daemon {
    let mut round = 0;
    let backoff = Backoff::new(1).base(Duration::from_millis(10));
    daemon.main_loop("serve", wait).resilient_loop_with("stats", FOREVER, backoff, move |quit| {
        round += 1;
        match round {
            1 => std::panic::panic_any("stumbled".to_owned()),
            2 => Err(io::Error::other("fell")),
            _ => {
                log::info!("walks");
                quit.ask();
                Ok(())
            }
        }
    })
}

fn dies(daemon: Daemon, how: String) -> Daemon {
    daemon.main_loop("bystander", wait).main_loop("serve", move |_| match how.as_str() {
        "return" => Ok(()),
        "error" => Err(io::Error::other("the disk is gone")),
        _ => std::panic::panic_any("an index was off by one".to_owned()),
    })
}

/// A loop that gives signs of life until SIGHUP, and then none.
fn hangs(daemon: Daemon) -> Daemon {
    let watchdog = Watchdog::new();
    let pulse = watchdog.pulse("serve", Duration::from_secs(1));
    let (hang, hung) = std::sync::mpsc::channel();
    daemon.watchdog(&watchdog).on_reload(move || hang.send(())).main_loop("serve", move |quit| {
        // A sign of life comes first, however early the signal: who has given none rests, and is missed by nobody.
        loop {
            pulse.beat();
            if hung.try_recv().is_ok() {
                return wait(quit);
            }
            if quit.wait(Duration::from_millis(20)) {
                return Ok::<_, io::Error>(());
            }
        }
    })
}

/// Adopts `NAME=KIND,NAME=KIND…` and says of each what came of it.
fn adopt(wanted: &str) -> ExitCode {
    let mut inherited = match Inherited::read() {
        Ok(inherited) => inherited.nonblocking(true),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let _ = writeln!(io::stderr(), "names: {}", inherited.names().join(" "));
    for (name, kind) in wanted.split(',').filter_map(|each| each.split_once('=')) {
        let outcome = match kind {
            "tcp" => inherited.tcp(name).map(|socket| {
                let blocks = socket.accept().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
                format!("{:?} nonblocking {blocks}", socket.local_addr())
            }),
            "unix" => inherited.unix(name).map(|socket| format!("{:?}", socket.local_addr())),
            "udp" => inherited.udp(name).map(|socket| format!("{:?}", socket.local_addr())),
            "streams" => inherited.streams(name).map(|sockets| format!("{} listeners", sockets.len())),
            _ => inherited.stream(name).map(|socket| format!("{socket:?}")),
        };
        let _ = match outcome {
            Ok(text) => writeln!(io::stderr(), "{name}: {text}"),
            Err(error) => writeln!(io::stderr(), "{name}: error: {error}"),
        };
    }
    ExitCode::SUCCESS
}
