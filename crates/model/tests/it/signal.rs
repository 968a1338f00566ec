//! Signals by name and number.

use remuda_model::Signal;

#[test]
fn every_signal_reads_back_by_name_and_by_number() {
    for number in 1..=64 {
        let signal = Signal::from_number(number).unwrap();
        assert_eq!(signal.to_string().parse(), Ok(signal), "{signal}");
        assert_eq!(number.to_string().parse(), Ok(signal));
        assert_eq!(signal.number(), number);
    }
}

#[test]
fn the_usual_spellings_are_known() {
    let number = |text: &str| text.parse::<Signal>().map(Signal::number).ok();
    assert_eq!(number("TERM"), Some(15));
    assert_eq!(number("SIGTERM"), Some(15));
    assert_eq!(number("sighup"), Some(1));
    assert_eq!(number("RTMIN"), Some(34));
    assert_eq!(number("SIGRTMIN+1"), Some(35));
    assert_eq!(number("RTMAX-1"), Some(63));
    for wrong in ["", "0", "65", "-1", "TERMINATE", "RTMIN+31", "RTMAX-31", "RTMIN-1", "SIG"] {
        assert_eq!(number(wrong), None, "{wrong}");
    }
}
