//! PostgreSQL's protocol, version 3, as a client speaks it: it logs in, prepares statements, and runs them.
//!
//! The messages are those of `postgres-protocol`; here is their order. Each question ends with a *sync*, which PostgreSQL
//! answers with *ready*, whatever became of the question: so answers belong to questions by their order, and a failed one
//! takes none of the others with it. Of an answer the last row is kept.
//!
//! A password is never sent in the clear, and not hashed more often than [`ROUNDS_MAX`] times because a server says so.

mod login;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{ErrorFields, Header, Message};
use postgres_protocol::message::frontend;
use postgres_protocol::{IsNull, Oid};

use login::Login;
pub use login::ROUNDS_MAX;

/// Longest message of a server that is read: rows of ours are short, and so are errors.
pub const MESSAGE_MAX_BYTES: usize = 1 << 20;
/// Tag and length.
const HEADER_BYTES: usize = 5;
/// Binary values, as we send them.
const BINARY: i16 = 1;
/// Values as text, as we want them.
const TEXT: i16 = 0;

/// Who we are.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The role.
    pub user: String,
    /// What shows that it is us, if anything is needed.
    pub password: Option<String>,
    /// The database.
    pub database: String,
    /// As the server's own lists name us.
    pub application: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@/{}", self.user, self.database)
    }
}

/// The answer to one question; the first is that to the login.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The last row, as texts.
    pub row: Option<Vec<Option<String>>>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// What a server says of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Five letters and digits, as in PostgreSQL's manual, Appendix A.
    pub code: String,
    /// In words.
    pub text: String,
}

