//! Programs of others that the tests talk to; they are installed where they are missing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The virtual environment of the Python peers. With it come node, nginx and pebble.
pub(crate) fn venv() -> &'static Path {
    static VENV: OnceLock<PathBuf> = OnceLock::new();
    VENV.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/install");
        let output = Command::new(script).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tests/peers/install failed: {said}");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    })
}
