//! Key files as people write them.

use std::io::Write as _;

use super::read;
use crate::error::HubError;

const PUBLIC: &str = "i#JTw7&DHTH1mn=Sh9&CXD(+y3zzz88g.%?=xgEI";
const SECRET: &str = "y]9cMIp+(Rx5ahj3)CIb9S&s?ANt(vHsDU#-1dI@";

fn read_text(text: &str) -> Result<Vec<String>, HubError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Ok(read(file.path())?.clients.into_values().collect())
}

#[test]
fn a_sign_of_a_comment_within_a_key_is_part_of_it() {
    let text = format!("# keys\n#more\n\n  secret {SECRET} # the bus\n\tclient web {PUBLIC}   # web's\n");
    assert_eq!(read_text(&text).unwrap(), ["web"]);
}

#[test]
fn a_wrong_line_is_named_without_its_key() {
    for text in ["", "secret x", "client web x", "secret", &format!("secret {SECRET}\nclient {PUBLIC}")] {
        let error = read_text(text).unwrap_err().to_string();
        assert!(!error.contains(PUBLIC) && !error.contains(SECRET), "{error}");
    }
}