/// Why the conversation is over.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// It does not let us in.
    #[error("it refuses us: {}", .0.text)]
    Refused(Failure),
    /// It ends the session.
    #[error("it ended the session: {}", .0.text)]
    Ended(Failure),
    /// A way to show who we are that we do not know, or do not use.
    #[error("it wants {0}, which the hub does not do: scram-sha-256 and md5 are what it knows")]
    Method(&'static str),
    /// It wants a password, and there is none.
    #[error("it wants a password, and its URL has none")]
    NoPassword,
    /// What it proves does not prove that it knows the password, or asks too much.
    #[error("its side of the login is wrong: {0}")]
    Login(String),
    /// Bytes that are no message of PostgreSQL's.
    #[error("what it says is not PostgreSQL's protocol: {0}")]
    Bytes(#[source] std::io::Error),
    /// Longer than [`MESSAGE_MAX_BYTES`].
    #[error("it sent a message of more than {MESSAGE_MAX_BYTES} bytes")]
    Long,
    /// A message that has no place here.
    #[error("it said something that is no answer to what it was asked")]
    Unasked,
    /// What we wanted to say cannot be said.
    #[error("cannot be asked: {0}")]
    Question(#[source] std::io::Error),
}

/// One conversation.
#[derive(Debug)]
pub struct Postgres {
    /// Until the server has let us in.
    login: Option<Login>,
    answer: Answer,
}

impl Postgres {
    /// Begins one.
    ///
    /// # Errors
    /// A name in `account` has a zero byte.
    pub fn begin(account: Account, out: &mut BytesMut) -> Result<Self, PostgresError> {
        let words = [
            ("user", account.user.as_str()),
            ("database", account.database.as_str()),
            ("application_name", account.application.as_str()),
            ("client_encoding", "UTF8"),
        ];
        frontend::startup_message(words, out).map_err(PostgresError::Question)?;
        Ok(Self { login: Some(Login::new(account)), answer: Answer::default() })
    }

    /// Asks with a text of SQL, of any statements.
    ///
    /// # Errors
    /// It has a zero byte.
    pub fn query(&self, sql: &str, out: &mut BytesMut) -> Result<(), PostgresError> {
        frontend::query(sql, out).map_err(PostgresError::Question)
    }

    /// Has a statement prepared, by this name and with values of these types.
    ///
    /// # Errors
    /// It has a zero byte.
    pub fn prepare(
        &self,
        name: &str,
        sql: &str,
        types: &[Oid],
        out: &mut BytesMut,
    ) -> Result<(), PostgresError> {
        frontend::parse(name, sql, types.iter().copied(), out).map_err(PostgresError::Question)?;
        frontend::sync(out);
        Ok(())
    }

    /// Runs a prepared statement with these values, in PostgreSQL's binary form.
    ///
    /// # Errors
    /// A value is longer than the protocol has numbers for.
    pub fn run(&self, name: &str, values: &[&[u8]], out: &mut BytesMut) -> Result<(), PostgresError> {
        let write = |value: &[u8], out: &mut BytesMut| {
            out.extend_from_slice(value);
            Ok(IsNull::No)
        };
        frontend::bind("", name, [BINARY], values.iter().copied(), write, [TEXT], out).map_err(|error| {
            PostgresError::Question(match error {
                frontend::BindError::Serialization(error) => error,
                frontend::BindError::Conversion(error) => std::io::Error::other(error.to_string()),
            })
        })?;
        frontend::execute("", 0, out).map_err(PostgresError::Question)?;
        frontend::sync(out);
        Ok(())
    }

    /// Reads on; the next answer, once it is all there. What has to be said meanwhile goes to `out`.
    ///
    /// # Errors
    /// [`PostgresError`]; the conversation is over.
    pub fn read(
        &mut self,
        input: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<Option<Answer>, PostgresError> {
        loop {
            if let Some(header) = Header::parse(input).map_err(PostgresError::Bytes)?
                && usize::try_from(header.len())
                    .map_or(true, |length| length > MESSAGE_MAX_BYTES - HEADER_BYTES)
            {
                return Err(PostgresError::Long);
            }
            let Some(message) = Message::parse(input).map_err(PostgresError::Bytes)? else { return Ok(None) };
            match message {
                Message::ReadyForQuery(_) if self.login.as_ref().is_some_and(|login| !login.is_done()) => {
                    return Err(PostgresError::Unasked);
                }
                Message::ReadyForQuery(_) => {
                    self.login = None;
                    return Ok(Some(std::mem::take(&mut self.answer)));
                }
                Message::ErrorResponse(body) => self.failed(body.fields())?,
                Message::DataRow(body) => {
                    let bytes = body.buffer();
                    let cell = |range: Option<std::ops::Range<usize>>| {
                        range.map(|range| String::from_utf8_lossy(&bytes[range]).into_owned())
                    };
                    let cells =
                        body.ranges().map(|range| Ok(cell(range))).collect().map_err(PostgresError::Bytes)?;
                    self.answer.row = Some(cells);
                }
                Message::BackendKeyData(_)
                | Message::BindComplete
                | Message::CommandComplete(_)
                | Message::EmptyQueryResponse
                | Message::NoData
                | Message::NoticeResponse(_)
                | Message::NotificationResponse(_)
                | Message::ParameterStatus(_)
                | Message::ParseComplete
                | Message::RowDescription(_) => {}
                other => match &mut self.login {
                    Some(login) => login.heard(&other, out)?,
                    None => return Err(PostgresError::Unasked),
                },
            }
        }
    }

    fn failed(&mut self, mut fields: ErrorFields<'_>) -> Result<(), PostgresError> {
        let mut failure = Failure { code: String::new(), text: String::new() };
        let mut is_last = false;
        while let Some(field) = fields.next().map_err(PostgresError::Bytes)? {
            let text = String::from_utf8_lossy(field.value_bytes());
            match field.type_() {
                b'C' => failure.code = text.into_owned(),
                b'M' => failure.text = text.into_owned(),
                // Not translated, unlike `S`.
                b'V' => is_last = matches!(&*text, "FATAL" | "PANIC"),
                _ => {}
            }
        }
        if self.login.is_some() {
            return Err(PostgresError::Refused(failure));
        }
        if is_last {
            return Err(PostgresError::Ended(failure));
        }
        self.answer = Answer { row: None, failure: Some(failure) };
        Ok(())
    }
}
