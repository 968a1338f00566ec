//! All servers get another build, one after the other, while clients go on.

use super::super::five::Five;
use super::super::traffic::Traffic;
use super::all_is_well;

#[test]
fn all_servers_are_upgraded_one_after_the_other_and_nobody_misses_anything() {
    let five = Five::up();
    let traffic = Traffic::begin(&five.hubs());
    for server in &five.servers.all {
        let next = server.dir().join("remuda-next");
        // By a link: another name is another program, and the disk has room for one.
        std::fs::hard_link(env!("CARGO_BIN_EXE_remuda"), &next)
            .or_else(|_| std::fs::copy(env!("CARGO_BIN_EXE_remuda"), &next).map(drop))
            .unwrap();
        server.remuda(&["upgrade", "--to", "remuda-next"]).done();
        server.remuda(&["reload", "hub"]).done();
        let hub = server.pids("hub")[0];
        let program = std::fs::read_link(format!("/proc/{hub}/exe")).unwrap();
        assert_eq!(program, next.canonicalize().unwrap(), "the hub is of the other build");
    }
    all_is_well(&five, traffic);
    five.servers.end();
}
