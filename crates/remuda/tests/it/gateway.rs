//! Gateways as workers of a real instance: files for real clients, reloads and crashes under load, and want.

mod acme;
mod bad_days;
mod clients;
mod keeping;
mod passing;
mod realtime;
mod routes;
mod securing;
mod serve;
mod tls;

use crate::harness::{Instance, Setup};

/// Two gateways on one socket, which serve the folder `public`.
const EDGE: &str = r#"
[socket.http]
listen = "127.0.0.1:0"
[service.edge]
kind = "gateway"
sockets = ["http"]
workers = 2
[[route]]
match = "/*"
files = "@DIR@/public"
"#;

/// An instance that serves a page that is a number, as the load of other tests expects, and some files.
fn edge(config: &str) -> Instance {
    serve(Setup::new(config))
}

/// The same, of a folder in which more is prepared.
fn serve(setup: Setup) -> Instance {
    std::fs::create_dir(setup.dir().join("public")).unwrap();
    setup.write("public/index.html", "1");
    setup.write("public/hello.txt", "hello, world");
    setup.write("public/large.bin", &"0123456789abcdef".repeat(50_000));
    let instance = setup.up();
    instance.settled();
    instance
}
