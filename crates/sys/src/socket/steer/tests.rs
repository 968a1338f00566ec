//! What the programs say, for every number the kernel may give.

use super::{ADD, LOAD, MODULO, RETURN, SKIP_IF_AT_LEAST, program, runs};

/// What a program returns for a number of the kernel.
fn choice(program: &[libc::sock_filter], number: u32) -> u32 {
    let (mut at, mut accumulator) = (0, 0);
    loop {
        let libc::sock_filter { code, jt, k, .. } = program[at];
        at += 1;
        match code {
            LOAD => accumulator = number,
            MODULO => accumulator %= k,
            ADD => accumulator += k,
            SKIP_IF_AT_LEAST if accumulator >= k => at += usize::from(jt),
            SKIP_IF_AT_LEAST => {}
            RETURN => return accumulator,
            code => panic!("no instruction {code:#x}"),
        }
    }
}

#[test]
fn every_live_slot_is_chosen_equally_often_and_no_other_ever() {
    for pattern in 1_u32..1 << 9 {
        let live: Vec<bool> = (0..9).map(|slot| pattern & (1 << slot) != 0).collect();
        let program = program(0, &runs(&live));
        let count = pattern.count_ones();
        let mut times = [0_u32; 9];
        for number in 0..count * 3 {
            times[usize::try_from(choice(&program, number)).unwrap()] += 1;
        }
        let wanted: Vec<u32> = live.iter().map(|live| if *live { 3 } else { 0 }).collect();
        assert_eq!(times.as_slice(), wanted, "{live:?}");
    }
}

#[test]
fn slots_without_a_hole_cost_four_instructions() {
    assert_eq!(program(0, &runs(&[true; 1024])).len(), 4);
}
