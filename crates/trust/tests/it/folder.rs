//! What is on the disk, and who may read it.

use std::os::unix::fs::PermissionsExt;

use remuda_herd::Epoch;
use remuda_trust::{FolderError, Founding, UpkeepError};

use crate::harness::{Node, at};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn nobody_else_sees_into_the_folder_and_what_is_there_is_not_overwritten() {
    let alpha = Node::founder("shop", "alpha");
    alpha.invite("127.0.0.1:1".parse().unwrap(), 1, false);
    assert_eq!(mode(alpha.path()), 0o700);
    for name in ["node.pem", "authority.pem", "trusted.pem", "member.json", "removals"] {
        assert_eq!(mode(&alpha.path().join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&alpha.path().join("invitations")), 0o700);
    let before = std::fs::read(alpha.path().join("authority.pem")).unwrap();
    let again =
        Founding { herd: "other".parse().unwrap(), node: "alpha".parse().unwrap(), addresses: Vec::new() };
    let error = remuda_trust::found(&alpha.folder, again.clone(), at(0)).unwrap_err();
    assert!(matches!(error, UpkeepError::Folder(FolderError::Member(_))), "{error}");
    // Neither when all but the authority's key is lost: that may be the last copy.
    std::fs::remove_file(alpha.path().join("node.pem")).unwrap();
    let error = remuda_trust::found(&alpha.folder, again, at(0)).unwrap_err();
    assert!(matches!(error, UpkeepError::Folder(FolderError::Member(_))), "{error}");
    assert_eq!(std::fs::read(alpha.path().join("authority.pem")).unwrap(), before);
    assert!(matches!(alpha.folder.open(), Err(FolderError::NoMember(_))));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let alpha = Node::founder("shop", "alpha");
    let path = alpha.path().join("authority.pem");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    assert!(matches!(alpha.folder.authority(), Err(FolderError::Exposed { mode: 0o640, .. })));
    std::fs::set_permissions(alpha.path().join("node.pem"), PermissionsExt::from_mode(0o604)).unwrap();
    assert!(alpha.folder.open().unwrap_err().to_string().contains("chmod 600"));
}

#[test]
fn damage_is_told_with_the_file() {
    let alpha = Node::founder("shop", "alpha");
    let other = Node::founder("shop", "omega");
    for name in ["node.pem", "trusted.pem", "member.json", "removals"] {
        let path = alpha.path().join(name);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, b"\xffnonsense").unwrap();
        let said = alpha.folder.open().unwrap_err().to_string();
        assert!(said.contains(name), "{said}");
        std::fs::write(&path, good).unwrap();
    }
    alpha.folder.open().unwrap();
    // A key that is not that of its certificate.
    let text = |node: &Node| std::fs::read_to_string(node.path().join("authority.pem")).unwrap();
    let (ours, theirs) = (text(&alpha), text(&other));
    let certificate = ours.split("-----BEGIN PRIVATE").next().unwrap();
    let key = theirs.split_once("-----BEGIN PRIVATE").unwrap().1;
    std::fs::write(alpha.path().join("authority.pem"), format!("{certificate}-----BEGIN PRIVATE{key}"))
        .unwrap();
    let said = alpha.folder.authority().unwrap_err().to_string();
    assert!(said.contains("the key is not that of the certificate"), "{said}");
}

#[test]
fn lives_are_counted_from_one_on_disk() {
    let alpha = Node::founder("shop", "alpha");
    assert_eq!(alpha.folder.next_epoch().unwrap(), Epoch(1));
    assert_eq!(alpha.folder.next_epoch().unwrap(), Epoch(2));
    assert_eq!(remuda_trust::Folder::in_state(alpha.disk()).next_epoch().unwrap(), Epoch(3));
    assert_eq!(alpha.folder.epoch_above(Epoch(9)).unwrap(), Epoch(10));
    assert_eq!(alpha.folder.epoch_above(Epoch(2)).unwrap(), Epoch(11));
    std::fs::write(alpha.path().join("epoch"), "many").unwrap();
    assert!(
        matches!(alpha.folder.next_epoch(), Err(FolderError::Damaged { .. })),
        "rather none than an old one"
    );
}

#[test]
fn two_that_change_the_folder_wait_for_each_other() {
    let alpha = Node::founder("shop", "alpha");
    let signers: Vec<_> = (0..4)
        .map(|_| {
            let folder = alpha.folder.clone();
            std::thread::spawn(move || {
                for _ in 0..5 {
                    folder.next_epoch().unwrap();
                }
            })
        })
        .collect();
    for signer in signers {
        signer.join().unwrap();
    }
    assert_eq!(alpha.folder.next_epoch().unwrap(), Epoch(21));
}
