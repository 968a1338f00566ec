//! Names and the certificates for them.

use super::*;

fn hosts(text: &[&str]) -> Vec<HostPattern> {
    text.iter().map(|host| host.parse().unwrap()).collect()
}

fn shelf(lists: &[Vec<HostPattern>]) -> Shelf {
    Shelf::new(lists.iter().enumerate().map(|(number, hosts)| (number, hosts.as_slice())))
}

#[test]
fn an_exact_name_goes_before_wildcards_and_a_longer_one_before_a_shorter() {
    let lists =
        [hosts(&["default.test"]), hosts(&["*.a.test"]), hosts(&["*.b.a.test"]), hosts(&["x.b.a.test"])];
    let shelf = shelf(&lists);
    for (name, number) in
        [("x.b.a.test", 3), ("y.b.a.test", 2), ("c.a.test", 1), ("a.test", 0), ("nowhere", 0), (".a.test", 0)]
    {
        assert_eq!(shelf.find(Some(name), |_| true), Some(number), "{name}");
    }
    assert_eq!(shelf.find(None, |_| true), Some(0));
    assert_eq!(Shelf::default().find(Some("a.test"), |_| true), None);
}

#[test]
fn of_several_for_a_name_the_first_that_the_client_can_verify_is_offered() {
    let lists = [hosts(&["a.test"]), hosts(&["a.test"]), hosts(&["b.test"])];
    let shelf = shelf(&lists);
    assert_eq!(shelf.find(Some("a.test"), |number| number > 0), Some(1));
    assert_eq!(shelf.find(Some("a.test"), |_| false), Some(0));
    assert_eq!(shelf.find(Some("b.test"), |number| number == 0), Some(2));
}
