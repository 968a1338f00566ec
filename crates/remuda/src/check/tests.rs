//! Files that are there already.

use super::write_new;

#[test]
fn a_file_that_exists_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("remuda.toml");
    write_new(&path, "first").unwrap();
    let failure = write_new(&path, "second").unwrap_err().to_string();
    assert!(failure.contains("File exists") && failure.contains("move it away"), "{failure}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
}
