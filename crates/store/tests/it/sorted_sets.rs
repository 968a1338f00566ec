//! Sorted sets, with the answers of Redis 7; `ZRANK … WITHSCORE` is of 7.2.

use crate::bench::{Bench, dump, replayed};

#[test]
fn a_member_has_the_score_it_was_given_under_the_conditions_it_was_given() {
    Bench::new().script(
        r#"
        ZADD z 1 a 2 b 3 c -> :3
        ZADD z 1 a 5 b -> :0
        ZADD z NX 9 a 4 d -> :1
        ZADD z XX 9 a 4 e -> :0
        ZADD z CH 7 a 3 c -> :1
        ZADD z GT 6 a -> :0
        ZADD z LT CH 6 a -> :1
        ZADD z GT CH 5 new -> :1
        ZADD z INCR 2.5 a -> ,8.5
        ZADD z NX INCR 1 a -> nil
        ZADD z XX INCR 1 none -> nil
        ZADD none XX 1 a -> :0
        ZADD none XX INCR 1 a -> nil
        ZADD z NX XX 1 a -> -ERR XX and NX options at the same time are not compatible
        ZADD z GT LT 1 a -> -ERR GT, LT, and/or NX options at the same time are not compatible
        ZADD z NX GT 1 a -> -ERR GT, LT, and/or NX options at the same time are not compatible
        ZADD z INCR 1 a 2 b -> -ERR INCR option supports a single increment-element pair
        ZADD z 1 a 2 -> -ERR syntax error
        ZADD z 1 a x b -> -ERR value is not a valid float
        ZADD z nan a -> -ERR value is not a valid float
        ZADD z inf i -inf j -> :2
        ZADD z INCR -inf i -> -ERR resulting score is not a number (NaN)
        ZINCRBY z 1.5 b -> ,6.5
        ZINCRBY z x b -> -ERR value is not a valid float
        ZINCRBY z -1 fresh -> ,-1
        ZRANGE z 0 -1 WITHSCORES -> ["j" ,-inf "fresh" ,-1 "c" ,3 "d" ,4 "new" ,5 "b" ,6.5 "a" ,8.5 "i" ,inf]
        ZCARD z -> :8
        ZSCORE z a -> ,8.5
        ZSCORE z none -> nil
        ZSCORE none a -> nil
        ZMSCORE z a none b -> [,8.5 nil ,6.5]
        ZMSCORE none a b -> [nil nil]
        ZREM z a none b -> :2
        ZREM z c d e i j new fresh -> :6
        EXISTS z -> :0
        SET s x -> +OK
        ZADD s 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
        ZSCORE s a -> -WRONGTYPE Operation against a key holding the wrong kind of value
        "#,
    );
}

#[test]
fn ranks_count_from_either_end() {
    Bench::new().script(
        r#"
        ZADD z 1 a 1 b 2 c -> :3
        ZRANK z a -> :0
        ZRANK z c -> :2
        ZREVRANK z c -> :0
        ZRANK z none -> nil
        ZRANK none a -> nil
        ZRANK z b WITHSCORE -> [:1 ,1]
        ZREVRANK z b WITHSCORE -> [:1 ,1]
        ZRANK z none WITHSCORE -> *nil
        ZRANK z b SCORE -> -ERR syntax error
        "#,
    );
}

