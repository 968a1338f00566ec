//! Rooms: who is in, who hears, and their limits.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::table::Table;
use super::super::{Key, SocketId};
use super::{Audience, JoinError, ROOM_BYTES_MAX, Rooms};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn clients(count: usize) -> Vec<Key> {
    let mut table = Table::default();
    (0..count).map(|_| table.insert(())).collect()
}

fn heard(rooms: &Rooms, namespace: usize, to: &[&str], except: &[&str]) -> BTreeSet<u128> {
    let (to, except) = (names(to), names(except));
    let heard = rooms.audience(namespace, &Audience { to: &to, except: &except });
    let ids: BTreeSet<u128> = heard.iter().map(|key| rooms.socket(*key).unwrap().id.0).collect();
    assert_eq!(ids.len(), heard.len(), "each hears it once");
    ids
}

#[test]
fn an_event_is_for_all_for_rooms_and_for_single_clients() {
    let mut rooms = Rooms::new(&names(&["/", "/admin"]));
    let clients = clients(4);
    let keys: Vec<Key> = (0..3).map(|at| rooms.enter(clients[at], 0, SocketId(at as u128))).collect();
    let admin = rooms.enter(clients[3], 1, SocketId(3));
    for (at, room) in [(0, "a"), (1, "a"), (1, "b"), (2, "b")] {
        rooms.join(keys[at], room, 10).unwrap();
    }
    rooms.join(admin, "a", 10).unwrap();
    assert_eq!(heard(&rooms, 0, &[], &[]), [0, 1, 2].into());
    assert_eq!(heard(&rooms, 1, &[], &[]), [3].into());
    assert_eq!(heard(&rooms, 0, &["a"], &[]), [0, 1].into());
    assert_eq!(heard(&rooms, 0, &["a", "b"], &[]), [0, 1, 2].into());
    assert_eq!(heard(&rooms, 0, &["a"], &["b"]), [0].into());
    let own = SocketId(2).to_string();
    assert_eq!(heard(&rooms, 0, &[&own], &[]), [2].into());
    assert_eq!(heard(&rooms, 0, &[&own, "b"], &[]), [1, 2].into());
    assert_eq!(heard(&rooms, 0, &[], &[&own]), [0, 1].into());
    assert_eq!(heard(&rooms, 1, &[&own], &[]), [].into(), "it is in another namespace");
    assert_eq!(heard(&rooms, 0, &["nobody"], &[]), [].into());
}

#[test]
fn rooms_have_limits() {
    let mut rooms = Rooms::new(&names(&["/"]));
    let key = rooms.enter(clients(1)[0], 0, SocketId(0));
    assert_eq!(rooms.join(key, "", 2), Err(JoinError::Name));
    assert_eq!(rooms.join(key, &"x".repeat(ROOM_BYTES_MAX + 1), 2), Err(JoinError::Name));
    assert_eq!((rooms.join(key, "a", 2), rooms.join(key, "b", 2)), (Ok(()), Ok(())));
    assert_eq!(rooms.join(key, "c", 2), Err(JoinError::TooMany(2)));
    assert_eq!(rooms.join(key, "a", 2), Ok(()), "it is in it already");
    rooms.leave(key).unwrap();
    assert_eq!(rooms.join(key, "a", 2), Err(JoinError::Unknown));
    assert_eq!((rooms.sockets(), rooms.rooms()), (0, 0));
}

#[derive(Debug, Clone)]
enum Act {
    Enter(usize),
    Leave(usize),
    Join(usize, usize),
    Part(usize, usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0_usize..8).prop_map(Act::Enter),
        (0_usize..8).prop_map(Act::Leave),
        (0_usize..8, 0_usize..4).prop_map(|(who, room)| Act::Join(who, room)),
        (0_usize..8, 0_usize..4).prop_map(|(who, room)| Act::Part(who, room)),
    ]
}

proptest! {
    #[test]
    fn who_hears_is_what_a_plain_table_says(acts in prop::collection::vec(act(), 0..60)) {
        const ROOMS: [&str; 4] = ["a", "b", "c", "d"];
        let mut rooms = Rooms::new(&names(&["/"]));
        let clients = clients(8);
        let mut plain: BTreeMap<usize, (Key, BTreeSet<usize>)> = BTreeMap::new();
        for act in acts {
            match act {
                Act::Enter(who) if !plain.contains_key(&who) => {
                    let key = rooms.enter(clients[who], 0, SocketId(who as u128));
                    plain.insert(who, (key, BTreeSet::new()));
                }
                Act::Leave(who) => {
                    if let Some((key, _)) = plain.remove(&who) {
                        prop_assert!(rooms.leave(key).is_some());
                        prop_assert!(rooms.leave(key).is_none());
                    }
                }
                Act::Join(who, room) => {
                    if let Some((key, own)) = plain.get_mut(&who) {
                        rooms.join(*key, ROOMS[room], 10).unwrap();
                        own.insert(room);
                    }
                }
                Act::Part(who, room) => {
                    if let Some((key, own)) = plain.get_mut(&who) {
                        prop_assert_eq!(rooms.part(*key, ROOMS[room]), own.remove(&room));
                    }
                }
                Act::Enter(_) => {}
            }
            let all: BTreeSet<u128> = plain.keys().map(|who| *who as u128).collect();
            prop_assert_eq!(heard(&rooms, 0, &[], &[]), all);
            for (room, name) in ROOMS.iter().enumerate() {
                let of = |wanted: bool| -> BTreeSet<u128> {
                    let fits = plain.iter().filter(|(_, (_, own))| own.contains(&room) == wanted);
                    fits.map(|(who, _)| *who as u128).collect()
                };
                prop_assert_eq!(heard(&rooms, 0, &[name], &[]), of(true));
                prop_assert_eq!(heard(&rooms, 0, &[], &[name]), of(false));
            }
            let used: BTreeSet<usize> = plain.values().flat_map(|(_, own)| own.iter().copied()).collect();
            prop_assert_eq!(rooms.rooms(), used.len());
        }
    }
}
