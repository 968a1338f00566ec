//! URLs of engines.

use proptest::prelude::*;

use super::{EngineKind, EngineUrl, EngineUrlError};
use crate::hub::Engine;

fn url(text: &str) -> EngineUrl {
    text.parse().unwrap()
}

#[test]
fn a_url_is_taken_apart_and_shows_no_password() {
    let there = url("redis://al%40ice:p%3Aw@cache.example/3");
    assert_eq!((there.host.as_str(), there.port, there.database), ("cache.example", 6379, 3));
    assert_eq!((there.user.as_deref(), there.password.as_deref()), (Some("al@ice"), Some("p:w")));
    assert_eq!(format!("{there} {there:?}"), "redis://cache.example:6379 redis://cache.example:6379");
    let only = url("redis://:secret@[::1]:7000");
    assert_eq!((&only.user, only.password.as_deref(), only.port), (&None, Some("secret"), 7000));
    assert_eq!(only.to_string(), "redis://[::1]:7000");
    let token = url("nats://t0ken@mq");
    assert_eq!((token.kind, token.port, token.user.as_deref()), (EngineKind::Nats, 4222, Some("t0ken")));
    assert_eq!(token.password, None);
    let postgres = url("postgres://me:p%3Fw@db/own%20name?sslmode=prefer");
    assert_eq!((postgres.kind, postgres.port), (EngineKind::Postgres, 5432));
    assert_eq!((postgres.catalog.as_deref(), postgres.password.as_deref()), (Some("own name"), Some("p?w")));
    assert_eq!(postgres.to_string(), "postgres://db:5432");
    let etcd = url("etcd://root:pw@kv");
    assert_eq!((etcd.kind, etcd.port, etcd.catalog), (EngineKind::Etcd, 2379, None));
}

#[test]
fn what_cannot_be_used_is_refused_with_its_reason() {
    let error = |text: &str| text.parse::<EngineUrl>().unwrap_err();
    assert_eq!(error("rediss://host"), EngineUrlError::Tls { plain: "redis" });
    assert_eq!(error("tls://host"), EngineUrlError::Tls { plain: "nats" });
    for other in ["", "redis", "db:6379", "http://host", "REDIS://host"] {
        assert_eq!(error(other), EngineUrlError::Scheme, "{other}");
    }
    for nowhere in ["redis://", "redis://:pw@", "nats://a b", "redis://[::1"] {
        assert_eq!(error(nowhere), EngineUrlError::Host, "{nowhere}");
    }
    for port in ["redis://host:0", "redis://host:65536", "redis://host:x", "redis://[::1]7"] {
        assert_eq!(error(port), EngineUrlError::Port, "{port}");
    }
    assert_eq!(error("redis://host/x"), EngineUrlError::Database);
    assert_eq!(error("nats://host/1"), EngineUrlError::Path { scheme: "nats" });
    assert_eq!(error("etcd://host/1"), EngineUrlError::Path { scheme: "etcd" });
    assert_eq!(error("etcds://host"), EngineUrlError::Tls { plain: "etcd" });
    for mode in ["require", "verify-ca", "verify-full"] {
        assert_eq!(error(&format!("postgres://me@host/db?sslmode={mode}")), EngineUrlError::SslMode);
    }
    assert_eq!(error("postgres://me@host/db?connect_timeout=1"), EngineUrlError::Query);
    assert_eq!(error("postgres://host/db"), EngineUrlError::NoUser);
    assert_eq!(error("etcd://me@host"), EngineUrlError::NoPassword);
    assert_eq!(error("redis://host?db=1"), EngineUrlError::Query);
    assert_eq!(error("nats://a:1,b:2"), EngineUrlError::Several);
    assert_eq!(error("redis://a%zz@host"), EngineUrlError::Encoding);
    assert_eq!(error("redis://secret@host"), EngineUrlError::NoPassword);
}

#[test]
fn an_engine_shows_no_password() {
    let shown = |text: &str| text.parse::<Engine>().unwrap().to_string();
    assert_eq!(shown("embedded"), "embedded");
    assert_eq!(shown("redis://db:6379/2"), "redis://db:6379/2");
    assert_eq!(shown("redis://me:p@ss:w@db:6379/2"), "redis://me:***@db:6379/2");
    assert_eq!(shown("nats://sesame@db"), "nats://***@db");
    assert_eq!(shown("postgres://me:pw@db/x?sslmode=disable"), "postgres://me:***@db/x?sslmode=disable");
    assert_eq!(shown("postgres://me:pw@db?sslmode=disable"), "postgres://me:***@db?sslmode=disable");
}

proptest! {
    #[test]
    fn no_text_shows_its_password(user in "[a-z]{0,4}", secret in "[A-Z]{6,12}", host in "[a-z]{1,8}", number in 0..20_u32) {
        let text = format!("redis://{user}:{secret}@{host}/{number}");
        let engine: Engine = text.parse().unwrap();
        let shown = format!("{engine} {engine:?}");
        prop_assert!(!shown.contains(&secret));
        prop_assert_eq!(engine.external().and_then(|url| url.password.clone()), Some(secret));
        let settings: String = engine.clone().into();
        prop_assert_eq!(&settings, &text);
        prop_assert_eq!(settings.parse::<Engine>(), Ok(engine));
    }

    #[test]
    fn any_text_is_taken_apart_or_refused(text in "(redis|nats|tls|postgres|etcd)://[ -~]{0,40}") {
        if let Err(error) = text.parse::<EngineUrl>() {
            prop_assert!(!error.to_string().contains(&text));
        }
    }
}
