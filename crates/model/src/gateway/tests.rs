//! The small words: what they stand for, how they are written, and where they say that something is wrong.

use proptest::prelude::*;

use super::{
    Action, FilesSpec, GatewaySpec, HeaderName, HostPattern, IpRange, Method, Page, Pattern, Rate, RouteSpec,
    Segment, SegmentKind, ServerAddress, Template, TemplatePart, Variable,
};

fn pattern(text: &str) -> Pattern {
    text.parse().expect(text)
}

#[test]
fn a_pattern_is_a_list_of_segments() {
    let parameter = |name: &str, kind, prefix: &str, suffix: &str| Segment::Parameter {
        prefix: prefix.into(),
        name: name.into(),
        kind,
        suffix: suffix.into(),
    };
    assert_eq!(
        pattern("/u/{id:int}/v{n}.json").segments(),
        [
            Segment::Text("u".into()),
            parameter("id", SegmentKind::Int, "", ""),
            parameter("n", SegmentKind::Any, "v", ".json")
        ]
    );
    assert_eq!(pattern("/").segments(), [Segment::Text(String::new())]);
    assert_eq!(pattern("/a/").segments(), [Segment::Text("a".into()), Segment::Text(String::new())]);
    for text in ["/s/*", "/s/{rest*}", "/s/{rest:rest}"] {
        assert_eq!(pattern(text).rest(), Some("rest"), "{text}");
    }
    assert_eq!(pattern("*").as_str(), "/*");
    assert!(pattern("/a/b").is_exact() && !pattern("/a/*").is_exact());
}

