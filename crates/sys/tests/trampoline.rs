//! The executable the tests spawn: a trampoline, and a program that adopts its sockets or just stands still.

use std::collections::BTreeMap;
use std::io::Write;

use remuda_model::Address;
use remuda_sys::socket::Activation;

fn main() -> std::io::Result<()> {
    remuda_sys::spawn::run_trampoline_if_asked();
    remuda_sys::spawn::run_spawner_if_asked();
    if std::env::args().nth(1).is_some_and(|word| word == "stand-still") {
        writeln!(std::io::stdout(), "up")?;
        loop {
            std::thread::park();
        }
    }
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let mut out = std::io::stdout();
    let mut activation = match Activation::from_env(&environment, std::process::id()) {
        Ok(activation) => activation,
        Err(error) => return writeln!(out, "{error}"),
    };
    for name in activation.names().map(str::to_owned).collect::<Vec<_>>() {
        match activation.adopt(&Address::Systemd(name.clone())) {
            Ok(listeners) => {
                for listener in listeners {
                    writeln!(
                        out,
                        "{name} {:?} {} {}",
                        listener.family, listener.listening, listener.address
                    )?;
                }
            }
            Err(error) => writeln!(out, "{error}")?,
        }
    }
    Ok(())
}
