//! Files through a connection: what is sent, what is not, and what is seen when they change.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use remuda_gateway::files::Files;
use remuda_gateway::server::{Handler, Limits, Request, Response};

use remuda_model::gateway::{FilesSpec, Links};

use super::support::{Answer, Client, Running};
use crate::waiting::until;

struct Site(Files);

impl Handler for Site {
    async fn handle(&self, request: &mut Request) -> Response {
        let path = request.head.path().to_vec();
        self.0.respond(request, &path).await
    }
}

struct Folder {
    folder: tempfile::TempDir,
    running: Running,
}

impl Folder {
    fn new(change: impl FnOnce(&mut FilesSpec)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("public");
        fs::create_dir(&root).unwrap();
        fs::create_dir(root.join("sub")).unwrap();
        write(&root.join("a.txt"), "0123456789");
        write(&root.join("sub/index.html"), "<p>sub</p>");
        write(&folder.path().join("secret"), "secret");
        let mut settings = FilesSpec::new(root.clone());
        change(&mut settings);
        let running = Running::with(Limits::default(), move || Site(Files::open(settings).unwrap()));
        Self { folder, running }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("public")
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    fn ask(&self, method: &str, path: &str, fields: &str) -> Answer {
        let mut client = self.running.connect();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
        if method == "HEAD" {
            client.send(request);
            return Answer { head: client.head(), body: Vec::new() };
        }
        client.ask(&request)
    }

    fn status(&self, path: &str) -> u16 {
        self.get(path).status()
    }
}

/// Writes a file that is old enough for a strong tag.
fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    age(path, 10);
}

fn age(path: &Path, seconds: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_file_comes_with_all_that_is_known_of_it() {
    let site = Folder::new(|_| {});
    let answer = site.get("/a.txt");
    assert_eq!((answer.status(), answer.text()), (200, "0123456789"));
    assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.field("accept-ranges"), Some("bytes"));
    assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
    assert!(answer.field("etag").unwrap().starts_with('"') && answer.field("last-modified").is_some());
    assert_eq!((answer.field("vary"), answer.field("cache-control")), (None, None));
    let head = site.ask("HEAD", "/a.txt", "");
    for name in ["content-length", "etag", "content-type", "last-modified"] {
        assert_eq!(head.field(name), answer.field(name));
    }
    write(&site.root().join("empty"), "");
    let empty = site.get("/empty");
    assert_eq!((empty.status(), empty.field("content-length")), (200, Some("0")));
    assert_eq!(empty.field("content-type"), Some("application/octet-stream"));
}

#[test]
fn names_are_decoded_once_and_odd_ones_found() {
    let site = Folder::new(|_| {});
    for (name, path) in [
        ("a b", "/a%20b"),
        ("\u{e4}", "/%C3%A4"),
        ("50%", "/50%25"),
        ("%41", "/%2541"),
        ("x?y#", "/x%3Fy%23"),
    ] {
        write(&site.root().join(name), name);
        assert_eq!(site.get(path).text(), name, "{path}");
    }
    assert_eq!(site.get("/a.txt?v=2").text(), "0123456789");
    assert_eq!(site.get("/x/../a.txt").text(), "0123456789");
}

