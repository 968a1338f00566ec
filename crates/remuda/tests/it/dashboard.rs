//! The dashboard as browsers and people meet it: a real browser looks at a real instance, and who may not is refused.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use rustix::process::Signal;

use crate::harness::{Instance, peers, process, until};
use crate::hub_herd::servers::Servers;

const CONFIG: &str = "[socket.web]\nlisten = \"127.0.0.1:0\"\n[service.web]\nsockets = [\"web\"]\nworkers = 2\n\
    command = \"sh -c 'echo needle in the hay; i=0; while :; do i=$$((i+1)); echo tick $$i; sleep 0.2; done'\"\n\
    [service.web.env]\nPATH = \"/usr/bin:/bin\"\n\
    [service.yearly]\nschedule = \"0 0 1 1 *\"\ncommand = \"true\"\n\
    [socket.rare]\nlisten = \"127.0.0.1:0\"\n\
    [service.rare]\nsockets = [\"rare\"]\nworkers = 3\non_demand = true\ncommand = \"sleep 1000\"\n\
    [bus]\n[store]\n[hub]\nstate = \"@DIR@/hub\"\n";

/// The address with a token, of which the instance has one from now on.
fn url(instance: &Instance, role: &str) -> String {
    until("the dashboard's address", || instance.remuda(&["dashboard", "url"]).code == 0);
    instance.remuda(&["dashboard", "token", "--role", role]).done().out.trim().to_owned()
}

fn parts(url: &str) -> (String, String) {
    let (address, token) = url.strip_prefix("http://").unwrap().split_once("/#token=").unwrap();
    (address.to_owned(), token.to_owned())
}

/// One request with these lines of header.
fn ask(address: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    use std::io::{Read as _, Write as _};
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    (text.split(' ').nth(1).unwrap().parse().unwrap(), text)
}

/// Logs in; the cookie as a line of header.
fn login(address: &str, token: &str) -> String {
    let headers = format!("host: {address}\r\nx-remuda-dashboard: 1\r\n");
    let (status, text) = ask(address, "POST", "/login", &headers, &format!("{{\"token\":\"{token}\"}}"));
    assert_eq!(status, 200, "{text}");
    let cookie = text.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    format!("cookie: {}\r\n", cookie.split(';').next().unwrap())
}

