//! Lookups, and the small machines.

mod properties;

use std::time::Duration;

use remuda_model::gateway::{
    Action, ConditionSpec, CorsSpec, Expected, HostPattern, Method, ParameterKind, ParameterPlace,
    ParameterSpec, PasswordHash, PasswordLine, RespondSpec, RouteSpec, Template, password_lines,
};
use remuda_wire::http::Fields;

use super::{
    Cors, CorsAnswer, Found, ParameterCheck, PasswordTable, Place, RateLimiter, Subject, Table, Values,
    Verdict, query_value, render,
};

/// A route of `METHODS PATH`, perhaps with hosts.
pub(crate) fn route(text: &str, hosts: &[&str]) -> RouteSpec {
    let (methods, path) = text.split_once(' ').unwrap_or(("", text));
    let body = Template::literal("");
    let action = Action::Respond(RespondSpec { status: 200, body, content_type: "text/plain".into() });
    let mut spec = RouteSpec::new(text, path.parse().expect(path), action);
    spec.methods = methods
        .split('|')
        .filter(|method| !method.is_empty())
        .map(|method| Method::new(method).unwrap())
        .collect();
    spec.hosts = hosts.iter().map(|host| host.parse::<HostPattern>().unwrap()).collect();
    spec
}

fn table(routes: &[&str]) -> Table {
    Table::new(routes.iter().map(|text| route(text, &[])).collect())
}

fn subject<'a>(method: &'a str, host: &'a str, path: &'a str, fields: &'a Fields) -> Subject<'a> {
    let (path, query) =
        path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query.as_bytes())));
    Subject {
        method,
        host: host.as_bytes(),
        path: path.as_bytes(),
        query,
        fields,
        source: Some("192.0.2.1".parse().unwrap()),
        is_secure: false,
        socket: "http",
    }
}

/// The name of the route taken, with what its parameters took.
fn taken(table: &Table, method: &str, host: &str, path: &str) -> Option<(String, Vec<String>)> {
    let fields = Fields::new();
    let subject = subject(method, host, path, &fields);
    let Found::Route(found) = table.find(&subject) else { return None };
    let captured = (0..found.captures.len()).map(|number| found.captures.get(number, subject.path).unwrap());
    let captured = captured.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    Some((table.routes()[found.route].name.clone(), captured))
}

#[track_caller]
fn takes(table: &Table, request: &str, wanted: &str, captured: &[&str]) {
    let (method, path) = request.split_once(' ').unwrap();
    let found = taken(table, method, "any", path);
    let captured = captured.iter().map(|text| (*text).to_owned()).collect();
    assert_eq!(found, Some((wanted.to_owned(), captured)), "{request}");
}

#[test]
fn the_most_specific_route_wins_wherever_it_stands() {
    let all = [
        "/*",
        "/a/*",
        "/a/{x}",
        "/a/{n:int}",
        "/a/b",
        "/a/v{n}",
        "/a/v{n}.json",
        "GET /a/{x}/c",
        "/a/b/{y}/d",
        "/a/",
    ];
    let table = table(&all);
    takes(&table, "GET /a/b", "/a/b", &[]);
    takes(&table, "GET /a/7", "/a/{n:int}", &["7"]);
    takes(&table, "GET /a/x", "/a/{x}", &["x"]);
    takes(&table, "GET /a/v7", "/a/v{n}", &["7"]);
    takes(&table, "GET /a/v7.json", "/a/v{n}.json", &["7"]);
    takes(&table, "GET /a/v", "/a/{x}", &["v"]);
    takes(&table, "GET /a/", "/a/", &[]);
    takes(&table, "GET /a", "/*", &["a"]);
    takes(&table, "GET /", "/*", &[""]);
    takes(&table, "GET /a/b/c", "GET /a/{x}/c", &["b"]);
    takes(&table, "POST /a/b/c", "/a/*", &["b/c"]);
    takes(&table, "GET /a/b/1/d", "/a/b/{y}/d", &["1"]);
    takes(&table, "GET /a/b/1/e", "/a/*", &["b/1/e"]);
    takes(&table, "GET /a//c", "/a/*", &["/c"]);
}

#[test]
fn of_parameters_with_as_much_text_around_them_the_one_with_more_in_front_is_taken() {
    let table = table(&["/{a}b/*", "/a{a}/{b}"]);
    takes(&table, "GET /ab/c", "/a{a}/{b}", &["b", "c"]);
    takes(&table, "GET /cb/c", "/{a}b/*", &["c", "c"]);
}

