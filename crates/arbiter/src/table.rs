//! The table of a worker's life, printed from the code itself.

use std::fmt::Write;

use crate::life::{CAUSES, Move, PHASES, react};

/// The table of phases and causes as Markdown: what is done, and the phase it leads to. A dot does nothing.
#[must_use]
pub fn life_table() -> String {
    let mut table = String::from("| cause \\ phase |");
    for phase in PHASES {
        let _ = write!(table, " {phase} |");
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(PHASES.len()));
    for cause in CAUSES {
        let _ = write!(table, "\n| {} |", words(&format!("{cause:?}")));
        for phase in PHASES {
            let made = react(phase, cause);
            let _ = match (made, made.leads_to()) {
                (Move::Ignore, _) => write!(table, " · |"),
                (made, Some(next)) => write!(table, " {} → {next} |", words(&format!("{made:?}"))),
                (made, None) => write!(table, " {} |", words(&format!("{made:?}"))),
            };
        }
    }
    table.push('\n');
    table
}

/// `SetupFailed` as `setup failed`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    words
}
