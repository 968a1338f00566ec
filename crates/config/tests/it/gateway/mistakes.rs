//! What is wrong with the gateway's tables is told with its place.

use remuda_config::Style;

use super::{folder, try_load};

const HEAD: &str = "[socket.http]\nlisten = \"127.0.0.1:0\"\n[socket.web]\nlisten = \"127.0.0.1:0\"\n[socket.admin]\nlisten = \"127.0.0.1:0\"\n[service.edge]\nkind = \"gateway\"\nsockets = [\"http\"]\n[service.web]\ncommand = \"web\"\nsockets = [\"web\"]\n[service.two]\ncommand = \"two\"\nsockets = [\"web\", \"admin\"]\n[service.none]\ncommand = \"none\"\n";

#[track_caller]
fn said(text: &str) -> String {
    let folder = folder();
    match try_load(folder.path(), &format!("{HEAD}{text}")) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(report) => report.render(Style::Plain).replace(&folder.path().display().to_string(), "FOLDER"),
    }
}

#[track_caller]
fn route(keys: &str) -> String {
    said(&format!("[[route]]\nmatch = \"/a/{{id}}\"\n{keys}\n"))
}

#[test]
fn the_column_of_a_pattern_is_pointed_at() {
    insta::assert_snapshot!(said("[[route]]\nmatch = \"GET /a/{id:float}/b\"\nrespond = 200\n"), @r#"
    error: "float" is no type of a parameter: write int, uuid, alpha or rest, at column 8 of "/a/{id:float}/b"
      --> FOLDER/remuda.toml:19:21
       |
    19 | match = "GET /a/{id:float}/b"
       |                     ^
    "#);
    insta::assert_snapshot!(said("[[route]]\nmatch = \"GET|post /a\"\nrespond = 200\n"), @r#"
    error: "post" is no method: methods are written in upper case: POST
      --> FOLDER/remuda.toml:19:14
       |
    19 | match = "GET|post /a"
       |              ^^^^
       |
       = help: write methods and path: "GET|POST /shorten"
    "#);
}

#[test]
fn a_forgotten_slash_and_a_misspelt_method_are_told() {
    for (text, words) in [
        ("about", "did you mean `/about`?"),
        ("GET about", "did you mean `/about`?"),
        ("u/{id}", "did you mean `/u/{id}`?"),
        ("ABOUT", "did you mean `/ABOUT`?"),
        ("get", "did you mean `/get`, or `GET *`?"),
        ("GTE|POST", "did you mean `/GTE|POST`, or `GET|POST *`?"),
        ("GTE /about", "did you mean `GET`?"),
        ("GET|PSOT /about", "did you mean `POST`?"),
        ("PROPFND *", "did you mean `PROPFIND`?"),
    ] {
        let said = said(&format!("[[route]]\nmatch = {text:?}\nrespond = 200\n"));
        assert!(said.contains(words), "{text}: {said}");
    }
    insta::assert_snapshot!(said("[[route]]\nmatch = \"about\"\nrespond = 200\n"), @r#"
    error: a path begins with "/", at column 1 of "about"
      --> FOLDER/remuda.toml:19:10
       |
    19 | match = "about"
       |          ^
       |
       = help: did you mean `/about`?
    "#);
    for text in ["GET", "GET|POST", "PURGE /a", "LIST /a", "LINK|UNLINK /a", "MKCOL|PROPFIND /a"] {
        let folder = folder();
        let loaded = try_load(folder.path(), &format!("{HEAD}[[route]]\nmatch = {text:?}\nrespond = 200\n"));
        assert!(loaded.is_ok(), "{text}");
    }
}

#[test]
fn a_key_that_belongs_into_the_table_of_an_action_is_told_so() {
    for (keys, words) in [
        ("topic = \"news\"\npublish = true", "`publish` stands inside `topic`: topic = { …, publish = … }"),
        ("files = \"public\"\nlisting = true", "`listing` stands inside `files`"),
        ("files = \"public\"\nlist = true", "`listing` stands inside `files`"),
        ("files = { root = \"public\", list = true }", "did you mean `listing`?"),
        ("respond = 200\nbody = \"x\"", "`body` stands inside `respond`"),
    ] {
        let said = route(keys);
        assert!(said.contains(words), "{keys}: {said}");
    }
}

#[test]
fn a_route_that_another_hides_is_refused_with_its_line() {
    let two = "[[route]]\nname = \"first\"\nmatch = \"GET|POST /a/{id}\"\nrespond = 200\n[[route]]\nmatch = \"POST /a/{name}\"\nrespond = 201\n";
    insta::assert_snapshot!(said(two), @r#"
    error: no request reaches the route "POST /a/{name}": "first" in line 20 takes all of them
      --> FOLDER/remuda.toml:23:9
       |
    20 | match = "GET|POST /a/{id}"
       |         ------------------ this one comes first
    ...
    23 | match = "POST /a/{name}"
       |         ^^^^^^^^^^^^^^^^
       |
       = help: leave one out, or tell them apart by method, host or conditions
    "#);
}

#[test]
fn unknown_keys_are_told_with_the_nearest_one() {
    insta::assert_snapshot!(said("[[route]]\nredirct = \"/b\"\n[gateway.limits]\nheadrs = 5\n"), @r#"
    error: [[route]] has no key `redirct`
      --> FOLDER/remuda.toml:19:1
       |
    19 | redirct = "/b"
       | ^^^^^^^
       |
       = help: did you mean `redirect`?

    error: [gateway.limits] has no key `headrs`
      --> FOLDER/remuda.toml:21:1
       |
    21 | headrs = 5
       | ^^^^^^
       |
       = help: did you mean `headers`?
    "#);
}

#[test]
fn a_route_does_one_thing() {
    insta::assert_snapshot!(route("files = \"public\"\nto = \"service:web\""), @r#"
    error: a route does one thing: this one has `files` and `to`
      --> FOLDER/remuda.toml:21:6
       |
    20 | files = "public"
       |         -------- first here
    21 | to = "service:web"
       |      ^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(route("summary = \"x\""), @r#"
    error: this route does nothing
      --> FOLDER/remuda.toml:19:9
       |
    19 | match = "/a/{id}"
       |         ^^^^^^^^^
       |
       = help: write one of files, to, redirect, respond, topic, sse, websocket, socketio, key and page
    "#);
}

#[test]
fn targets_that_are_not_there_are_told() {
    for (to, words) in [
        ("service:wbe", "did you mean `web`"),
        ("service:two", "several sockets: web, admin"),
        ("service:two/admn", "did you mean `admin`"),
        ("service:none", "no socket for connections"),
        ("service:edge", "go round"),
        ("upstream:pool", "no upstream named"),
        ("web", "nothing to pass requests on to"),
        ("http://", "is no address"),
        ("http://a:0", "is no address"),
        ("https://a/b?c", "comes before"),
        ("ftp://a", "nothing to pass"),
    ] {
        let said = route(&format!("to = \"{to}\""));
        assert!(said.contains(words), "{to}: {said}");
    }
}

#[test]
fn what_routes_say_is_checked() {
    for (keys, words) in [
        ("redirect = \"200 /b\"", "no status that sends"),
        ("redirect = \"/b/{nme}\"", "stands for nothing"),
        ("redirect = \"/b/{idd}\"", "did you mean `id`"),
        ("redirect = \"/b\\u0000\"", "control characters"),
        ("respond = 99", "200 to 599"),
        ("respond = { status = 204, body = \"x\" }", "has no body"),
        ("respond = { body = \"<b>{id}</b>\", type = \"text/html\" }", "could be a script"),
        ("respond = 200\nhost = \"a:80\"", "has a port"),
        ("respond = 200\nheaders = { \"X Y\" = \"1\" }", "no name of a header"),
        ("respond = 200\nheaders = { Host = \"1\" }", "write host ="),
        ("respond = 200\nscheme = \"ftp\"", "is no scheme"),
        ("respond = 200\nsource = \"10.0.0.1/8\"", "the range is 10.0.0.0/8"),
        ("respond = 200\nsocket = \"web\"", "no gateway service inherits"),
        ("respond = 200\nresponses = { 999 = \"x\" }", "is no status"),
        ("respond = 200\nrequest = { schema = \"none.json\" }", "none.json cannot be read"),
        ("respond = 200\nrequest = { schema = \"users\" }", "is no JSON"),
        ("respond = 200\nrequest = { type = \"json\" }", "no type of a body"),
        ("respond = 200\nrequest = { schema = \"bad.json\" }", "cannot be read"),
        ("respond = 200\nauth = \"users\"", "does not say who may ask"),
        ("respond = 200\nauth = \"basic:url.json\"", "line 1"),
        ("respond = 200\nauth = \"basic:nobody\"", "cannot be read"),
        ("respond = 200\nlimit = \"20\"", "is no rate"),
        ("respond = 200\nlimit = { rate = \"2/s\", key = \"adress\" }", "did you mean `address`"),
        ("respond = 200\ncors = \"example.org\"", "is no origin"),
        ("respond = 200\ncors = { origins = \"*\", credentials = true }", "no browser takes"),
        ("respond = 200\nparams = { ttl = \"integer\" }", "no type of a parameter"),
        ("respond = 200\nparams = { ttl = { type = \"int\", min = 5, default = 1 } }", "at least 5"),
        ("respond = 200\nparams = { ttl = { in = \"path\" } }", "no parameter \"ttl\""),
        ("respond = 200\nparams = { ttl = { pattern = \"[\" } }", "no regular expression"),
        ("respond = 200\nparams = { host = \"int\" }", "cannot be called"),
        ("respond = 200\nbefore = \"service:nobody /x\"", "no service named"),
        ("to = \"service:web\"\nrewrite = \"x\"", "is no path"),
        ("to = \"service:web\"\nrequest_headers = { set = { Content-Length = \"1\" } }", "gateway's own"),
        ("to = \"service:web\"\nresponse_headers = { set = { X = \"a\\nb\" } }", "control characters"),
        ("to = \"service:web\"\ntimeout = \"10\"", "needs a unit"),
        ("to = \"service:web\"\ncache = \"\"", "no value of Cache-Control"),
        ("files = \"public\"", "is a folder, and `match` names one path"),
        ("topic = \"news\"", "there is none"),
        ("key = \"k\"", "there is none"),
        ("page = \"docs\"", "one page"),
        ("page = \"dcs\"", "write \"docs\""),
    ] {
        let said = route(keys);
        assert!(said.contains(words), "{keys}: {said}");
    }
}

#[test]
fn the_other_tables_are_checked() {
    for (text, words) in [
        (
            "[[route]]\nname = \"a\"\nmatch = \"/a\"\nrespond = 200\n[[route]]\nname = \"a\"\nmatch = \"/b\"\nrespond = 200",
            "two routes are named",
        ),
        ("[upstream.a]\n", "neither `servers` nor `service`"),
        ("[upstream.a]\nservers = [\"8080\"]", "no address of a server"),
        ("[upstream.a]\nservers = [\"a:1\", \"a:1\"]", "listed twice"),
        ("[upstream.a]\nservers = [\"a:1\"]\nbalance = \"random\"", "no way to choose"),
        ("[upstream.a]\nservers = [\"a:1\"]\nhealth = \"up\"", "is no path"),
        ("[upstream.a]\nservers = [\"unix:/a\"]\ntls = true", "has no name of its own"),
        ("[upstream.a]\nservers = [\"a:1\"]\ntls = true\nproxy_protocol = \"v1\"", "before TLS"),
        (
            "[upstream.a]\nservers = [\"a:1\"]\nprotocol = \"http2\"\nproxy_protocol = \"v2\"",
            "the PROXY protocol names one",
        ),
        ("[gateway]\ncompress = [\"zstd\"]", "not compressed as `zstd`"),
        ("[gateway.tls]\nsockets = \"http\"", "there is no certificate"),
        ("[gateway.tls]\nsockets = \"web\"", "no gateway service inherits"),
        ("[[certificate]]\ncertificate = \"cert.pem\"", "has no `key`"),
        ("[[certificate]]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"", "no socket speaks TLS"),
        ("[gateway.tls]\nsockets = \"http\"\n[acme]\nhosts = \"a\"", "not agreed to"),
        (
            "[gateway.tls]\nsockets = \"http\"\n[acme]\nhosts = \"*.a\"\nterms_agreed = true",
            "challenge by DNS",
        ),
        ("[gateway]\naccess_log = \"xml\"", "no access log"),
        ("[gateway]\ntrusted_proxies = [\"x\"]", "no range of addresses"),
        ("[gateway.limits]\nhead = \"1B\"", "from 1KiB"),
    ] {
        let said = said(text);
        assert!(said.contains(words), "{text}: {said}");
    }
}

#[test]
fn a_gateway_has_sockets_and_no_command() {
    let folder = folder();
    let text = "[service.edge]\nkind = \"gateway\"\ncommand = \"x\"\n[[route]]\nrespond = 200\n";
    let report = try_load(folder.path(), text).unwrap_err().render(Style::Plain);
    assert!(report.contains("has no `command`") && report.contains("without a socket"), "{report}");
    let report = try_load(folder.path(), "[service.a]\ncommand = \"x\"\n[[route]]\nrespond = 200\n");
    let report = report.unwrap_err().render(Style::Plain);
    assert!(report.contains("no service is one"), "{report}");
}
