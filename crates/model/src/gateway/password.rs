//! Files of who may ask: one line each, a name and what is left of a password or token.
//!
//! Only what can be checked safely is taken: the old `crypt` and Apache's MD5 are refused with what to do instead. What a
//! line says is parsed here, so that a config is refused for what the gateway could not use.

/// Longest file, bytes.
pub const PASSWORD_FILE_BYTES_MAX: usize = 1 << 20;

/// What is left of a password or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordHash {
    /// `$2y$…`, as `htpasswd -B` writes it.
    Bcrypt(String),
    /// `$5$…` or `$6$…`, as `mkpasswd` and `htpasswd -2`, `-5` write it.
    ShaCrypt(String),
    /// `{SHA}` and base64, as `htpasswd -s` writes it; only for what is as long as a token.
    Sha1(String),
    /// `sha256:` and 64 hexadecimal digits, for tokens: `printf %s TOKEN | sha256sum`.
    Sha256([u8; 32]),
}

/// Who may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordLine {
    /// The name.
    pub name: String,
    /// The rest.
    pub hash: PasswordHash,
}

/// Why a line says nothing. What stands behind the name is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct PasswordError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: PasswordFault,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// No colon.
    #[error("a line is NAME:HASH")]
    Form,
    /// Nothing before the colon, or a control character.
    #[error("a name is not empty and has no control characters")]
    Name,
    /// Twice the same name.
    #[error("{0:?} is there twice")]
    Twice(String),
    /// Apache's MD5.
    #[error("Apache's MD5 is too weak; write the line anew by: htpasswd -B FILE {0}")]
    Md5(String),
    /// Not known.
    #[error(
        "what follows {0:?} is no hash of bcrypt, SHA-256 crypt, SHA-512 crypt, {{SHA}} or sha256:HEX; write it by: htpasswd -B FILE {0}"
    )]
    Hash(String),
}

/// The lines of a file; empty ones and those that begin with `#` say nothing.
///
/// # Errors
/// The first line that is wrong.
pub fn password_lines(text: &str) -> Result<Vec<PasswordLine>, PasswordError> {
    let mut lines: Vec<PasswordLine> = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let failed = |why| PasswordError { line: number, why };
        let parsed = password_line(line).map_err(failed)?;
        if !names.insert(parsed.name.clone()) {
            return Err(failed(PasswordFault::Twice(parsed.name)));
        }
        lines.push(parsed);
    }
    Ok(lines)
}

fn password_line(line: &str) -> Result<PasswordLine, PasswordFault> {
    let (name, hash) = line.split_once(':').ok_or(PasswordFault::Form)?;
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(PasswordFault::Name);
    }
    let wrong = || PasswordFault::Hash(name.to_owned());
    let is_any = |prefixes: &[&str]| prefixes.iter().any(|prefix| hash.starts_with(prefix));
    let hash = if is_any(&["$2y$", "$2a$", "$2b$"]) {
        PasswordHash::Bcrypt(hash.to_owned())
    } else if is_any(&["$5$", "$6$"]) {
        PasswordHash::ShaCrypt(hash.to_owned())
    } else if is_any(&["$apr1$", "$1$"]) {
        return Err(PasswordFault::Md5(name.to_owned()));
    } else if let Some(digest) = hash.strip_prefix("{SHA}") {
        if digest.len() != 28 {
            return Err(wrong());
        }
        PasswordHash::Sha1(digest.to_owned())
    } else if let Some(digits) = hash.strip_prefix("sha256:") {
        PasswordHash::Sha256(crate::hub::from_hex(digits).ok_or_else(wrong)?)
    } else {
        return Err(wrong());
    };
    Ok(PasswordLine { name: name.to_owned(), hash })
}
