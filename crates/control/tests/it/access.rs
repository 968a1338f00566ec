//! Who is answered, and how much anybody may take up.

use std::time::Duration;

use remuda_control::{Access, Client, ClientError};
use remuda_model::Refusal;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;

use crate::scripted::{Running, Scripted};

#[tokio::test]
async fn a_user_who_is_not_on_the_list_is_refused_by_name_and_nothing_happens() {
    let scripted = Scripted::new();
    let server = Running::start(&scripted, Access::only([4_000_000]));
    let refused = Client::connect(&server.path).await;
    let Err(ClientError::Refused(Refusal::NotAllowed { who })) = refused else { panic!("{refused:?}") };
    assert!(who.contains(&format!("pid {}", std::process::id())), "{who}");
    let (status, text) = server.ask("POST", "/v1/shutdown", "").await;
    assert_eq!(status, 403);
    assert!(text.contains(r#""code":"not-allowed""#), "{text}");
    assert_eq!(scripted.requests(), []);
    assert_eq!(scripted.events.newest(), 0);
    server.stop().await;
}

#[tokio::test]
async fn our_own_user_and_those_on_the_list_are_answered() {
    let own = remuda_sys::users::effective_user();
    for access in [Access::new([]), Access::only([own])] {
        let server = Running::start(&Scripted::new(), access);
        assert_eq!(server.client().await.about().await.unwrap().api, 1);
        server.stop().await;
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_their_turn() {
    let server = Running::open(&Scripted::new());
    let mut held = Vec::new();
    for _ in 0..256 {
        let mut stream = UnixStream::connect(&server.path).await.unwrap();
        stream.write_all(b"GET /v1 HTTP/1.1\r\n").await.unwrap();
        held.push(stream);
    }
    {
        let mut waiting = std::pin::pin!(server.ask("GET", "/v1", ""));
        let early = tokio::time::timeout(Duration::from_millis(200), waiting.as_mut()).await;
        assert!(early.is_err(), "{early:?}");
        held.clear();
        assert_eq!(waiting.await.0, 200);
    }
    server.stop().await;
}

#[tokio::test]
async fn nobody_there_is_told_with_the_socket_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let error = Client::connect(&path).await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("no remuda answers at {}: No such file or directory (os error 2)", path.display())
    );
}
