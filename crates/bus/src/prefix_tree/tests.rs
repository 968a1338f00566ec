//! The tree against a list of prefixes.

use std::collections::BTreeMap;

use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use super::{Node, PrefixTree};

fn nodes(node: &Node<u32>) -> usize {
    1 + node.children.iter().map(nodes).sum::<usize>()
}

proptest! {
    #[test]
    fn the_tree_finds_what_a_list_finds_and_keeps_no_node_too_many(
        steps in prop::collection::vec(("[abc]{0,6}", any::<bool>()), 0..60), names in prop::collection::vec("[abc]{0,8}", 8),
    ) {
        let mut tree = PrefixTree::<u32>::default();
        let mut list = BTreeMap::new();
        for (number, (prefix, add)) in (0..).zip(&steps) {
            if *add {
                *tree.entry(prefix.as_bytes()) = number;
                list.insert(prefix.clone(), number);
            } else {
                tree.change(prefix.as_bytes(), |_| true);
                list.remove(prefix);
            }
        }
        for name in names {
            let mut found = Vec::new();
            tree.visit(name.as_bytes(), 0, |value| found.push(*value));
            let expected: Vec<u32> =
                list.iter().filter(|(prefix, _)| name.starts_with(prefix.as_str())).map(|(_, value)| *value).collect();
            prop_assert_eq!(found, expected);
        }
        prop_assert!(nodes(&tree.root) <= 2 * list.len() + 1);
    }
}

#[test]
fn a_value_stays_until_its_change_says_to_remove_it() {
    let mut tree = PrefixTree::<u32>::default();
    *tree.entry(b"news.") = 2;
    tree.change(b"news.", |value| {
        *value -= 1;
        *value == 0
    });
    tree.change(b"new", |_| panic!("there is no such prefix"));
    let mut found = 0;
    tree.visit(b"news.today", 0, |value| found = *value);
    assert_eq!(found, 1);
}

#[test]
fn a_tree_of_deep_prefixes_goes_as_deep_as_a_subscription_may_be_long() {
    let mut tree = PrefixTree::<u32>::default();
    let long = vec![b'a'; 1024];
    for length in 0..=long.len() {
        *tree.entry(&long[..length]) = 1;
    }
    let mut found = 0;
    tree.visit(&long, 0, |value| found += value);
    assert_eq!(found, 1025);
    for length in 0..=long.len() {
        tree.change(&long[..length], |_| true);
    }
    assert_eq!(nodes(&tree.root), 1);
}
