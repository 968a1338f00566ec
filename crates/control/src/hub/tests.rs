//! What a hub may answer, and that none of it keeps us.

use remuda_model::hub::HubMetrics;
use remuda_model::view;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

use super::figures;
use super::session::ANSWER_BYTES_MAX;

/// What we make of a hub that answers with `answer` and then says nothing more.
async fn figures_of(answer: Vec<u8>) -> Option<HubMetrics> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let hub = view::Hub {
        herd: vec![],
        bus: vec![],
        bus_pub: None,
        bus_pull: None,
        store: vec![format!("unix://{}", path.display())],
    };
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = [0; 22];
        stream.read_exact(&mut question).await.unwrap();
        // Whoever is given up has closed.
        let _ = stream.write_all(&answer).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        figures = figures(&hub) => figures,
        () = serve => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn figures_are_read_from_a_bulk_string_and_anything_else_is_no_figure() {
    let metrics = HubMetrics { run_id: "a".to_owned(), uptime_ms: 7, ..HubMetrics::default() };
    let text = serde_json::to_string(&metrics).unwrap();
    let bulk = format!("${}\r\n{text}\r\n", text.len());
    assert_eq!(figures_of(bulk.into_bytes()).await, Some(metrics));
    for wrong in
        ["-NOAUTH Authentication required.\r\n", "$2\r\n{}\r\n", "HTTP/1.1 400\r\n\r\n", "$-1\r\n", ""]
    {
        assert_eq!(figures_of(wrong.as_bytes().to_vec()).await, None, "{wrong}");
    }
    let long = format!("${}\r\n", ANSWER_BYTES_MAX + 1);
    assert_eq!(figures_of(long.into_bytes()).await, None);
}

#[tokio::test]
async fn a_hub_that_is_not_there_has_no_figures() {
    let store = vec!["redis://127.0.0.1:1".to_owned(), "unix:///nowhere/store.sock".to_owned()];
    assert_eq!(
        figures(&view::Hub { bus: vec![], bus_pub: None, bus_pull: None, store, herd: vec![] }).await,
        None
    );
}
