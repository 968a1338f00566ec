//! Tests of where the id of a connection is found.

use super::id_in;

#[test]
fn the_id_is_found_in_greetings_of_both_protocols() {
    let fields =
        "$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:4711\r\n$7\r\nmodules\r\n*0\r\n";
    assert_eq!(id_in(format!("*8\r\n{fields}").as_bytes()), Some(4711));
    assert_eq!(id_in(format!("%4\r\n{fields}").as_bytes()), Some(4711));
}

#[test]
fn a_greeting_without_an_id_has_none() {
    let others = [
        "+OK\r\n",
        "%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n",
        "*1\r\n$2\r\nid\r\n",
        "*2\r\n$2\r\nid\r\n+x\r\n",
        "%2\r\n",
        "",
        "nonsense",
    ];
    for greeting in others {
        assert_eq!(id_in(greeting.as_bytes()), None, "{greeting}");
    }
}
