//! What workers may answer, and that none of them keeps us.

use remuda_model::gateway::GatewayMetrics;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixListener;

use super::figures;

async fn answer(listener: &UnixListener, text: &str) {
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn workers_of_a_service_are_added_up_and_nonsense_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let bind = |name: &str| UnixListener::bind(folder.path().join(name)).unwrap();
    let (one, two, other) = (bind("edge.1.figures"), bind("edge.12.figures"), bind("api.v2.3.figures"));
    let (wrong, _elsewhere) = (bind("edge.4.figures"), bind("edge.1.sock"));
    std::fs::write(folder.path().join("edge.9.figures"), "no socket").unwrap();
    let text = serde_json::to_string(&GatewayMetrics { open: 3, ..GatewayMetrics::default() }).unwrap();
    let serve = async {
        tokio::join!(answer(&one, &text), answer(&two, &text), answer(&other, &text), answer(&wrong, "{]"));
    };
    let (all, ()) = tokio::join!(figures(folder.path()), serve);
    let told: Vec<_> = all.iter().map(|(name, it)| (name.as_str(), it.workers, it.metrics.open)).collect();
    assert_eq!(told, [("api.v2", 1, 3), ("edge", 2, 6)]);
}

#[tokio::test]
async fn a_worker_that_does_not_answer_does_not_keep_us() {
    let folder = tempfile::tempdir().unwrap();
    let _silent = UnixListener::bind(folder.path().join("edge.1.figures")).unwrap();
    assert!(figures(folder.path()).await.is_empty());
    assert!(figures(&folder.path().join("nowhere")).await.is_empty());
}