#[test]
fn nothing_outside_is_reached() {
    let site = Folder::new(|_| {});
    let root = site.root();
    symlink(site.folder.path().join("secret"), root.join("absolute")).unwrap();
    symlink("../secret", root.join("relative")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("a.txt", root.join("inside")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    for path in [
        "/absolute",
        "/relative",
        "/up/secret",
        "/up/",
        "/loop",
        "/..%2fsecret",
        "/%2e%2e%2fsecret",
        "/sub%2Findex.html",
        "//a.txt",
        "/sub//index.html",
        "/a.txt/",
        "/nothing",
        "/a.txt/x",
        "/proc/self/environ",
    ] {
        assert_eq!(site.status(path), 404, "{path}");
    }
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/sub/../../secret",
        "/a\\b",
        "/%00",
        "/..\\secret",
        "/%5c..%5csecret",
    ] {
        assert_eq!(site.status(path), 400, "{path}");
    }
    assert_eq!(site.get("/inside").text(), "0123456789");
    assert_eq!(site.status(&format!("/{}", "x".repeat(300))), 404);
    // A pipe is not waited for.
    assert!(std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap().success());
    assert_eq!(site.status("/pipe"), 404);
}

#[test]
fn hidden_files_and_links_are_as_the_settings_say() {
    let site = Folder::new(|_| {});
    let prepare = |root: &Path| {
        fs::create_dir_all(root.join(".well-known/.deep")).unwrap();
        fs::create_dir(root.join(".git")).unwrap();
        for name in [".env", ".git/config", ".well-known/acme", ".well-known/.deep/x"] {
            write(&root.join(name), name);
        }
        symlink("a.txt", root.join("link")).unwrap();
    };
    prepare(&site.root());
    for path in ["/.env", "/.git/config", "/.git/", "/.well-known/.deep/x", "/sub/../.env"] {
        assert_eq!(site.status(path), 404, "{path}");
    }
    assert_eq!(site.get("/.well-known/acme").text(), ".well-known/acme");
    let open = Folder::new(|settings| {
        settings.dot_files = true;
        settings.links = Links::None;
    });
    prepare(&open.root());
    assert_eq!((open.status("/.env"), open.status("/link")), (200, 404));
    let all = Folder::new(|settings| settings.links = Links::All);
    symlink(all.folder.path().join("secret"), all.root().join("out")).unwrap();
    assert_eq!(all.get("/out").text(), "secret");
}

#[test]
fn folders_have_a_slash_an_index_or_a_listing() {
    let site = Folder::new(|_| {});
    let answer = site.get("/sub?x=1");
    assert_eq!((answer.status(), answer.field("location")), (301, Some("/sub/?x=1")));
    let tricky = site.get("//evil.example/../../sub");
    assert_eq!((tricky.status(), tricky.field("location")), (301, Some("/sub/")));
    assert_eq!((site.get("/sub/").text(), site.status("/")), ("<p>sub</p>", 404));
    assert_eq!(site.get("/sub/").field("content-type"), Some("text/html; charset=utf-8"));
    let listed = Folder::new(|settings| settings.listing = true);
    let html = listed.get("/");
    assert!(html.text().contains("href=\"./sub/\"") && html.text().contains("href=\"./a.txt\""));
    let json = listed.ask("GET", "/", "Accept: application/json\r\n");
    assert!(
        json.text().starts_with("{\"path\":\"/\",\"entries\":[{\"name\":\"sub\",\"is_folder\":true"),
        "{}",
        json.text()
    );
    assert_eq!(listed.ask("HEAD", "/", "").status(), 200);
}

#[test]
fn a_listing_tells_nothing_of_what_is_not_served() {
    let listed = |links: Links| {
        let site = Folder::new(|settings| (settings.listing, settings.links) = (true, links));
        let (root, outside) = (site.root(), site.folder.path().to_owned());
        fs::create_dir(root.join("in")).unwrap();
        symlink(outside.join("secret"), root.join("in/absolute")).unwrap();
        symlink("../../secret", root.join("in/relative")).unwrap();
        symlink("../..", root.join("in/up")).unwrap();
        symlink("nowhere", root.join("in/broken")).unwrap();
        symlink("../a.txt", root.join("in/inside")).unwrap();
        write(&root.join("in/own"), "own");
        let text = site.ask("GET", "/in/", "Accept: application/json\r\n").text().to_owned();
        let listing: serde_json::Value = serde_json::from_str(&text).unwrap();
        let names = listing["entries"].as_array().unwrap().iter();
        let names: Vec<String> = names.map(|entry| entry["name"].as_str().unwrap().to_owned()).collect();
        for name in &names {
            assert_ne!(site.status(&format!("/in/{name}")), 404, "{name} is listed");
        }
        names
    };
    assert_eq!(listed(Links::None), ["own"]);
    assert_eq!(listed(Links::Beneath), ["inside", "own"]);
    assert_eq!(listed(Links::All), ["up", "absolute", "inside", "own", "relative"]);
}

#[test]
fn a_listed_name_that_is_no_text_leads_to_its_file() {
    use std::os::unix::ffi::OsStrExt as _;
    let site = Folder::new(|settings| settings.listing = true);
    write(&site.root().join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "coffee");
    assert!(site.get("/").text().contains("href=\"./caf%E9\""));
    assert_eq!(site.get("/caf%E9").text(), "coffee");
}

#[test]
fn what_a_client_has_is_not_sent_again() {
    let site = Folder::new(|_| {});
    let first = site.get("/a.txt");
    let etag = first.field("etag").unwrap();
    let again = site.ask("GET", "/a.txt", &format!("If-None-Match: {etag}\r\n"));
    assert_eq!((again.status(), again.field("etag"), again.field("content-length")), (304, Some(etag), None));
    let since = format!("If-Modified-Since: {}\r\n", first.field("last-modified").unwrap());
    assert_eq!(site.ask("GET", "/a.txt", &since).status(), 304);
    assert_eq!(site.ask("GET", "/a.txt", "If-Match: \"x\"\r\n").status(), 412);
}

#[test]
fn parts_are_sent_one_by_one_or_together() {
    let site = Folder::new(|_| {});
    let one = site.ask("GET", "/a.txt", "Range: bytes=2-4\r\n");
    assert_eq!((one.status(), one.text(), one.field("content-range")), (206, "234", Some("bytes 2-4/10")));
    let none = site.ask("GET", "/a.txt", "Range: bytes=10-\r\n");
    assert_eq!((none.status(), none.field("content-range")), (416, Some("bytes */10")));
    let stale = site.ask("GET", "/a.txt", "Range: bytes=2-4\r\nIf-Range: \"x\"\r\n");
    assert_eq!((stale.status(), stale.text()), (200, "0123456789"));
    // Only GET has ranges (RFC 9110 14.2).
    for range in ["bytes=2-4", "bytes=10-", "bytes=0-1,3-4"] {
        let head = site.ask("HEAD", "/a.txt", &format!("Range: {range}\r\n"));
        assert_eq!((head.status(), head.field("content-length")), (200, Some("10")), "{range}");
    }
    let content: String = (0..200_000).map(|at| char::from(b'a' + u8::try_from(at % 26).unwrap())).collect();
    write(&site.root().join("large"), &content);
    let several = site.ask("GET", "/large", "Range: bytes=0-1,100000-100002,-2\r\n");
    let boundary =
        several.field("content-type").unwrap().strip_prefix("multipart/byteranges; boundary=").unwrap();
    let part = |range: &str, text: &str| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {range}/200000\r\n\r\n{text}"
        )
    };
    let expected = [
        part("0-1", "ab"),
        part("100000-100002", &content[100_000..100_003]),
        part("199998-199999", &content[199_998..]),
        format!("\r\n--{boundary}--\r\n"),
    ];
    assert_eq!((several.status(), several.text()), (206, expected.concat().as_str()));
    let large = site.ask("GET", "/large", "Range: bytes=150000-\r\n");
    assert!(large.text() == &content[150_000..]);
}

