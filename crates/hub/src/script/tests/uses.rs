//! What scripts are written for.

use super::{Strings, eval, run_on};
use crate::script::{Limits, Scripts};

#[test]
fn random_numbers_are_the_same_in_every_run() {
    let script = "return {math.random(1000), math.random(5, 6), tostring(math.random())}";
    let (mut scripts, mut host) = (Scripts::new(Limits::default()).unwrap(), Strings::default());
    let first = run_on(&mut scripts, &mut host, script, &[], &[]);
    assert_eq!(first, run_on(&mut scripts, &mut host, script, &[], &[]));
    assert!(first.starts_with("*3 :171 "), "drand48 of seed 0 begins with 0.1708: {first}");
    assert!(eval("return math.random(0)").contains("interval is empty"));
}

#[test]
fn lines_are_logged_with_their_level() {
    let (mut scripts, mut host) = (Scripts::new(Limits::default()).unwrap(), Strings::default());
    let answer = run_on(&mut scripts, &mut host, "redis.log(redis.LOG_WARNING, 'a', 2)", &[], &[]);
    assert_eq!((answer.as_str(), &host.logged[..]), ("_", &[(3, "a 2".to_owned())][..]));
    let answer = run_on(&mut scripts, &mut host, "redis.log(9, 'a')", &[], &[]);
    assert!(answer.contains("Invalid debug level."), "{answer}");
}

#[test]
fn a_lock_is_released_and_extended_by_its_owner_alone() {
    let release = "local owner = redis.call('get', KEYS[1]) \
                   if owner == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
    let extend = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
                  local left = redis.call('pttl', KEYS[1]) if left < 0 then return 0 end \
                  redis.call('pexpire', KEYS[1], left + tonumber(ARGV[2])) return 1";
    let (mut scripts, mut host) = (Scripts::new(Limits::default()).unwrap(), Strings::default());
    host.values.insert(b"lock".to_vec(), b"me".to_vec());
    assert_eq!(run_on(&mut scripts, &mut host, release, &["lock"], &["you"]), ":0");
    assert_eq!(run_on(&mut scripts, &mut host, extend, &["lock"], &["me", "500"]), ":1");
    assert_eq!(host.calls.last().unwrap(), "pexpire lock 1500");
    assert_eq!(run_on(&mut scripts, &mut host, release, &["lock"], &["me"]), ":1");
    assert_eq!(run_on(&mut scripts, &mut host, release, &["lock"], &["me"]), ":0");
}
