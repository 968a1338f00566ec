//! A store with clients, a clock and a log: commands as text in, answers as text out.

use std::collections::BTreeSet;
use std::fmt::Write;

use remuda_model::Tick;
use remuda_store::{Answer, ClientId, Mode, Moment, Outcome, Store, StoreOptions};

/// An answer as text: `+OK`, `-ERR …`, `:1`, `"bytes"`, `nil`, `*nil`, `[a b]`, `{a b}`, `<a b>`, `,1.5`, `#t`.
#[derive(Debug, Default)]
pub(crate) struct Written {
    text: String,
    open: Vec<(usize, char)>,
    pub(crate) resp3: bool,
}

impl Written {
    pub(crate) fn text(&self) -> &str {
        assert!(self.open.is_empty(), "an answer is not whole: {}", self.text);
        &self.text
    }

    fn separate(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(['[', '{', '<', '>']) {
            self.text.push(' ');
        }
    }

    fn write(&mut self, text: &str) {
        assert!(self.text.is_empty() || !self.open.is_empty(), "two answers: {} and {text}", self.text);
        self.separate();
        self.text.push_str(text);
        self.close();
    }

    fn open(&mut self, len: usize, brackets: [char; 2]) {
        assert!(self.text.is_empty() || !self.open.is_empty(), "two answers: {}", self.text);
        self.separate();
        self.text.push(brackets[0]);
        self.open.push((len + 1, brackets[1]));
        self.close();
    }

    fn close(&mut self) {
        while let Some((left, bracket)) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                break;
            }
            self.text.push(*bracket);
            self.open.pop();
        }
    }
}

impl Answer for Written {
    fn simple(&mut self, text: &str) {
        self.write(&format!("+{text}"));
    }
    fn error(&mut self, text: &str) {
        self.write(&format!("-{text}"));
    }
    fn integer(&mut self, value: i64) {
        self.write(&format!(":{value}"));
    }
    fn bulk(&mut self, bytes: &[u8]) {
        self.write(&format!("\"{}\"", bytes.escape_ascii()));
    }
    fn null(&mut self) {
        self.write("nil");
    }
    fn null_array(&mut self) {
        self.write("*nil");
    }
    fn array(&mut self, len: usize) {
        self.open(len, ['[', ']']);
    }
    fn map(&mut self, len: usize) {
        self.open(2 * len, ['{', '}']);
    }
    fn set(&mut self, len: usize) {
        self.open(len, ['<', '>']);
    }
    fn push(&mut self, len: usize) {
        self.open(len, ['<', '>']);
    }
    fn double(&mut self, value: f64) {
        self.write(&format!(",{value}"));
    }
    fn boolean(&mut self, value: bool) {
        self.write(if value { "#t" } else { "#f" });
    }
    fn verbatim(&mut self, format: &str, text: &[u8]) {
        self.write(&format!("={format}:{}", text.escape_ascii()));
    }
    fn big_number(&mut self, digits: &str) {
        self.write(&format!("({digits}"));
    }
    fn is_resp3(&self) -> bool {
        self.resp3
    }
}

/// A command with its database.
pub(crate) type Logged = (u32, Vec<Vec<u8>>);

