//! How we show a PostgreSQL who we are: SCRAM-SHA-256 (RFC 7677), by which it shows the same, or the older MD5.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use super::{Account, PostgresError};

/// A server decides how often a password is hashed (PostgreSQL: 4,096 times). More than this would stop whoever waits.
pub const ROUNDS_MAX: u32 = 100_000;

/// A login on its way.
pub(super) struct Login {
    account: Account,
    scram: Option<ScramSha256>,
    is_done: bool,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "login of {:?}", self.account)
    }
}

impl Login {
    pub(super) fn new(account: Account) -> Self {
        Self { account, scram: None, is_done: false }
    }

    /// Whether the server has let us in, and has shown who it is where it has to.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// The next message of the server about it.
    pub(super) fn heard(&mut self, message: &Message, out: &mut BytesMut) -> Result<(), PostgresError> {
        let wrong = |error: std::io::Error| PostgresError::Login(error.to_string());
        match message {
            // Behind SCRAM the server has to have shown that it knows the password too.
            Message::AuthenticationOk if self.scram.is_none() => self.is_done = true,
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(self.account.user.as_bytes(), self.password()?.as_bytes(), body.salt());
                frontend::password_message(hash.as_bytes(), out).map_err(PostgresError::Question)?;
            }
            Message::AuthenticationSasl(body) => {
                let mut mechanisms = body.mechanisms();
                let is_known =
                    mechanisms.any(|name| Ok(name == SCRAM_SHA_256)).map_err(PostgresError::Bytes)?;
                if !is_known {
                    return Err(PostgresError::Method("another SASL mechanism"));
                }
                let scram = ScramSha256::new(self.password()?.as_bytes(), ChannelBinding::unsupported());
                let said = frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), out);
                said.map_err(PostgresError::Question)?;
                self.scram = Some(scram);
            }
            Message::AuthenticationSaslContinue(body) => {
                check_rounds(body.data())?;
                let scram = self.scram.as_mut().ok_or(PostgresError::Unasked)?;
                scram.update(body.data()).map_err(wrong)?;
                frontend::sasl_response(scram.message(), out).map_err(PostgresError::Question)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                let mut scram = self.scram.take().ok_or(PostgresError::Unasked)?;
                scram.finish(body.data()).map_err(wrong)?;
            }
            Message::AuthenticationCleartextPassword => {
                return Err(PostgresError::Method("the password in the clear"));
            }
            Message::AuthenticationGss | Message::AuthenticationKerberosV5 | Message::AuthenticationSspi => {
                return Err(PostgresError::Method("Kerberos"));
            }
            _ => return Err(PostgresError::Unasked),
        }
        Ok(())
    }

    fn password(&self) -> Result<&str, PostgresError> {
        self.account.password.as_deref().ok_or(PostgresError::NoPassword)
    }
}

/// `r=…,s=…,i=4096`.
fn check_rounds(said: &[u8]) -> Result<(), PostgresError> {
    let mut words = said.split(|byte| *byte == b',');
    let rounds =
        words.find_map(|word| word.strip_prefix(b"i=")).and_then(|word| std::str::from_utf8(word).ok());
    match rounds.and_then(|rounds| rounds.parse::<u32>().ok()) {
        Some(1..=ROUNDS_MAX) => Ok(()),
        Some(_) => {
            Err(PostgresError::Login(format!("it has a password hashed more than {ROUNDS_MAX} times")))
        }
        None => Err(PostgresError::Login("it does not say how often a password is hashed".to_owned())),
    }
}