#[test]
fn hosts_come_before_paths_and_exact_ones_before_wildcards() {
    let table = Table::new(vec![
        route("/x", &[]),
        route("/{any}", &["*.example.org"]),
        route("/*", &["*.b.example.org", "example.org"]),
        route("/y", &["a.example.org"]),
    ]);
    let name = |host: &str, path: &str| taken(&table, "GET", host, path).map(|(name, _)| name);
    assert_eq!(name("a.example.org", "/x").as_deref(), Some("/{any}"));
    assert_eq!(name("A.Example.ORG.:8080", "/y").as_deref(), Some("/y"));
    assert_eq!(name("c.b.example.org", "/x").as_deref(), Some("/*"), "the longer suffix");
    assert_eq!(name("example.org", "/x").as_deref(), Some("/*"));
    assert_eq!(name("other", "/x").as_deref(), Some("/x"));
    assert_eq!(name("[::1]:80", "/x").as_deref(), Some("/x"));
    assert_eq!(name("other", "/z"), None);
    assert_eq!(name(&"a".repeat(300), "/x").as_deref(), Some("/x"));
}

#[test]
fn a_method_nobody_takes_is_told_from_a_path_nobody_has() {
    let table = table(&["GET|PUT /a", "POST /a", "DELETE /{x}", "/b"]);
    let fields = Fields::new();
    let found = |method: &str, path: &str| table.find(&subject(method, "h", path, &fields));
    assert_eq!(
        found("PATCH", "/a"),
        Found::Method(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"].map(str::to_owned).to_vec())
    );
    assert_eq!(found("GET", "/c/d"), Found::Nothing);
    assert!(
        matches!(found("DELETE", "/a"), Found::Route(found) if found.route == 2),
        "the method decides over the path's rank"
    );
    assert!(matches!(found("HEAD", "/a"), Found::Route(found) if found.route == 0));
    assert!(matches!(found("BREW", "/b"), Found::Route(_)));
}

#[test]
fn conditions_choose_between_routes_of_one_path() {
    let mut beta = route("/a", &[]);
    beta.name = "beta".into();
    beta.conditions = vec![ConditionSpec::Cookie("beta".into(), Expected::Like("1*".into()))];
    let mut both = beta.clone();
    both.name = "both".into();
    both.conditions.push(ConditionSpec::Query("v".into(), Expected::Present));
    let table = Table::new(vec![route("/a", &[]), beta, both]);
    let mut fields = Fields::new();
    fields.append("Cookie", "x=y; beta=\"12\"");
    let found = |path: &str, fields: &Fields| match table.find(&subject("GET", "h", path, fields)) {
        Found::Route(found) => table.routes()[found.route].name.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(found("/a", &Fields::new()), "/a");
    assert_eq!(found("/a", &fields), "beta");
    assert_eq!(found("/a?w=1&v", &fields), "both");
}

#[test]
fn an_explanation_says_of_each_route_why() {
    let mut guarded = route("GET /a/b", &[]);
    guarded.conditions = vec![ConditionSpec::Secure(true)];
    let table = Table::new(vec![
        route("/*", &[]),
        route("/a/{n:int}", &[]),
        route("POST /a/b", &[]),
        guarded,
        route("/a/b", &["other"]),
        route("/a", &[]),
        route("/a/b/c", &[]),
        route("/a/b", &[]),
        route("/a/b", &["h"]),
    ]);
    let fields = Fields::new();
    let path = |segment, why: &str| Verdict::Path { segment, why: why.into() };
    assert_eq!(
        table.explain(&subject("GET", "h", "/a/b", &fields)).verdicts,
        [
            Verdict::Behind("host"),
            path(2, "\"b\" is no int"),
            Verdict::Method,
            Verdict::Condition("scheme https".into()),
            Verdict::Host,
            path(2, "the path goes on"),
            path(3, "the path ends before it"),
            Verdict::Behind("host"),
            Verdict::Taken,
        ]
    );
}

#[test]
fn templates_are_filled_in_as_their_place_asks() {
    let spec = route("/u/{id}/{rest*}", &[]);
    let table = Table::new(vec![spec.clone()]);
    let mut fields = Fields::new();
    fields.append("X-A", "a\tb");
    let subject = subject("GET", "Example.org:80", "/u/a b%2F?#/c/d", &fields);
    let subject = Subject { path: "/u/a b%2F?#/c/d".as_bytes(), query: Some(b"q=%20x%0Ay"), ..subject };
    let Found::Route(found) = table.find(&subject) else { panic!() };
    let values = Values {
        subject: &subject,
        found: &found,
        route: &spec,
        uri: b"/u/a%20b%2F%3F%23/c/d?q=%20x%0Ay",
        user: Some("ann"),
        request_id: "7",
        defaults: &[],
    };
    let filled =
        |text: &str, place| String::from_utf8(render(&text.parse().unwrap(), &values, place)).unwrap();
    assert_eq!(
        filled("https://{host}{uri}", Place::Url),
        "https://example.org/u/a%20b%2F%3F%23/c/d?q=%20x%0Ay"
    );
    assert_eq!(filled("https://{authority}/", Place::Url), "https://example.org:80/");
    assert_eq!(filled("/v/{id}/{rest}{?query}", Place::Url), "/v/a%20b%2F%3F%23/c/d?q=%20x%0Ay");
    assert_eq!(filled("/{query.q}", Place::Url), "/%20x%0Ay");
    assert_eq!(filled("{query.q}|{id}|{header.x-a}", Place::Header), " xy|a b/?#|a\tb");
    assert_eq!(
        filled("{user}.{id}.{client}.{scheme}.{route}", Place::Text),
        "ann.a b/?#.192.0.2.1.http./u/{id}/{rest*}"
    );
}

#[test]
fn parameters_are_checked_all_at_once_and_defaults_are_told() {
    let mut spec = route("/u/{id}", &[]);
    let parameter = |name: &str, place, kind, required, default: Option<&str>| ParameterSpec {
        name: name.into(),
        place,
        kind,
        required,
        default: default.map(str::to_owned),
        description: None,
    };
    let string =
        |pattern: &str| ParameterKind::String { min: None, max: Some(3), pattern: Some(pattern.into()) };
    spec.parameters = vec![
        parameter("id", ParameterPlace::Path, string("[a-z]+"), true, None),
        parameter(
            "ttl",
            ParameterPlace::Query,
            ParameterKind::Int { min: Some(1), max: None },
            false,
            Some("60"),
        ),
        parameter("X-Day", ParameterPlace::Header, ParameterKind::Date, true, None),
    ];
    let table = Table::new(vec![spec.clone()]);
    let check = ParameterCheck::new(&spec);
    let asked = |path: &str, fields: &Fields| {
        let subject = subject("GET", "h", path, fields);
        let Found::Route(found) = table.find(&subject) else { panic!() };
        check
            .check(&subject, &found)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let mut fields = Fields::new();
    fields.append("x-day", "2024-02-29");
    assert_eq!(asked("/u/abc", &fields), Ok(vec![("ttl".into(), "60".into())]));
    assert_eq!(asked("/u/abc?ttl=5", &fields), Ok(vec![]));
    assert_eq!(
        asked("/u/A?ttl=0&ttl=1", &Fields::new()),
        Err(vec![
            "path parameter \"id\": it must match [a-z]+".into(),
            "query parameter \"ttl\": it is there more than once".into(),
            "query parameter \"ttl\": it must be at least 1".into(),
            "header parameter \"X-Day\": it is required".into(),
        ])
    );
    for wrong in ["2023-02-29", "2024-13-01", "2024-1-1", "2024-04-31"] {
        let mut fields = Fields::new();
        fields.append("x-day", wrong);
        assert!(asked("/u/abc", &fields).is_err(), "{wrong}");
    }
}

#[test]
fn a_rate_lets_the_burst_through_and_then_the_rate() {
    let mut limiter = RateLimiter::new("2/s".parse().unwrap(), 3, 10);
    let at = Duration::from_millis;
    assert!((0..3).all(|_| limiter.ask(b"a", at(0)).is_ok()));
    assert_eq!(limiter.ask(b"a", at(0)).unwrap_err().retry_after, at(500));
    assert_eq!(limiter.ask(b"a", at(400)).unwrap_err().retry_after, at(100));
    assert!(limiter.ask(b"b", at(400)).is_ok(), "others are counted apart");
    assert!(limiter.ask(b"a", at(500)).is_ok() && limiter.ask(b"a", at(500)).is_err());
    assert!((0..3).all(|_| limiter.ask(b"a", at(10_000)).is_ok()), "silence gives the burst back");
}

#[test]
fn keys_beyond_the_room_push_out_who_is_least_ahead() {
    let mut limiter = RateLimiter::new("1/d".parse().unwrap(), 1, 3);
    for key in 0u8..10 {
        limiter.ask(&[key], Duration::from_secs(key.into())).unwrap();
        assert!(limiter.len() <= 3);
    }
    assert_eq!(limiter.forgotten(), 7);
    assert!(
        limiter.ask(&[9], Duration::from_secs(10)).is_err()
            && limiter.ask(&[0], Duration::from_secs(10)).is_ok()
    );
}

#[test]
fn cors_names_the_origin_or_says_nothing() {
    let mut spec = CorsSpec {
        origins: vec!["https://*.example.org".into()],
        methods: vec![],
        headers: vec![],
        expose: vec![],
        credentials: true,
        max_age: Duration::from_secs(60),
    };
    let cors = Cors::new(&spec, &[Method::new("PUT").unwrap()]);
    let mut fields = Fields::new();
    assert_eq!(cors.answer(&fields), CorsAnswer::Nobody);
    fields.append("Origin", "https://a.example.org");
    fields.append("Access-Control-Request-Method", "PUT");
    fields.append("Access-Control-Request-Headers", "x-a, x-b");
    let CorsAnswer::Allowed(headers) = cors.preflight(&fields) else { panic!() };
    let value = |name: &str| headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
    assert_eq!(value("Access-Control-Allow-Origin"), Some("https://a.example.org"));
    assert_eq!(value("Access-Control-Allow-Methods"), Some("PUT"));
    assert_eq!(value("Access-Control-Allow-Headers"), Some("x-a, x-b"));
    assert_eq!(value("Access-Control-Allow-Credentials"), Some("true"));
    assert!(cors.varies());
    fields.set("Origin", "https://example.org.evil");
    assert_eq!(cors.answer(&fields), CorsAnswer::Refused);
    (spec.origins, spec.credentials) = (vec!["*".into()], false);
    let open = Cors::new(&spec, &[]);
    assert_eq!(open.answer(&fields), CorsAnswer::Allowed(vec![("Access-Control-Allow-Origin", "*".into())]));
    assert!(!open.varies());
}

/// By `htpasswd -nbB -C 5`, `openssl passwd -5` and `-6`, `htpasswd -nbs`, and `sha256sum`.
#[test]
fn passwords_are_known_in_each_form() {
    let text = "a:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC\n\
        b:$5$saltsalt$YW/n/K0cSgMAfFtICJGzMrhC/aO/ATcWWKDFNmhFVd/\n\
        s:{SHA}C+7Hteo/D9vJXQ3UfzxbwnXaijM=\n\
        t:sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\n";
    let table = PasswordTable::new(password_lines(text).unwrap());
    assert!(table.password("s").is(b"foo") && !table.password("s").is(b"bar"));
    assert!(table.password("t").is(b"foo") && !table.password("nobody").is(b"foo"));
    assert_eq!((table.token_of(b"foo"), table.token_of(b"bar")), (Some("t"), None));
    assert!(!table.password("a").is(b"foo") && !table.password("b").is(b"wrong"));
    let line =
        PasswordLine { name: "x".into(), hash: PasswordHash::Bcrypt(bcrypt::hash("pass", 4).unwrap()) };
    let table = PasswordTable::new(vec![line]);
    assert!(table.password("x").is(b"pass") && !table.password("x").is(b"Pass"));
    // By crypt(3) of glibc.
    for hash in [
        "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ] {
        let line = PasswordLine { name: "x".into(), hash: PasswordHash::ShaCrypt(hash.into()) };
        assert!(PasswordTable::new(vec![line]).password("x").is(b"Hello world!"), "{hash}");
    }
}

#[test]
fn queries_are_read_as_forms_write_them() {
    assert_eq!(query_value(b"a=1&b=x+y%21&a=2&c", "b"), Some(b"x y!".to_vec()));
    assert_eq!(
        (query_value(b"a=1&a=2", "a"), query_value(b"c&d", "c"), query_value(b"", "a")),
        (Some(b"1".to_vec()), Some(vec![]), None)
    );
    assert_eq!(query_value(b"a=%zz%4", "a"), Some(b"%zz%4".to_vec()));
}
