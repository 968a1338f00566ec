//! Fields as a list that is searched and changed.

use proptest::prelude::{any, prop, proptest};
use remuda_wire::http::{Fields, is_field_name, is_field_value};

fn fields(list: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in list {
        fields.append(name, value);
    }
    fields
}

#[test]
fn names_are_found_in_any_case_and_values_keep_their_order() {
    let mut list = fields(&[("A", "1"), ("b", "2"), ("a", "3"), ("C", "x, Y ,, z")]);
    assert_eq!(list.get("a"), Some(&b"1"[..]));
    assert_eq!(list.get_all("A").collect::<Vec<_>>(), [b"1", b"3"]);
    assert!(list.has_token("c", "y") && !list.has_token("c", "xY"));
    list.set("a", "4");
    assert_eq!(list, fields(&[("A", "4"), ("B", "2"), ("C", "x, Y ,, z")]));
    assert_eq!((list.remove("B"), list.remove("B"), list.len()), (1, 0, 2));
    let mut out = Vec::new();
    list.write(&mut out);
    assert_eq!(out, b"A: 4\r\nC: x, Y ,, z\r\n");
}

#[test]
fn nothing_that_is_put_in_ends_its_line() {
    let mut list = fields(&[("Set-Cookie\r\nX", " a\r\nInjected: 1\r\n\r\nb\0 ")]);
    list.set("Y:", "\n");
    let mut out = Vec::new();
    list.write(&mut out);
    assert_eq!(out, b"Set-Cookie--X: a  Injected: 1    b \r\nY-: \r\n".as_slice());
}

proptest! {
    #[test]
    fn whatever_is_put_in_stays_one_line(name in any::<String>(), value in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut list = Fields::new();
        list.append(&name, &value);
        list.set("x", &value);
        let mut out = Vec::new();
        list.write(&mut out);
        let breaks = out.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        assert_eq!(breaks, 2 * list.len());
        assert!(!out.contains(&0));
    }

    #[test]
    fn a_list_behaves_as_one(steps in prop::collection::vec((0_u8..3, "[a-cA-C]", "[x-z]{0,3}"), 0..30)) {
        let (mut list, mut model) = (Fields::new(), Vec::<(String, String)>::new());
        for (step, name, value) in steps {
            let same = |each: &(String, String)| each.0.eq_ignore_ascii_case(&name);
            match step {
                0 => {
                    list.append(&name, &value);
                    model.push((name, value));
                }
                1 => {
                    assert_eq!(list.remove(&name), model.iter().filter(|each| same(each)).count());
                    model.retain(|each| !same(each));
                }
                _ => {
                    list.set(&name, &value);
                    match model.iter().position(same) {
                        None => model.push((name, value)),
                        Some(first) => {
                            model[first].1 = value;
                            let mut index = 0;
                            model.retain(|each| { index += 1; index <= first + 1 || !each.0.eq_ignore_ascii_case(&name) });
                        }
                    }
                }
            }
            let found: Vec<_> = list.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
            let expected: Vec<_> = model.iter().map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes())).collect();
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn names_and_values_are_told_from_what_is_none() {
    assert!(is_field_name(b"X-Request-Id") && is_field_name(b"a!#$%&'*+.^_`|~9"));
    assert!(
        !is_field_name(b"")
            && !is_field_name(b"a b")
            && !is_field_name(b"a:")
            && !is_field_name("\u{e4}".as_bytes())
    );
    assert!(is_field_value(b"") && is_field_value(b"a\tb \xff"));
    assert!(
        !is_field_value(b" a")
            && !is_field_value(b"a\n")
            && !is_field_value(b"a\x7fb")
            && !is_field_value(b"\0")
    );
}