#[test]
fn ranges_are_by_rank_by_score_and_by_member() {
    Bench::new().script(
        r#"
        ZADD z 1 a 2 b 3 c 4 d 5 e -> :5
        ZRANGE z 0 -1 -> ["a" "b" "c" "d" "e"]
        ZRANGE z 1 2 WITHSCORES -> ["b" ,2 "c" ,3]
        ZRANGE z -2 -1 REV -> ["b" "a"]
        ZRANGE z 5 9 -> []
        ZRANGE z -100 1 -> ["a" "b"]
        ZRANGE z 3 1 -> []
        ZRANGE z 0 -100 -> []
        ZREVRANGE z 0 1 WITHSCORES -> ["e" ,5 "d" ,4]
        ZRANGE z (1 3 BYSCORE -> ["b" "c"]
        ZRANGE z 3 (1 BYSCORE REV WITHSCORES -> ["c" ,3 "b" ,2]
        ZRANGE z -inf +inf BYSCORE LIMIT 1 2 -> ["b" "c"]
        ZRANGE z +inf -inf BYSCORE REV LIMIT 1 2 -> ["d" "c"]
        ZRANGE z -inf +inf BYSCORE LIMIT 1 -1 -> ["b" "c" "d" "e"]
        ZRANGE z -inf +inf BYSCORE LIMIT -1 2 -> []
        ZRANGE z 0 1 LIMIT 0 1 -> -ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
        ZRANGE z a b BYSCORE -> -ERR min or max is not a float
        ZRANGE z 0 1 BYLEX -> -ERR min or max not valid string range item
        ZRANGE z - + BYLEX WITHSCORES -> -ERR syntax error, WITHSCORES not supported in combination with BYLEX
        ZRANGE z 0 x -> -ERR value is not an integer or out of range
        ZRANGE z 0 1 FOO -> -ERR syntax error
        ZRANGE none 0 -1 -> []
        ZRANGEBYSCORE z 2 (4 WITHSCORES -> ["b" ,2 "c" ,3]
        ZRANGEBYSCORE z 2 5 LIMIT 1 1 -> ["c"]
        ZREVRANGEBYSCORE z 5 2 LIMIT 1 2 -> ["d" "c"]
        ZRANGEBYSCORE z 2 5 REV -> -ERR syntax error
        ZCOUNT z (1 4 -> :3
        ZCOUNT z 1 x -> -ERR min or max is not a float
        ZCOUNT none 1 2 -> :0
        ZADD l 0 a 0 b 0 c 0 d -> :4
        ZRANGEBYLEX l [b + -> ["b" "c" "d"]
        ZRANGEBYLEX l (b [d LIMIT 0 1 -> ["c"]
        ZREVRANGEBYLEX l [c - -> ["c" "b" "a"]
        ZRANGEBYLEX l b c -> -ERR min or max not valid string range item
        ZLEXCOUNT l - (c -> :2
        ZREMRANGEBYLEX l [b [c -> :2
        ZREMRANGEBYSCORE z (4 inf -> :1
        ZREMRANGEBYRANK z 0 0 -> :1
        ZREMRANGEBYRANK z 9 10 -> :0
        ZRANGE z 0 -1 -> ["b" "c" "d"]
        ZRANGESTORE t z 0 0 -> :1
        ZRANGE t 0 -1 WITHSCORES -> ["b" ,2]
        ZRANGESTORE t z 1 2 BYSCORE LIMIT 0 1 -> :1
        ZRANGE t 0 -1 WITHSCORES -> ["b" ,2]
        ZRANGESTORE t z 0 0 WITHSCORES -> -ERR syntax error
        ZRANGESTORE t none 0 -1 -> :0
        EXISTS t -> :0
        "#,
    );
}

#[test]
fn pops_take_from_either_end() {
    Bench::new().script(
        r#"
        ZADD z 1 a 2 b 3 c 4 d 5 e 6 f -> :6
        ZPOPMIN z -> ["a" ,1]
        ZPOPMAX z -> ["f" ,6]
        ZPOPMIN z 2 -> ["b" ,2 "c" ,3]
        ZPOPMAX z 0 -> []
        ZPOPMIN z -1 -> -ERR value is out of range, must be positive
        ZPOPMIN z x -> -ERR value is out of range, must be positive
        ZPOPMIN none -> []
        ZPOPMIN z 1 2 -> -ERR syntax error
        ZMPOP 2 none z MIN -> ["z" [["d" ,4]]]
        ZADD z 1 a 2 b 3 c -> :3
        ZMPOP 1 z MAX COUNT 2 -> ["z" [["e" ,5] ["c" ,3]]]
        ZMPOP 1 none MIN -> *nil
        ZMPOP 0 z MIN -> -ERR numkeys should be greater than 0
        ZMPOP 2 z MIN -> -ERR syntax error
        ZMPOP 1 z FOO -> -ERR syntax error
        ZMPOP 1 z MIN COUNT 0 -> -ERR count should be greater than 0
        BZPOPMIN none z 1 -> ["z" "a" ,1]
        BZPOPMAX z x -> -ERR timeout is not a float or out of range
        BZPOPMAX z -1 -> -ERR timeout is negative
        BZMPOP 1 1 z MIN COUNT 9 -> ["z" [["b" ,2]]]
        ZADD z 1 a -> :1
        BZPOPMIN none z 0 -> ["z" "a" ,1]
        BZPOPMIN none z 0.01 -> waits
        EXISTS z -> :0
        "#,
    );
}

#[test]
fn sets_are_united_intersected_and_subtracted() {
    Bench::new().script(
        r#"
        ZADD a 1 x 2 y 3 z -> :3
        ZADD b 10 y 20 z 30 w -> :3
        SADD s x w -> :2
        ZUNION 2 a b WITHSCORES -> ["x" ,1 "y" ,12 "z" ,23 "w" ,30]
        ZUNION 2 a b WEIGHTS 2 -1 WITHSCORES -> ["w" ,-30 "z" ,-14 "y" ,-6 "x" ,2]
        ZUNION 3 a b s AGGREGATE MAX WITHSCORES -> ["x" ,1 "y" ,10 "z" ,20 "w" ,30]
        ZINTER 2 a b AGGREGATE MIN WITHSCORES -> ["y" ,2 "z" ,3]
        ZINTER 2 a s -> ["x"]
        ZINTER 2 a none -> []
        ZDIFF 2 a b WITHSCORES -> ["x" ,1]
        ZDIFF 1 a -> ["x" "y" "z"]
        ZDIFF 2 a b WEIGHTS 1 2 -> -ERR syntax error
        ZINTERCARD 2 a b -> :2
        ZINTERCARD 2 a b LIMIT 1 -> :1
        ZINTERCARD 2 a b LIMIT -1 -> -ERR LIMIT can't be negative
        ZUNION 0 a -> -ERR at least 1 input key is needed for 'zunion' command
        ZUNION 3 a b -> -ERR syntax error
        ZUNION x a -> -ERR value is not an integer or out of range
        ZUNION 2 a b WEIGHTS 1 -> -ERR syntax error
        ZUNION 2 a b WEIGHTS 1 x -> -ERR weight value is not a float
        ZUNION 2 a b AGGREGATE AVG -> -ERR syntax error
        ZUNIONSTORE t 2 a b -> :4
        ZRANGE t 0 -1 WITHSCORES -> ["x" ,1 "y" ,12 "z" ,23 "w" ,30]
        ZINTERSTORE t 2 a b WEIGHTS 1 0.5 -> :2
        ZRANGE t 0 -1 WITHSCORES -> ["y" ,7 "z" ,13]
        ZDIFFSTORE t 2 a a -> :0
        EXISTS t -> :0
        ZADD i inf m -> :1
        ZADD j -inf m -> :1
        ZUNION 2 i j WITHSCORES -> ["m" ,0]
        ZINTER 1 i WEIGHTS 0 WITHSCORES -> ["m" ,0]
        SET str x -> +OK
        ZUNION 2 a str -> -WRONGTYPE Operation against a key holding the wrong kind of value
        "#,
    );
}

#[test]
fn scores_come_in_pairs_to_those_who_speak_resp3() {
    let mut bench = Bench::new();
    bench.resp3 = true;
    bench.script(
        r#"
        ZADD z 1 a 2.5 b -> :2
        ZRANGE z 0 -1 WITHSCORES -> [["a" ,1] ["b" ,2.5]]
        ZRANGE z 0 -1 -> ["a" "b"]
        ZPOPMAX z -> ["b" ,2.5]
        ZPOPMAX z 1 -> [["a" ,1]]
        ZADD z 1 a -> :1
        ZMPOP 1 z MIN -> ["z" [["a" ,1]]]
        ZADD z 1 a -> :1
        ZUNION 1 z WITHSCORES -> [["a" ,1]]
        ZSCAN z 0 -> ["0" ["a" "1"]]
        ZMSCORE z a b -> [,1 nil]
        "#,
    );
}

#[test]
fn a_scan_sees_members_and_their_scores() {
    Bench::new().script(
        r#"
        ZADD z 1 a 2.5 b 3 ab -> :3
        ZSCAN z 0 -> ["0" ["a" "1" "b" "2.5" "ab" "3"]]
        ZSCAN z 0 MATCH a* -> ["0" ["a" "1" "ab" "3"]]
        ZSCAN z 0 COUNT 0 -> -ERR syntax error
        ZSCAN z x -> -ERR invalid cursor
        ZSCAN none 0 -> ["0" []]
        ZRANDMEMBER none -> nil
        ZRANDMEMBER none 2 -> []
        ZRANDMEMBER z x -> -ERR value is not an integer or out of range
        ZRANDMEMBER z 0 -> []
        ZRANDMEMBER z 1 SCORES -> -ERR syntax error
        "#,
    );
}

#[test]
fn who_waits_for_a_member_is_served_in_line_and_logged_as_what_went() {
    let mut bench = Bench::new();
    assert_eq!(bench.client(7, "BZPOPMIN none z 0"), "waits");
    assert_eq!(bench.client(8, "BZPOPMAX z 0"), "waits");
    assert_eq!(bench.client(9, "BZMPOP 1 1 z MIN COUNT 5"), "waits");
    bench.run("SADD none x");
    assert_eq!(bench.serve(), Vec::<String>::new(), "a set is no sorted set");
    bench.run("DEL none");
    bench.run("ZADD z 1 a 2 b 3 c 4 d");
    assert_eq!(
        bench.serve(),
        [r#"7: ["z" "a" ,1]"#, r#"8: ["z" "d" ,4]"#, r#"9: ["z" [["b" ,2] ["c" ,3]]]"#]
    );
    let log = bench.logged();
    assert_eq!(log[log.len() - 3..], ["ZREM z a", "ZREM z d", "ZREM z b c"]);
    assert_eq!(bench.client(9, "BZPOPMIN z 0.5"), "waits");
    bench.pass(500);
    assert_eq!(bench.serve(), ["9: *nil"]);
}

#[test]
fn each_change_has_the_event_redis_gives_it() {
    let mut bench = Bench::new();
    let events = |bench: &mut Bench, command: &str| {
        bench.run(command);
        bench.events().join(", ")
    };
    for (command, expected) in [
        ("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g", "zadd z"),
        ("ZADD z 1 a", ""),
        ("ZADD z XX 1 none", ""),
        ("ZINCRBY z 0.5 a", "zincr z"),
        ("ZREM z a none", "zrem z"),
        ("ZPOPMIN z", "zpopmin z"),
        ("ZMPOP 1 z MAX", "zpopmax z"),
        ("ZREMRANGEBYRANK z 0 0", "zremrangebyrank z"),
        ("ZREMRANGEBYSCORE z 4 4", "zremrangebyscore z"),
        ("ZRANGESTORE t z 0 -1", "zrangestore t"),
        ("ZUNIONSTORE t 1 z", "zunionstore t"),
        ("ZINTERSTORE t 2 z none", "del t"),
        ("ZDIFFSTORE t 2 z none", "zdiffstore t"),
        ("ZREMRANGEBYLEX z - +", "zremrangebylex z, del z"),
    ] {
        assert_eq!(events(&mut bench, command), expected, "{command}");
    }
}

#[test]
fn a_large_set_is_scanned_whole_though_members_go_meanwhile() {
    let mut bench = Bench::new();
    for number in 0..1000 {
        bench.run(&format!("ZADD z {} m{number}", number % 7));
    }
    let mut cursor = "0".to_owned();
    let mut seen = std::collections::BTreeSet::new();
    let mut step = 0;
    loop {
        let answer = bench.run(&format!("ZSCAN z {cursor} COUNT 50"));
        let mut words = answer.split('"').skip(1).step_by(2);
        cursor = words.next().unwrap().to_owned();
        seen.extend(words.step_by(2).map(str::to_owned));
        if cursor == "0" {
            break;
        }
        bench.run(&format!("ZREM z m{}", step * 10 + 3));
        step += 1;
    }
    let stays = |number: &usize| !(number % 10 == 3 && number / 10 < step);
    assert!(step > 15, "the walk had {step} steps");
    for number in (0..1000).filter(stays) {
        assert!(seen.contains(&format!("m{number}")), "m{number} was missed");
    }
}

#[test]
fn members_by_chance_are_different_ones_unless_asked_otherwise() {
    let mut bench = Bench::new();
    for number in 0..100 {
        bench.run(&format!("ZADD z {number} m{number}"));
    }
    let members =
        |answer: &str| -> Vec<String> { answer.split('"').skip(1).step_by(2).map(str::to_owned).collect() };
    let picked = members(&bench.run("ZRANDMEMBER z 60"));
    assert_eq!(picked.len(), 60);
    assert_eq!(picked.iter().collect::<std::collections::BTreeSet<_>>().len(), 60);
    assert_eq!(members(&bench.run("ZRANDMEMBER z 500")).len(), 100);
    assert_eq!(members(&bench.run("ZRANDMEMBER z -500")).len(), 500);
    assert_eq!(members(&bench.run("ZRANDMEMBER z -5 WITHSCORES")).len(), 5);
    assert_ne!(bench.run("ZRANDMEMBER z 60"), bench.run("ZRANDMEMBER z 60"));
    assert_eq!(bench.run("ZRANDMEMBER z -99999999999"), "-ERR value is out of range");
}

#[test]
fn a_set_of_sorted_sets_comes_back_from_its_dump() {
    let mut bench = Bench::new();
    for number in 0..300 {
        bench.run(&format!("ZADD z {} m{number}", f64::from(number) / 7.0));
    }
    bench.run("ZADD odd inf a -inf b 1e300 c 5e-324 d -0 e");
    let dumped = bench.dump();
    assert!(dumped.iter().all(|(_, command)| command.len() <= 2 + 2 * 64));
    assert_eq!(dump(&replayed(&dumped, bench.moment), bench.moment), dumped);
    assert_eq!(dump(&replayed(&bench.log, bench.moment), bench.moment), dumped);
}
