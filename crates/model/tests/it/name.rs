//! Names and targets.

use proptest::prelude::*;
use remuda_model::{NameError, ServiceName, Target, TargetError};

#[test]
fn a_name_is_short_and_plain() {
    assert!(ServiceName::new("web-1_a@b").is_ok());
    assert_eq!(ServiceName::new(""), Err(NameError::Empty));
    assert_eq!(ServiceName::new("a.b"), Err(NameError::Character('.')));
    assert_eq!(ServiceName::new("-a"), Err(NameError::Character('-')));
    assert_eq!(ServiceName::new("wéb"), Err(NameError::Character('é')));
    assert_eq!(ServiceName::new(&"a".repeat(65)), Err(NameError::TooLong(65)));
    assert!(ServiceName::new(&"a".repeat(64)).is_ok());
}

#[test]
fn a_target_is_a_service_or_one_of_its_slots() {
    let target: Target = "web.12".parse().unwrap();
    assert_eq!((target.service.as_str(), target.slot), ("web", Some(12)));
    assert_eq!("web".parse::<Target>().unwrap().slot, None);
    assert_eq!("web.".parse::<Target>(), Err(TargetError::Slot("web.".into())));
    assert_eq!("web.-1".parse::<Target>(), Err(TargetError::Slot("web.-1".into())));
    assert_eq!(".1".parse::<Target>(), Err(TargetError::Name(".1".into(), NameError::Empty)));
}

#[test]
fn a_bad_name_is_refused_in_data_too() {
    assert!(serde_json::from_str::<ServiceName>("\"web\"").is_ok());
    assert!(serde_json::from_str::<ServiceName>("\"../web\"").is_err());
}

proptest! {
    #[test]
    fn targets_read_back_the_same(name in "[a-z0-9][a-z0-9@_-]{0,20}", slot in proptest::option::of(any::<u32>())) {
        let target = Target { service: ServiceName::new(&name).unwrap(), slot };
        prop_assert_eq!(target.to_string().parse(), Ok(target));
    }
}
