//! Foreign names made names of ours.

use std::collections::BTreeMap;

use remuda_model::ServiceName;

/// Names given out so far, in one name space (services, or sockets).
#[derive(Debug, Default)]
pub(crate) struct Naming {
    taken: BTreeMap<String, String>,
}

impl Naming {
    /// The native name of `foreign`: itself where our rules allow, else with what they refuse replaced by `-`, cut to
    /// 64 characters, and numbered when another has it already.
    pub(crate) fn take(&mut self, foreign: &str) -> String {
        let mut plain: String = foreign
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() || "-_@".contains(letter) { letter } else { '-' })
            .take(60)
            .collect();
        if ServiceName::new(foreign).is_ok() {
            foreign.clone_into(&mut plain);
        } else if !plain.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            plain.insert(0, 'x');
        }
        let mut name = plain.clone();
        let mut number = 2;
        while self.taken.contains_key(&name) {
            plain.truncate(60);
            name = format!("{plain}-{number}");
            number += 1;
        }
        self.taken.insert(name.clone(), foreign.to_owned());
        name
    }
}
