//! Codings as browsers and programs ask for them.

use proptest::prelude::{any, prop, proptest};
use remuda_wire::http::Fields;

use super::{Encoding, choose};

fn chosen(accept: &str, available: &[Encoding]) -> Option<Encoding> {
    let mut fields = Fields::new();
    fields.append("Accept-Encoding", accept);
    choose(&fields, available.iter().copied())
}

#[test]
fn the_smallest_form_is_sent_that_is_liked_best() {
    let all = &Encoding::ALL;
    assert_eq!(chosen("gzip, deflate, br, zstd", all), Some(Encoding::Brotli));
    assert_eq!(chosen("gzip, deflate", all), Some(Encoding::Gzip));
    assert_eq!(chosen("br;q=0.5, gzip;q=0.8", all), Some(Encoding::Gzip));
    assert_eq!(chosen("br;q=0, *", all), Some(Encoding::Zstd));
    assert_eq!(chosen("X-GZIP", all), Some(Encoding::Gzip));
    assert_eq!(chosen("gzip, br", &[Encoding::Zstd]), None);
    assert_eq!(chosen("*", &[Encoding::Gzip]), Some(Encoding::Gzip));
}

#[test]
fn the_file_itself_is_sent_where_nothing_else_is_wanted() {
    let all = &Encoding::ALL;
    for accept in
        ["", "identity", "br;q=0", "gzip;q=0.0", "gzip;q=x", "gzip;q=2", "identity, gzip;q=0.5", "*;q=0"]
    {
        assert_eq!(chosen(accept, all), None, "{accept}");
    }
    assert_eq!(chosen("identity;q=0.5, gzip", all), Some(Encoding::Gzip));
    assert_eq!(choose(&Fields::new(), Encoding::ALL), None);
}

proptest! {
    #[test]
    fn noise_is_endured(value in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut fields = Fields::new();
        fields.append("accept-encoding", &value);
        let _whatever = choose(&fields, Encoding::ALL);
    }
}
