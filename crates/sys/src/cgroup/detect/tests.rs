//! Mounts of machines of several kinds.

use std::path::Path;

use super::{Unavailable, own_folder};

const HYBRID: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
    35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
    41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

#[test]
fn the_unified_hierarchy_of_a_hybrid_machine_is_found() {
    let folder = own_folder(HYBRID, "4:memory:/a\n0::/user.slice/b\n").expect("mounted");
    assert_eq!(folder, Path::new("/sys/fs/cgroup/unified/user.slice/b"));
}

#[test]
fn a_container_sees_its_part_as_the_root() {
    let mounts = "41 31 0:38 /docker/1 /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
    assert_eq!(own_folder(mounts, "0::/docker/1/x\n"), Ok("/sys/fs/cgroup/x".into()));
    assert!(matches!(own_folder(mounts, "0::/other\n"), Err(Unavailable::Elsewhere { .. })));
    assert_eq!(own_folder("", "0::/\n"), Err(Unavailable::NotMounted));
}
