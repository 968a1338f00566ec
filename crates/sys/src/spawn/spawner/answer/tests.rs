//! Answers there and back, and bytes by chance.

use proptest::prelude::*;

use super::Answer;

proptest! {
    #[test]
    fn answers_come_back_as_they_were_sent(pid: u32, errno: i32) {
        for answer in [Answer::Started(pid), Answer::Refused(errno)] {
            prop_assert_eq!(Answer::decode(&answer.encode()), Some(answer));
        }
    }

    #[test]
    fn other_bytes_are_no_answer(bytes: Vec<u8>) {
        prop_assume!(bytes.len() != 5 || bytes.first().is_some_and(|kind| *kind > 1));
        prop_assert_eq!(Answer::decode(&bytes), None);
    }
}
