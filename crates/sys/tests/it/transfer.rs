//! Files that are found beneath a folder and nowhere else, and sent by the kernel.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;

use remuda_sys::transfer::{
    Links, is_in_memory, is_no_such_file, open_beneath, open_folder, receive, send_file, send_with_more,
};

fn content(file: io::Result<File>) -> io::Result<String> {
    let mut text = String::new();
    file?.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn nothing_above_a_folder_is_opened_whatever_the_path_and_the_links() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    fs::write(folder.path().join("secret"), "secret").unwrap();
    fs::write(inside.join("a"), "a").unwrap();
    symlink("a", inside.join("link")).unwrap();
    symlink("../secret", inside.join("out")).unwrap();
    let root = open_folder(&inside).unwrap();
    let open = |path: &str, links| content(open_beneath(&root, path.as_bytes(), links));
    for links in [Links::None, Links::Beneath, Links::All] {
        assert_eq!(open("a", links).unwrap(), "a");
        for path in ["../secret", "/etc/passwd", "x/../../secret", "a/b", "nothing", "a\0b"] {
            let error = open(path, links).unwrap_err();
            assert!(
                is_no_such_file(&error) || error.kind() == io::ErrorKind::InvalidInput,
                "{path}: {error}"
            );
        }
    }
    assert!(is_no_such_file(&open("link", Links::None).unwrap_err()));
    assert_eq!(open("link", Links::Beneath).unwrap(), "a");
    assert!(is_no_such_file(&open("out", Links::Beneath).unwrap_err()));
    assert_eq!(open("out", Links::All).unwrap(), "secret");
    assert!(open_folder(&inside.join("a")).is_err());
}

#[test]
fn a_file_is_sent_from_its_place_on_and_its_end_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "0123456789").unwrap();
    let (near, mut far) = UnixStream::pair().unwrap();
    assert_eq!(send_with_more(&near, b"head ").unwrap(), 5);
    let mut offset = 4;
    assert_eq!(send_file(&near, file.as_file(), &mut offset, 100).unwrap(), 6);
    assert_eq!((offset, send_file(&near, file.as_file(), &mut offset, 100).unwrap()), (10, 0));
    drop(near);
    let mut read = String::new();
    far.read_to_string(&mut read).unwrap();
    assert_eq!(read, "head 456789");
    // What was just written is in memory, and behind the end there is nothing to wait for.
    assert!(is_in_memory(file.as_file(), 3) && is_in_memory(file.as_file(), 10));
}

#[test]
fn what_is_there_is_received_into_the_room_there_is() {
    let (near, far) = UnixStream::pair().unwrap();
    let mut buffer = Vec::with_capacity(4);
    let room = buffer.capacity();
    assert_eq!(receive(&near, &mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    (&far).write_all(b"more than there is room for, whatever that is").unwrap();
    assert_eq!(receive(&near, &mut buffer).unwrap(), room);
    assert_eq!(buffer, &b"more than there is room for"[..room]);
    drop(far);
    let mut rest = Vec::with_capacity(100);
    receive(&near, &mut rest).unwrap();
    assert_eq!(receive(&near, &mut rest).unwrap(), 0, "the other side has ended");
}
