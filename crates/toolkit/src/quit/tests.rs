//! The wish, noticed in all three ways.

use std::io::Write;
use std::time::Duration;

use super::{Quit, Wake};

const FOREVER: Duration = Duration::MAX;

#[test]
fn who_waits_is_woken_when_somebody_asks() {
    let quit = Quit::new().unwrap();
    assert!(!quit.is_asked() && !quit.wait(Duration::ZERO));
    let waiter = std::thread::spawn({
        let quit = quit.clone();
        move || quit.wait(FOREVER)
    });
    quit.ask();
    quit.ask();
    assert!(waiter.join().unwrap() && quit.is_asked() && quit.wait(FOREVER));
}

#[test]
fn a_wait_on_a_socket_ends_by_data_by_time_and_by_the_wish() {
    let quit = Quit::new().unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    assert_eq!(quit.wait_readable(&reader, Duration::from_millis(1)).unwrap(), Wake::Elapsed);
    writer.write_all(b"x").unwrap();
    assert_eq!(quit.wait_readable(&reader, FOREVER).unwrap(), Wake::Readable);
    quit.ask();
    assert_eq!(quit.wait_readable(&reader, FOREVER).unwrap(), Wake::Quit);
    assert_eq!(quit.wait_readable(&reader, FOREVER).unwrap(), Wake::Quit, "the wish stays");
}