#[test]
fn compressed_forms_are_sent_to_who_takes_them() {
    let site = Folder::new(|_| {});
    let root = site.root();
    write(&root.join("app.js"), "plain");
    write(&root.join("app.js.gz"), "gzipped");
    write(&root.join("app.js.br"), "brotli!");
    let plain = site.get("/app.js");
    assert_eq!(
        (plain.text(), plain.field("vary"), plain.field("content-encoding")),
        ("plain", Some("Accept-Encoding"), None)
    );
    let br = site.ask("GET", "/app.js", "Accept-Encoding: gzip, br\r\n");
    assert_eq!(
        (br.text(), br.field("content-encoding"), br.field("vary")),
        ("brotli!", Some("br"), Some("Accept-Encoding"))
    );
    assert_eq!(br.field("content-type"), Some("text/javascript; charset=utf-8"));
    assert_ne!(br.field("etag"), plain.field("etag"));
    let part = site.ask("GET", "/app.js", "Accept-Encoding: gzip\r\nRange: bytes=0-1\r\n");
    assert_eq!((part.text(), part.field("content-range")), ("gz", Some("bytes 0-1/7")));
    // Asked for by its own name it is a file like any other.
    let own = site.get("/app.js.gz");
    assert_eq!((own.field("content-type"), own.field("content-encoding")), (Some("application/gzip"), None));
    // A form that is older than its file is not sent.
    write(&root.join("old.js"), "new");
    write(&root.join("old.js.gz"), "stale");
    age(&root.join("old.js.gz"), 100);
    assert_eq!(site.ask("GET", "/old.js", "Accept-Encoding: gzip\r\n").text(), "new");
}

