//! Words of the command line as a query.

use clap::Parser as _;
use jiff::Timestamp;
use remuda_daemon::{LogQuery, Stream};

use super::query;
use crate::arguments::{Arguments, Command};

fn queried(line: &str) -> Result<LogQuery, String> {
    match Arguments::try_parse_from(line.split(' ')).unwrap().command {
        Command::Logs(arguments) => {
            query(&arguments, Timestamp::UNIX_EPOCH).map_err(|failure| failure.to_string())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_command_line_becomes_a_query() {
    let web = vec!["web".parse().unwrap()];
    let expected = LogQuery { services: web, slot: Some(2), last: Some(100), ..LogQuery::default() };
    assert_eq!(queried("remuda logs web.2"), Ok(expected));
    let expected = LogQuery { stream: Some(Stream::Stderr), since_ms: Some(60_000), ..LogQuery::default() };
    assert_eq!(queried("remuda logs --stream stderr --since 1970-01-01T00:01:00Z"), Ok(expected));
    assert_eq!(queried("remuda logs -n 5 --since 1m").unwrap().last, Some(5));
    assert!(queried("remuda logs web.1 api").unwrap_err().contains("one slot at a time"));
}
