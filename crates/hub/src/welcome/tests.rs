//! Who somebody is that has not said so.

use std::path::Path;
use std::sync::Arc;

use remuda_model::hub::HubSocket;

use super::who;
use crate::core::tests::{core_of, spec};
use crate::stream::Remote;

#[test]
fn who_runs_as_a_user_of_services_with_rules_has_to_show_which_one_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = folder.path();
    let mut core = core_of(path, spec(path));
    let (limited, free, stranger) = (65_534, 65_533, 65_532);
    let settings = Arc::make_mut(&mut core.settings);
    settings.peer_uids.extend([limited, free]);
    settings.limited_uids.insert(limited);
    for sort in [HubSocket::Store, HubSocket::Bus, HubSocket::Pub, HubSocket::Pull] {
        let knows = |uid| who(&core, sort, &Remote::Local { pid: 7, uid }).is_some_and(|user| user.is_known);
        assert!(knows(0) && knows(free), "{sort:?}");
        assert!(!knows(limited) && !knows(stranger), "{sort:?}");
    }
}
