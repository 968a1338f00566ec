//! Folders and secrets, as they are found and made.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::process::Command;

use remuda_model::hub::SECRET_FILE;
use remuda_sys::users::effective_user;

use super::{HubError, own_folder, secret_in};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_secret_is_made_once_and_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = secret_in(folder.path()).unwrap();
    assert_eq!(mode(&folder.path().join(SECRET_FILE)), 0o600);
    assert_eq!(secret_in(folder.path()).unwrap(), first);
    let other = tempfile::tempdir().unwrap();
    assert_ne!(secret_in(other.path()).unwrap(), first);
}

#[test]
fn a_secret_that_others_can_read_or_that_is_damaged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(SECRET_FILE);
    secret_in(folder.path()).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    assert!(matches!(secret_in(folder.path()), Err(HubError::Exposed { mode: 0o640, .. })));
    std::fs::write(&path, "short\n").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let refused = secret_in(folder.path()).unwrap_err();
    assert!(matches!(refused, HubError::Damaged(_)));
    assert!(!refused.to_string().contains("short"), "what is in it is not shown");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "short\n", "it is left as it is");
}

#[test]
fn a_folder_is_made_for_its_owner_alone_below_ones_to_walk_through() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("a/b/hub");
    own_folder(&path, None, effective_user()).unwrap();
    assert_eq!((mode(&path), mode(&base.path().join("a"))), (0o700, 0o711));
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    own_folder(&path, None, effective_user()).unwrap();
    assert_eq!(mode(&path), 0o700);
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("hub");
    own_folder(&path, None, effective_user()).unwrap();
    std::fs::write(path.join("data"), "x").unwrap();
    let somebody = effective_user() + 1;
    let refused = own_folder(&path, Some((somebody, somebody)), effective_user()).unwrap_err();
    assert!(matches!(refused, HubError::Owner { .. }), "{refused}");
    assert!(refused.to_string().contains(&format!("chown -R {somebody} ")), "{refused}");
}

#[test]
fn a_folder_in_one_of_somebody_else_is_refused() {
    if effective_user() != 0 {
        return;
    }
    let base = tempfile::tempdir().unwrap();
    let above = base.path().join("theirs");
    std::fs::create_dir(&above).unwrap();
    chown(&above, Some(12_345), None).unwrap();
    let path = above.join("hub");
    let refused = own_folder(&path, Some((12_345, 12_345)), effective_user()).unwrap_err();
    assert!(matches!(refused, HubError::Above { owner: 12_345, .. }), "{refused}");
    assert!(!path.exists(), "nothing was made or given away");
}

#[test]
fn what_the_hubs_user_put_in_the_place_of_the_secret_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, precious) = (folder.path().join(SECRET_FILE), folder.path().join("precious"));
    std::fs::write(&precious, "theirs").unwrap();
    symlink(&precious, folder.path().join(format!(".{SECRET_FILE}.{}.tmp", std::process::id()))).unwrap();
    secret_in(folder.path()).unwrap();
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "theirs");
    std::fs::remove_file(&path).unwrap();
    symlink(&precious, &path).unwrap();
    assert!(matches!(secret_in(folder.path()), Err(HubError::Damaged(_))));
    std::fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap().success());
    assert!(matches!(secret_in(folder.path()), Err(HubError::Damaged(_))), "and nobody waits for its writer");
}
