//! Tables in terminals of several widths.

use super::{Column, Table};

#[test]
fn columns_go_by_how_dispensable_they_are() {
    let mut table = Table::new(&[
        Column { title: "NAME", right: false, dispensable: 0 },
        Column { title: "PIDS", right: false, dispensable: 9 },
        Column { title: "N", right: true, dispensable: 1 },
    ]);
    table.row(vec!["web".into(), "100 101 102".into(), "4".into()]);
    table.note("  a note that is longer than all of it and yet widens nothing");
    let plain = |width| anstream::adapter::strip_str(&table.render(width)).to_string();
    assert!(plain(80).starts_with("NAME  PIDS         N\nweb   100 101 102  4\n"));
    assert!(plain(19).starts_with("NAME  N\nweb   4\n"));
    assert!(plain(3).starts_with("NAME\nweb\n"));
}
