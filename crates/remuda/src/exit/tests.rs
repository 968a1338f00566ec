//! A panic ends the program.

use std::process::Command;

use super::end_on_panic;

const WANTED: &str = "REMUDA_TEST_PANICS";

#[test]
fn a_panic_in_any_thread_ends_the_program_with_101() {
    if std::env::var_os(WANTED).is_some() {
        end_on_panic();
        let thread = std::thread::spawn(|| panic!("on purpose"));
        let outlived = thread.join();
        unreachable!("the program has outlived a panic: {outlived:?}");
    }
    let name = "exit::tests::a_panic_in_any_thread_ends_the_program_with_101";
    let mut program = Command::new(std::env::current_exe().unwrap());
    let ended = program.args([name, "--exact", "--nocapture"]).env(WANTED, "1").output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(101), "{said}");
    assert!(said.contains("on purpose") && !said.contains("outlived"), "{said}");
}