#[test]
fn what_is_wrong_with_a_pattern_is_told_with_its_column() {
    for (text, column, words) in [
        ("about", 1, "begins with"),
        ("", 1, "begins with"),
        ("/a/{id", 4, "pairs"),
        ("/a/id}", 6, "pairs"),
        ("/a/{}", 5, "no name"),
        ("/a/{1d}", 5, "no name"),
        ("/a/{id:}", 8, "no type"),
        ("/a/{id:float}", 8, "no type"),
        ("/{a}/{a}", 6, "two parameters"),
        ("/{a}{b}", 5, "one parameter"),
        ("/*/a", 2, "last segment"),
        ("/a*", 3, "last segment"),
        ("/x{r*}", 3, "last segment"),
        ("/a?b=1", 3, "query"),
        ("/a b", 3, "percent-encode"),
        ("/ü/{x", 2, "percent-encode"),
        ("/%2", 2, "hexadecimal"),
        ("/a/../b", 4, "\"..\""),
    ] {
        let error = text.parse::<Pattern>().expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn a_parameter_takes_what_its_type_says() {
    let takes = |kind: SegmentKind, yes: &[&str], no: &[&str]| {
        yes.iter().for_each(|text| assert!(kind.is(text), "{text}"));
        no.iter().for_each(|text| assert!(!kind.is(text), "{text}"));
    };
    takes(
        SegmentKind::Int,
        &["0", "-7", "9223372036854775807"],
        &["", "+1", "1.0", "9223372036854775808", "x"],
    );
    takes(SegmentKind::Alpha, &["aZ"], &["", "a1", "ä"]);
    takes(SegmentKind::Any, &["ä", "."], &[""]);
    takes(
        SegmentKind::Uuid,
        &["01234567-89ab-cdef-0123-456789ABCDEF"],
        &["0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789ABCDEG", ""],
    );
}

#[test]
fn a_host_is_a_name_or_all_below_one() {
    let host = |text: &str| text.parse::<HostPattern>().expect(text);
    assert!(host("Example.org.").matches("example.org"));
    assert!(
        host("*.example.org").matches("a.b.example.org") && !host("*.example.org").matches("example.org")
    );
    assert!(
        !host("*.example.org").matches("badexample.org") && !host("*.example.org").matches(".example.org")
    );
    assert_eq!(host("[0:0:0:0:0:0:0:1]").as_str(), "[::1]");
    for wrong in ["", "a:80", "*", "a.*.b", "a..b", "a b", "[::1", "-_-.\u{e4}"] {
        assert!(wrong.parse::<HostPattern>().is_err(), "{wrong}");
    }
}

#[test]
fn a_range_holds_the_addresses_that_begin_like_it() {
    let range = |text: &str| text.parse::<IpRange>().expect(text);
    let within = |text: &str, address: &str| range(text).contains(address.parse().unwrap());
    assert!(within("10.0.0.0/8", "10.255.0.1") && !within("10.0.0.0/8", "11.0.0.0"));
    assert!(within("10.0.0.0/8", "::ffff:10.1.1.1"), "an IPv4 address that came by an IPv6 socket");
    assert!(within("0.0.0.0/0", "1.2.3.4") && !within("0.0.0.0/0", "::1") && within("::/0", "::1"));
    assert!(within("192.0.2.1", "192.0.2.1") && !within("192.0.2.1", "192.0.2.2"));
    assert!("10.0.0.1/8".parse::<IpRange>().unwrap_err().to_string().contains("10.0.0.0/8"));
    assert!("10.0.0.0/33".parse::<IpRange>().is_err() && "x".parse::<IpRange>().is_err());
}

#[test]
fn a_template_is_taken_apart() {
    let parts = |text: &str| text.parse::<Template>().expect(text).parts().to_vec();
    assert_eq!(
        parts("https://{host}{uri}"),
        [
            TemplatePart::Text("https://".into()),
            TemplatePart::Variable(Variable::Host),
            TemplatePart::Variable(Variable::Uri)
        ]
    );
    assert_eq!(
        parts("{{{id}}}"),
        [
            TemplatePart::Text("{".into()),
            TemplatePart::Variable(Variable::Parameter("id".into())),
            TemplatePart::Text("}".into())
        ]
    );
    assert_eq!(parts("{header.X-A}"), [TemplatePart::Variable(Variable::Header("x-a".into()))]);
    for (text, words) in [
        ("a{b", "column 2"),
        ("a}b", "column 2"),
        ("{}", "{} at column 1"),
        ("ü{a b}", "column 2"),
        ("{query.}", "stands for nothing"),
        ("{other.x}", "stands for nothing"),
    ] {
        let error = text.parse::<Template>().expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn other_words_say_what_they_are() {
    assert_eq!("20/m".parse::<Rate>().unwrap().interval().as_secs(), 3);
    for wrong in ["", "20", "0/s", "1/w", "1000001/s", "-1/s"] {
        assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
    }
    assert!(Method::new("get").unwrap_err().to_string().contains("GET") && Method::new("GET/X").is_err());
    assert!(
        HeaderName::new("X-A").unwrap() == HeaderName::new("x-a").unwrap() && HeaderName::new("X:").is_err()
    );
    for good in ["127.0.0.1:9000", "[::1]:9000", "api.internal:80", "unix:/run/x.sock", "unix:@name"] {
        assert_eq!(good.parse::<ServerAddress>().expect(good).to_string(), good);
    }
    for wrong in ["", "8080", ":8080", "*:80", "host", "host:0", "host:x", "udp:1.2.3.4:5"] {
        assert!(wrong.parse::<ServerAddress>().is_err(), "{wrong}");
    }
}

#[test]
fn a_spec_reads_back() {
    let mut spec = GatewaySpec::default();
    let files = Action::Files(Box::new(FilesSpec::new("/srv/www".into())));
    spec.routes.push(RouteSpec::new("static", pattern("/static/{file*}"), files));
    spec.routes.push(RouteSpec::new("docs", pattern("/docs"), Action::Page(Page::Docs)));
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<GatewaySpec>(&text).unwrap(), spec);
}

proptest! {
    #[test]
    fn no_text_stops_the_parsers(text in "\\PC{0,40}", braces in "[/{}a:*%.?]{0,40}") {
        for text in [&text, &braces] {
            let _ = text.parse::<Pattern>();
            let _ = text.parse::<Template>();
            let _ = text.parse::<HostPattern>();
            let _ = text.parse::<IpRange>();
            let _ = text.parse::<Rate>();
            let _ = text.parse::<ServerAddress>();
        }
    }

    #[test]
    fn a_text_made_literal_is_constant(text in "\\PC{0,40}") {
        let template = Template::literal(&text);
        prop_assert_eq!(template.constant(), Some(text.as_str()));
        let parsed = template.as_str().parse::<Template>();
        prop_assert_eq!(parsed.as_ref().ok().and_then(Template::constant), Some(text.as_str()));
    }

    #[test]
    fn a_range_holds_its_own_address(bits: u32, length in 0u32..=32) {
        let address = std::net::Ipv4Addr::from_bits(bits & u32::MAX.checked_shl(32 - length).unwrap_or(0));
        let range = format!("{address}/{length}").parse::<IpRange>().unwrap();
        prop_assert!(range.contains(address.into()));
        prop_assert_eq!(range.to_string().parse::<IpRange>().unwrap(), range);
    }
}