#[test]
fn a_change_is_seen_within_two_seconds_and_never_half() {
    let site = Folder::new(|_| {});
    let mut client = site.running.connect();
    let old = client.get("/a.txt");
    write(&site.root().join("a.txt"), "changed!");
    let new = wait_for(&mut client, |answer| answer.text() == "changed!");
    assert_ne!(new.field("etag"), old.field("etag"));
    fs::remove_file(site.root().join("a.txt")).unwrap();
    wait_for(&mut client, |answer| answer.status() == 404);
}

fn wait_for(client: &mut Client, is_it: impl Fn(&Answer) -> bool) -> Answer {
    let mut answer = client.get("/a.txt");
    until("another answer", || {
        answer = client.get("/a.txt");
        is_it(&answer)
    });
    answer
}

#[test]
fn one_file_is_served_whatever_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("only.txt");
    write(&path, "only");
    let spec = FilesSpec { cache: false, ..FilesSpec::new(path) };
    let running = Running::with(Limits::default(), move || Site(Files::open(spec).unwrap()));
    for path in ["/", "/x/y", "/.hidden"] {
        assert_eq!(running.connect().get(path).text(), "only");
    }
    assert!(Files::open(FilesSpec::new(folder.path().join("nowhere"))).is_err());
}

#[test]
fn methods_that_change_files_are_refused() {
    let site = Folder::new(|_| {});
    for method in ["POST", "PUT", "DELETE", "PATCH", "BREW"] {
        let answer = site.ask(method, "/a.txt", "");
        assert_eq!((answer.status(), answer.field("allow")), (405, Some("GET, HEAD, OPTIONS")));
    }
    let options = site.ask("OPTIONS", "/a.txt", "");
    assert_eq!((options.status(), options.field("allow")), (204, Some("GET, HEAD, OPTIONS")));
}

#[test]
fn pages_stand_in_for_what_is_missing() {
    let site = Folder::new(|settings| {
        settings.fallback = Some("/app.html".into());
        settings.error_pages.push((404, "404.html".into()));
        settings.types.push(("Txt".into(), "text/x-own".into()));
    });
    write(&site.root().join("app.html"), "the app");
    write(&site.root().join("404.html"), "not here");
    let walked = site.ask("GET", "/some/where", "Accept: text/html\r\n");
    assert_eq!((walked.status(), walked.text()), (200, "the app"));
    let asset = site.ask("GET", "/missing.js", "Accept: */*\r\n");
    assert_eq!((asset.status(), asset.text()), (404, "not here"));
    assert_eq!(asset.field("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(site.get("/a.txt").field("content-type"), Some("text/x-own"));
}

#[test]
fn what_may_not_be_read_is_403() {
    let site = Folder::new(|_| {});
    let path = site.root().join("closed");
    write(&path, "x");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    // Root may read everything.
    let expected = if fs::read(&path).is_ok() { 200 } else { 403 };
    assert_eq!(site.status("/closed"), expected);
}

#[test]
fn many_files_are_served_with_few_of_them_open() {
    let site = Folder::new(|_| {});
    let mut client = site.running.connect();
    for number in 0..1500 {
        fs::write(site.root().join(format!("{number}.txt")), number.to_string()).unwrap();
        assert_eq!(client.get(&format!("/{number}.txt")).text(), number.to_string());
    }
    let open = fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(open < 1200, "{open}");
}