/// A store and what is around it.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) moment: Moment,
    pub(crate) database: u32,
    pub(crate) resp3: bool,
    /// The effects so far.
    pub(crate) log: Vec<Logged>,
    /// Who waits.
    pub(crate) waiting: BTreeSet<ClientId>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(StoreOptions::default())
    }

    pub(crate) fn with(options: StoreOptions) -> Self {
        let moment = Moment { tick: Tick(5_000), wall_ms: 1_700_000_000_000 };
        Self {
            store: Store::new(options),
            moment,
            database: 0,
            resp3: false,
            log: Vec::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// Lets time pass on both clocks.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.moment.tick.0 += ms;
        self.moment.wall_ms += ms;
    }

    /// Runs a command of words; `"quoted words"` may have spaces and Rust's escapes of bytes.
    pub(crate) fn run(&mut self, command: &str) -> String {
        let command = words(command);
        let args: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
        self.run_as(ClientId(1), &args, Mode::Normal)
    }

    /// Runs a command for a client: its answer, `waits`, or `not mine`.
    pub(crate) fn run_as(&mut self, client: ClientId, command: &[&[u8]], mode: Mode) -> String {
        let mut answer = Written { resp3: self.resp3, ..Written::default() };
        let outcome = self.store.execute(self.moment, client, self.database, command, mode, &mut answer);
        self.collect();
        match outcome {
            Outcome::Done { verbatim } => {
                if verbatim {
                    self.log.push((self.database, command.iter().map(|word| word.to_vec()).collect()));
                }
                answer.text().to_owned()
            }
            Outcome::Blocked => {
                assert_eq!(answer.text(), "", "who waits is not answered");
                self.waiting.insert(client);
                "waits".to_owned()
            }
            Outcome::NotMine => "not mine".to_owned(),
        }
    }

    /// A command of another client.
    pub(crate) fn client(&mut self, client: u64, command: &str) -> String {
        let command = words(command);
        let args: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
        self.run_as(ClientId(client), &args, Mode::Normal)
    }

    /// Serves those whose wait is over: `client: answer` each.
    pub(crate) fn serve(&mut self) -> Vec<String> {
        let mut served = Vec::new();
        while let Some(client) = self.store.next_ready() {
            let mut answer = Written { resp3: self.resp3, ..Written::default() };
            let outcome = self.store.resume(self.moment, client, &mut answer);
            self.collect();
            match outcome {
                Outcome::Done { .. } => {
                    self.waiting.remove(&client);
                    served.push(format!("{}: {}", client.0, answer.text()));
                }
                Outcome::Blocked => assert_eq!(answer.text(), "", "who waits is not answered"),
                Outcome::NotMine => panic!("{client:?} does not wait"),
            }
        }
        while let Some(client) = self.store.timed_out(self.moment) {
            let mut answer = Written::default();
            assert!(self.store.answer_timeout(client, &mut answer));
            self.waiting.remove(&client);
            served.push(format!("{}: {}", client.0, answer.text()));
        }
        served
    }

    /// Removes what is over.
    pub(crate) fn expire(&mut self) -> usize {
        let removed = self.store.expire(self.moment, usize::MAX);
        self.collect();
        removed
    }

    /// Runs a script of lines `command -> answer`, `@ms` to let time pass.
    pub(crate) fn script(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(ms) = line.strip_prefix('@') {
                self.pass(ms.parse().unwrap());
                continue;
            }
            let (command, wanted) = line.split_once(" -> ").unwrap_or_else(|| panic!("no answer in {line}"));
            assert_eq!(self.run(command), wanted, "{command}");
        }
    }

    /// The events since they were asked for last: `event key`.
    pub(crate) fn events(&mut self) -> Vec<String> {
        let mut events = Vec::new();
        self.store.take_changes(&mut |change| {
            let key = change.key.map_or("*".to_owned(), |key| key.escape_ascii().to_string());
            events.push(format!("{} {key}", change.event));
        });
        events
    }

    /// The log since it was asked for last, a line each, without what it says of revisions.
    pub(crate) fn logged(&mut self) -> Vec<String> {
        let lines = self.log.iter().map(|(_, command)| {
            let mut line = String::new();
            for word in command {
                let _ = write!(line, "{}{}", if line.is_empty() { "" } else { " " }, word.escape_ascii());
            }
            line
        });
        let lines = lines.filter(|line| !line.starts_with("REMUDA.REVISION")).collect();
        self.log.clear();
        lines
    }

    /// The whole store as commands, in an order that does not depend on history.
    pub(crate) fn dump(&self) -> Vec<Logged> {
        dump(&self.store, self.moment)
    }

    /// The names of a database's keys whose time is not over.
    pub(crate) fn keys(&self, database: u32) -> BTreeSet<Vec<u8>> {
        let mut keys = BTreeSet::new();
        self.store.dump(self.moment, &mut |of, command| {
            if of == database && command[0] != b"REMUDA.REVISION" {
                let at = if command[0] == b"XGROUP" { 2 } else { 1 };
                keys.insert(command[at].to_vec());
            }
        });
        keys
    }

    pub(crate) fn collect(&mut self) {
        let log = &mut self.log;
        self.store.drain_effects(&mut |database, command| {
            log.push((database, command.iter().map(|word| word.to_vec()).collect()));
        });
    }
}

/// The whole store as commands; without revisions, and with elements that have no order in one.
pub(crate) fn dump(store: &Store, moment: Moment) -> Vec<Logged> {
    let mut commands = Vec::new();
    store.dump(moment, &mut |database, command| {
        let command: Vec<Vec<u8>> = command.iter().map(|word| word.to_vec()).collect();
        match command[0].as_slice() {
            b"REMUDA.REVISION" => {}
            b"SADD" => commands.extend(
                command[2..]
                    .iter()
                    .map(|member| (database, vec![b"SADD".to_vec(), command[1].clone(), member.clone()])),
            ),
            b"HSET" => commands.extend(command[2..].chunks(2).map(|pair| {
                (database, vec![b"HSET".to_vec(), command[1].clone(), pair[0].clone(), pair[1].clone()])
            })),
            _ => commands.push((database, command)),
        }
    });
    // A list's commands must keep their order; a stable sort by database and key does that.
    commands.sort_by(|a, b| (a.0, &a.1[1]).cmp(&(b.0, &b.1[1])));
    let unordered = |command: &Logged| command.1[0] == b"SADD" || command.1[0] == b"HSET";
    commands.sort_by(|a, b| {
        let same = (a.0, &a.1[1]).cmp(&(b.0, &b.1[1]));
        if unordered(a) && unordered(b) { same.then_with(|| a.1.cmp(&b.1)) } else { same }
    });
    commands
}

/// A store made of a log.
pub(crate) fn replayed(log: &[Logged], moment: Moment) -> Store {
    let mut store = Store::new(StoreOptions { seed: 99, ..StoreOptions::default() });
    for (database, command) in log {
        let args: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
        store.replay(moment, *database, &args).unwrap();
    }
    store
}

/// Splits a line into words.
pub(crate) fn words(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut bytes = line.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' => {}
            b'"' => {
                let mut word = Vec::new();
                loop {
                    match bytes.next().unwrap() {
                        b'"' => break,
                        b'\\' => match bytes.next().unwrap() {
                            b'x' => {
                                let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                                word.push(
                                    u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap(),
                                );
                            }
                            b'n' => word.push(b'\n'),
                            other => word.push(other),
                        },
                        other => word.push(other),
                    }
                }
                words.push(word);
            }
            first => {
                let mut word = vec![first];
                while let Some(next) = bytes.next_if(|&next| next != b' ') {
                    word.push(next);
                }
                words.push(word);
            }
        }
    }
    words
}
