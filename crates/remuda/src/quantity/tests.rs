//! Numbers as they are shown, and as they are typed.

use jiff::Timestamp;
use proptest::prelude::{any, proptest};

use super::{age, since, size};

#[test]
fn ages_have_two_units_at_most() {
    let ages = [0, 999, 1000, 59_999, 60_000, 200_000, 3_600_000, 18_120_000, 86_400_000, 1_047_600_000];
    let shown = ["0ms", "999ms", "1s", "59s", "1m", "3m 20s", "1h", "5h 2m", "1d", "12d 3h"];
    assert_eq!(ages.map(age), shown);
}

#[test]
fn sizes_have_three_digits_at_most() {
    let sizes = [0, 1023, 1024, 1_572_864, 10_485_760, 125_829_120, 1_073_741_824];
    assert_eq!(sizes.map(size), ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "10 MiB", "120 MiB", "1.0 GiB"]);
}

#[test]
fn since_takes_ages_and_times() {
    let now: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
    let at = |text: &str| since(text, now).unwrap();
    assert_eq!(at("1h 30m"), at("2026-01-01T22:30:00Z"));
    assert_eq!(at("90s"), at("2026-01-01T23:58:30Z"));
    assert!(since("yesterday", now).unwrap_err().contains("write an age"));
    assert!(since("10", now).is_err());
}

proptest! {
    #[test]
    fn no_number_and_no_text_panics(number in any::<u64>(), text in any::<String>()) {
        let _ = (age(number), size(number), since(&text, Timestamp::UNIX_EPOCH));
    }
}
