//! What is written is what is read, and nothing else is taken for orders.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use remuda_model::ResourceLimit;

use super::Orders;
use crate::spawn::Session;
use crate::spawn::plan::{Credentials, EnvironmentValue};

fn text() -> impl Strategy<Value = OsString> {
    vec(any::<u8>(), 0..20).prop_map(OsString::from_vec)
}

fn value() -> impl Strategy<Value = EnvironmentValue> {
    prop_oneof![
        text().prop_map(EnvironmentValue::Text),
        Just(EnvironmentValue::Pid),
        Just(EnvironmentValue::PidfdId)
    ]
}

fn limit() -> impl Strategy<Value = ResourceLimit> {
    ("[a-z]{1,8}", any::<Option<u64>>(), any::<Option<u64>>()).prop_map(|(name, soft, hard)| ResourceLimit {
        name,
        soft,
        hard,
    })
}

fn user() -> impl Strategy<Value = Credentials> {
    (any::<u32>(), any::<u32>(), vec(any::<u32>(), 0..4)).prop_map(|(uid, gid, groups)| Credentials {
        uid,
        gid,
        groups,
    })
}

prop_compose! {
    fn orders()(
        (status, cgroup_procs, no_new_privileges) in any::<(i32, Option<i32>, bool)>(),
        argv in vec(text(), 0..4),
        environment in vec((text(), value()), 0..4),
        directory in option::of(text()),
        standard in any::<[Option<i32>; 3]>(),
        passed in vec(any::<i32>(), 0..4),
        user in option::of(user()),
        (umask, nice, oom_score_adjust) in any::<(Option<u32>, Option<i32>, Option<i32>)>(),
        limits in vec(limit(), 0..3),
        cpus in vec(any::<u32>(), 0..3),
        session in prop_oneof![Just(Session::New), Just(Session::Group), Just(Session::Inherit)],
    ) -> Orders {
        Orders {
            status, argv, environment, directory, standard, passed, user, umask, limits, nice, oom_score_adjust, cpus,
            session, cgroup_procs, no_new_privileges,
        }
    }
}

proptest! {
    #[test]
    fn orders_survive_the_way(orders in orders()) {
        prop_assert_eq!(Orders::decode(&orders.encode()), Some(orders));
    }

    #[test]
    fn cut_orders_are_refused(orders in orders(), cut in 1_usize..20) {
        let bytes = orders.encode();
        prop_assert_eq!(Orders::decode(&bytes[..bytes.len().saturating_sub(cut)]), None);
    }

    #[test]
    fn noise_does_no_harm(bytes in vec(any::<u8>(), 0..200)) {
        let _: Option<Orders> = Orders::decode(&bytes);
    }

    #[test]
    fn descriptors_that_are_numbered_by_position_find_back(orders in orders()) {
        let mut given = Vec::new();
        let mut numbered = orders.clone();
        numbered.renumber(|fd| {
            given.push(fd);
            i32::try_from(given.len() - 1).unwrap_or(-1)
        });
        numbered.renumber(|position| usize::try_from(position).ok().and_then(|at| given.get(at).copied()).unwrap_or(-1));
        prop_assert_eq!(numbered, orders);
    }
}
