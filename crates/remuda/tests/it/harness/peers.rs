//! Where the programs are that the tests run as workers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The repository's folder.
pub(crate) fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).expect("the package is two folders below the repository").to_owned()
}

/// The folder of the test workers.
pub(crate) fn workers() -> PathBuf {
    repository().join("tests/peers/workers")
}

/// The virtual environment with the Python peers; made if it is not there.
pub(crate) fn venv() -> &'static Path {
    static VENV: OnceLock<PathBuf> = OnceLock::new();
    VENV.get_or_init(|| {
        let output = Command::new(repository().join("tests/peers/install")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tests/peers/install failed: {said}");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    })
}

/// The folder of the hub's peers: `venv` of Python's, `node_modules` of node's; made if it is not there.
pub(crate) fn hub_peers() -> &'static Path {
    static PEERS: OnceLock<PathBuf> = OnceLock::new();
    PEERS.get_or_init(|| {
        let output = Command::new(repository().join("tests/peers/hub/install")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tests/peers/hub/install failed: {said}");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    })
}

/// The folder of the programs that talk to the hub.
pub(crate) fn hub_programs() -> PathBuf {
    repository().join("tests/peers/hub")
}

/// The folder with what drives a browser; made if it is not there.
pub(crate) fn dashboard_peers() -> &'static Path {
    static PEERS: OnceLock<PathBuf> = OnceLock::new();
    PEERS.get_or_init(|| {
        let output = Command::new(repository().join("tests/peers/dashboard/install")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tests/peers/dashboard/install failed: {said}");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    })
}
