//! Files for clients people have.

use std::process::Command;

use super::{EDGE, edge};
use crate::harness::{Instance, peers};

fn curl(instance: &Instance, arguments: &[&str], path: &str) -> String {
    let url = format!("http://{}{path}", instance.address("http"));
    let said =
        Command::new("curl").args(["-sS", "--max-time", "20"]).args(arguments).arg(url).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn curl_gets_files_parts_and_what_has_changed() {
    let instance = edge(EDGE);
    assert_eq!(curl(&instance, &[], "/hello.txt"), "hello, world");
    assert_eq!(curl(&instance, &["-r", "7-"], "/hello.txt"), "world");
    assert_eq!(curl(&instance, &["--http1.0"], "/hello.txt"), "hello, world");
    assert!(curl(&instance, &["-I"], "/large.bin").contains("Content-Length: 800000"));
    let code = ["-o", "/dev/null", "-w", "%{http_code}"];
    let head = curl(&instance, &["-I"], "/hello.txt");
    let etag = head.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap();
    let condition = format!("If-None-Match: {etag}");
    assert_eq!(curl(&instance, &[&code[..], &["-H", &condition]].concat(), "/hello.txt"), "304");
    assert_eq!(curl(&instance, &[&code[..], &["-d", "x=y"]].concat(), "/hello.txt"), "405");
    assert_eq!(curl(&instance, &[&code[..], &["--path-as-is"]].concat(), "/../remuda.toml"), "400");
    assert_eq!(curl(&instance, &code, "/nothing"), "404");
    instance.end();
}

#[test]
fn a_download_is_resumed_where_it_stopped() {
    let instance = edge(EDGE);
    let part = instance.write("part", &"0123456789abcdef".repeat(100));
    let part = part.to_string_lossy();
    curl(&instance, &["-C", "-", "-o", &part], "/large.bin");
    assert_eq!(std::fs::read_to_string(&*part).unwrap(), "0123456789abcdef".repeat(50_000));
    instance.end();
}

#[test]
fn clients_of_python_read_old_and_new_versions_and_keep_their_connection() {
    const SCRIPT: &str = r#"
import http.client, sys, urllib.request
address = sys.argv[1]
client = http.client.HTTPConnection(address, timeout=20)
for _ in range(3):
    client.request("GET", "/hello.txt")
    answer = client.getresponse()
    assert (answer.status, answer.read()) == (200, b"hello, world")
assert client.sock is not None
client.request("POST", "/hello.txt", body=iter([b"a", b"b"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
assert client.getresponse().status == 405
http.client.HTTPConnection._http_vsn = 10
http.client.HTTPConnection._http_vsn_str = "HTTP/1.0"
old = http.client.HTTPConnection(address, timeout=20)
old.request("GET", "/large.bin")
answer = old.getresponse()
body = answer.read()
assert (answer.status, len(body), answer.getheader("Connection")) == (200, 800000, "close"), answer.headers
print(urllib.request.urlopen("http://" + address + "/").read().decode())
"#;
    let instance = edge(EDGE);
    let python = peers::venv().join("bin/python");
    let said = Command::new(python).args(["-c", SCRIPT, &instance.address("http")]).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(said.stdout, b"1\n");
    instance.end();
}
