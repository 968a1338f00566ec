//! Node.

use std::path::Path;

use serde_json::Value;

use super::{Guess, has, look};

pub(super) fn guess(folder: &Path, names: &[String]) -> Option<Guess> {
    if !has(names, "package.json") {
        return None;
    }
    let package: Value = serde_json::from_str(&look(&folder.join("package.json"))?).ok()?;
    let start = package.pointer("/scripts/start").and_then(Value::as_str);
    let main = package.get("main").and_then(Value::as_str);
    let (command, why) = match (start, main) {
        (Some(start), _) if is_plain_node(start) => (start.to_owned(), "package.json has scripts.start"),
        (Some(_), _) => ("npm start".to_owned(), "package.json has scripts.start"),
        (None, Some(main)) if is_plain(main) => (format!("node {main}"), "package.json has main"),
        _ => {
            let file = ["server.js", "index.js", "app.js"].into_iter().find(|name| has(names, name))?;
            (format!("node {file}"), "package.json is there")
        }
    };
    let guess = Guess::itself(command, 3000, why);
    Some(guess.hint("To share a socket among workers and reload without a gap, listen({ fd: 3 }) on a socket given to it."))
}

/// Run without npm, which does not pass signals on.
fn is_plain_node(command: &str) -> bool {
    command.starts_with("node ") && is_plain(command)
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" ./_-=".contains(&byte))
}
