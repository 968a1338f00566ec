//! What a script costs beside its commands: `cargo run --release -p remuda-hub --example script_cost`.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

use std::error::Error;
use std::time::Instant;

use remuda_hub::script::{Answer, CallMode, Host, Limits, Request, Scripts, Source};
use remuda_store::Unread;

const RUNS: u32 = 200_000;

struct Nothing;

impl Host for Nothing {
    fn call(&mut self, _: &[&[u8]], _: CallMode, answer: &mut dyn Answer) {
        answer.bulk(b"value");
    }
    fn log(&mut self, _: u8, _: &[u8]) {}
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut scripts = Scripts::new(Limits::default())?;
    let cases: [&[u8]; 3] = [
        b"return 1",
        b"return redis.call('get', KEYS[1])",
        b"if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end",
    ];
    for case in cases {
        let sha = scripts.load(case)?;
        let began = Instant::now();
        for _ in 0..RUNS {
            let source = Source::Sha(&sha);
            let request = Request { source, keys: &[b"key"], arguments: &[b"value"], is_read_only: false };
            scripts.run(request, &mut Nothing, &mut Unread::default());
        }
        let each = began.elapsed() / RUNS;
        println!("{each:?} for {}", String::from_utf8_lossy(case));
    }
    Ok(())
}
