//! Log files that are no files: written to, and left where they are.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::fs::OpenOptionsExt as _;

use crate::harness::Setup;

#[test]
fn a_log_that_goes_to_a_pipe_or_a_device_is_never_rotated() {
    let setup = Setup::new(
        "[service.web]\ncommand = [\"sh\", \"-c\", \"seq 1000 1999; echo all; exec sleep 600\"]\n\
         log = { file = \"pipe\", max_size = \"1KiB\", keep = 2 }\n",
    );
    setup.gate("pipe");
    let path = setup.dir().join("pipe");
    // A reader that does not wait for a writer.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap();
    let mut reader = OpenOptions::new().read(true).custom_flags(nonblocking).open(&path).unwrap();
    let mut instance = setup.up();
    instance.wait_line("all");
    instance.signal(rustix::process::Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!((text.lines().count(), text.lines().last()), (1001, Some("all")));
    assert!(std::fs::metadata(&path).unwrap().file_type().is_fifo());
    assert!(!instance.dir().join("pipe.1").exists());
    instance.assert_nothing_left();
}
