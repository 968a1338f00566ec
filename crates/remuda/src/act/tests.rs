//! What answers mean for the exit code, and how plans read.

use remuda_control::{Accepted, Answer};
use remuda_model::{Change, Plan, Refusal, Reply, ServiceChange};

use super::{exit_code, plan_text};
use crate::exit::Exit;

#[test]
fn the_exit_code_says_what_came_of_it() {
    let reply = |reply| exit_code(&Answer::Reply(reply));
    assert_eq!(exit_code(&Answer::Accepted(Accepted::Accepted)), Exit::Done);
    assert_eq!(reply(Reply::Done { lines: vec![] }), Exit::Done);
    assert_eq!(reply(Reply::Failed { lines: vec![] }), Exit::No);
    assert_eq!(reply(Reply::Refused(Refusal::BadConfig { reason: String::new() })), Exit::Misuse);
    assert_eq!(reply(Reply::Refused(Refusal::Stopping)), Exit::Refused);
}

#[test]
fn a_plan_is_a_line_for_each_change() {
    assert_eq!(plan_text(&Plan::default()), "nothing would change\n");
    let change = |name: &str, change| ServiceChange { name: name.parse().unwrap(), change };
    let services = vec![change("api", Change::Added), change("web", Change::Scaled { from: 2, to: 4 })];
    let plan = Plan { services, ..Plan::default() };
    assert_eq!(plan_text(&plan), "+ service api\n~ service web: workers 2 -> 4\n");
}