#[test]
fn a_browser_sees_services_scales_them_and_searches_their_lines() {
    let instance = Instance::up(CONFIG);
    let peers = peers::dashboard_peers();
    let pictures = instance.dir().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    let (operate, view) = (url(&instance, "operate"), url(&instance, "view"));
    let mut command = Command::new("node");
    command.arg(peers::repository().join("tests/peers/dashboard/dashboard.mjs"));
    command.arg(peers).arg(instance.dir().join("profile")).args([&operate, &view]).arg(&pictures);
    let output = command.env("HOME", instance.dir()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(instance.pids("web").len(), 3);
    instance.end();
}

/// Locks that the first server keeps, and a gateway.
const OF_A_HERD: &str = "keys = [\"shared:\"]\n[locks]\nhome = \"n0\"\n[socket.http]\nlisten = \"127.0.0.1:0\"\n\
    [service.edge]\nkind = \"gateway\"\nsockets = [\"http\"]\nworkers = 1 # of the edge\n\
    [[route]]\nname = \"greeting\"\nmatch = \"GET /hi\"\nrespond = { status = 200, body = \"hi\" }\n";

#[test]
fn a_browser_sees_the_herd_its_locks_the_gateways_and_applies_the_file() {
    let servers = Servers::up(2, &[(0, 1)], OF_A_HERD);
    servers.are_one(2);
    let instance = &servers.all[0];
    let peers = peers::dashboard_peers();
    let pictures = instance.dir().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    let mut holder = instance.command(&["lock", "nightly", "--", "sleep", "100"]).spawn().unwrap();
    until("the lock", || instance.remuda(&["locks"]).done().out.contains("nightly"));
    let mut command = Command::new("node");
    command.arg(peers::repository().join("tests/peers/dashboard/herd.mjs"));
    command.arg(peers).arg(instance.dir().join("profile")).arg(url(instance, "operate"));
    command.arg(instance.config()).arg(format!("http://{}", instance.address("http"))).arg(&pictures);
    let output = command.env("HOME", instance.dir()).output().unwrap();
    process::signal(holder.id(), Signal::TERM);
    holder.wait().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    servers.end();
}

#[test]
fn who_views_may_ask_and_not_change_and_nobody_else_may_ask() {
    let instance = Instance::up(CONFIG);
    let (address, token) = parts(&url(&instance, "view"));
    let host = format!("host: {address}\r\n");
    let ours = format!("{host}x-remuda-dashboard: 1\r\n");
    assert_eq!(ask(&address, "GET", "/v1/status", &host, "").0, 401);
    let cookie = login(&address, &token);
    assert_eq!(ask(&address, "GET", "/v1/status", &format!("{host}{cookie}"), "").0, 200);
    let scale = r#"{"service":"web","to":1}"#;
    let (status, text) = ask(&address, "POST", "/v1/scale", &format!("{ours}{cookie}"), scale);
    assert_eq!(status, 403, "{text}");
    assert_eq!(instance.pids("web").len(), 2);

    let (_, token) = parts(&url(&instance, "operate"));
    let operate = login(&address, &token);
    // Another page in the same browser: no header of ours, a foreign origin, a foreign name for our address.
    for headers in [
        format!("{host}{operate}"),
        format!("{ours}{operate}origin: http://evil.example\r\n"),
        format!("host: evil.example\r\nx-remuda-dashboard: 1\r\n{operate}"),
    ] {
        let (status, text) = ask(&address, "POST", "/v1/scale", &headers, scale);
        assert_eq!(status, 403, "{text}");
    }
    assert_eq!(instance.pids("web").len(), 2);
    let (status, text) = ask(&address, "POST", "/v1/scale", &format!("{ours}{operate}"), scale);
    assert_eq!(status, 200, "{text}");
    assert_eq!(instance.pids("web").len(), 1);
    let (_, page) = ask(&address, "GET", "/", &host, "");
    for line in ["x-content-type-options: nosniff", "frame-ancestors 'none'", "default-src 'none'"] {
        assert!(page.contains(line), "{page}");
    }
    instance.end();
}

#[test]
fn tokens_are_kept_as_hashes_by_their_owner_alone_and_guessing_is_slowed_down() {
    let instance = Instance::up(CONFIG);
    let (address, token) = parts(&url(&instance, "operate"));
    let file = instance.runtime().join("dashboard/tokens.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&file).unwrap().contains(&token));
    let headers = format!("host: {address}\r\nx-remuda-dashboard: 1\r\n");
    let statuses: Vec<u16> =
        (0..12).map(|_| ask(&address, "POST", "/login", &headers, r#"{"token":"guess"}"#).0).collect();
    assert_eq!(statuses[..10], [401; 10]);
    assert!(statuses.contains(&429), "{statuses:?}");
    instance.end();
}

#[test]
fn a_session_outlives_an_upgrade_at_the_same_address() {
    let instance = Instance::up(CONFIG);
    let (address, token) = parts(&url(&instance, "view"));
    let cookie = login(&address, &token);
    instance.remuda(&["upgrade"]).done();
    let headers = format!("host: {address}\r\n{cookie}");
    until("the dashboard's return", || TcpStream::connect(&address).is_ok());
    let (status, text) = ask(&address, "GET", "/v1/status", &headers, "");
    assert_eq!(status, 200, "{text}");
    instance.end();
}

#[test]
fn off_is_off() {
    let instance = Instance::up(&format!("[dashboard]\nlisten = \"off\"\n{CONFIG}"));
    let said = instance.remuda(&["dashboard", "url"]).exits(1);
    assert!(said.err.contains("is off"), "{said:?}");
    assert!(!instance.runtime().join("dashboard").exists());
    instance.end();
}
