//! Datagrams at a real socket.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, SystemTime};

use log::Level;
use proptest::prelude::{any, prop_assert, proptest};

use super::{Syslog, rfc5424};
use crate::logging::{Line, Sink};

fn line(daemon: &str, loop_name: &str, message: &str) -> Line {
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_520_023_934_918_963);
    Line::new(at, Level::Warn, daemon, loop_name, &message)
}

#[test]
fn the_header_is_that_of_rfc_5424() {
    let text = rfc5424(&line("hub", "stats", "disk\nfull"), "goloman", 77);
    assert_eq!(text, "<28>1 2018-03-02T20:52:14.918963Z goloman hub 77 stats - disk\\nfull");
    let bare = rfc5424(&line("my hub", "", "x"), "", 1);
    assert_eq!(bare, "<28>1 2018-03-02T20:52:14.918963Z - myhub 1 - - x");
}

#[test]
fn a_syslog_server_that_was_replaced_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut sink = Syslog::at(&path);
    assert!(sink.deliver(&line("hub", "", "nobody listens")).is_err());
    for text in ["first server", "second server"] {
        let server = UnixDatagram::bind(&path).unwrap();
        server.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The first delivery after a replacement may still find the old socket; the courier offers the line again.
        let delivered = (0..2).any(|_| sink.deliver(&line("hub", "", text)).is_ok());
        assert!(delivered);
        let mut buffer = [0; 500];
        let length = server.recv(&mut buffer).unwrap();
        assert!(String::from_utf8_lossy(&buffer[..length]).ends_with(text));
        drop(server);
        std::fs::remove_file(&path).unwrap();
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_header(daemon in any::<String>(), loop_name in any::<String>(), host in any::<String>(), message in any::<String>()) {
        let text = rfc5424(&line(&daemon, &loop_name, &message), &host, 1);
        let mut fields = text.splitn(8, ' ');
        prop_assert!(fields.next() == Some("<28>1"));
        prop_assert!(fields.by_ref().take(5).all(|field| (1..=255).contains(&field.len()) && field.bytes().all(|b| b.is_ascii_graphic())));
        prop_assert!(fields.next() == Some("-"));
        prop_assert!(!text.contains('\n'));
    }
}
