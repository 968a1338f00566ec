//! `examples/rtmonitor`: a worker that only publishes moves charts in a browser, on whichever server it runs.

use rustix::process::Signal;

use super::{look, one, program, three, url};
use crate::harness::process;

#[test]
fn charts_of_one_server_move_and_outlive_its_gateways() {
    let instance = one("rtmonitor");
    look(program(&instance, "rtmonitor.mjs", &["one", &url(&instance)]), |wish| {
        assert_eq!(wish, "kill the gateways");
        for gateway in instance.pids("edge") {
            process::signal(gateway, Signal::KILL);
        }
    });
    instance.end();
}

#[test]
fn the_page_of_one_server_shows_all_and_says_which_is_away() {
    let mut servers = three("rtmonitor");
    look(program(&servers.all[0], "rtmonitor.mjs", &["herd", &url(&servers.all[0])]), |wish| {
        assert_eq!(wish, "kill n1");
        drop(servers.all.remove(1));
    });
    servers.end();
}
