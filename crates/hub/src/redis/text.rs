//! Arguments of commands as words and numbers.

/// Whether `argument` is `word`, in any case.
pub(crate) fn is(argument: &[u8], word: &str) -> bool {
    argument.eq_ignore_ascii_case(word.as_bytes())
}

/// A decimal integer, as strictly as Redis reads one.
pub(crate) fn number(argument: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(argument).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = digits == "0" || (!digits.is_empty() && !digits.starts_with('0'));
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && plain && text != "-0").then(|| text.parse().ok()).flatten()
}

/// Why a subcommand is refused: there is none of that name among `known`, or it takes another number of arguments.
pub(crate) fn subcommand_refused(command: &str, known: &[&str], given: &[u8]) -> String {
    match known.iter().find(|name| is(given, name)) {
        Some(name) => format!("ERR wrong number of arguments for '{command}|{name}' command"),
        None => {
            format!(
                "ERR unknown subcommand '{}'. Try {} HELP.",
                printable(given),
                command.to_ascii_uppercase()
            )
        }
    }
}

/// For an error text: at most 128 bytes of it, on one line.
pub(crate) fn printable(argument: &[u8]) -> String {
    let shown = &argument[..argument.len().min(128)];
    one_line(shown)
}

/// As text on one line; bytes that are not UTF-8 become U+FFFD.
pub(crate) fn one_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace(['\r', '\n'], " ")
}
