//! Which certificate a client is offered.
//!
//! The names a certificate is used for are those of the config, or its own. An exact name goes before a wildcard, a longer
//! wildcard before a shorter one, and what no certificate is for gets the first of all, as most servers do. Of several for one name the first goes that the
//! client can verify: an RSA certificate may stand behind one of ECDSA for clients that are old.

use std::collections::HashMap;

use remuda_model::gateway::HostPattern;

#[cfg(test)]
mod tests;

/// Names, and the numbers of the certificates they are used with.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    exact: HashMap<Box<str>, Vec<usize>, foldhash::fast::FixedState>,
    /// By what follows the `*`, with the dot.
    below: HashMap<Box<str>, Vec<usize>, foldhash::fast::FixedState>,
    all: Vec<usize>,
}

impl Shelf {
    /// Of certificates that are there: a number, and the hosts each is used for.
    pub(super) fn new<'a>(certificates: impl IntoIterator<Item = (usize, &'a [HostPattern])>) -> Self {
        let mut shelf = Self::default();
        for (number, hosts) in certificates {
            shelf.all.push(number);
            for host in hosts {
                let (names, name) = match host.suffix() {
                    Some(suffix) => (&mut shelf.below, suffix),
                    None => (&mut shelf.exact, host.as_str()),
                };
                names.entry(name.into()).or_default().push(number);
            }
        }
        shelf
    }

    /// The best of what `suits` for `name`, which is in lower case; where nothing suits, the best of all.
    pub(super) fn find(&self, name: Option<&str>, suits: impl Fn(usize) -> bool) -> Option<usize> {
        let named = name.map(|name| self.named(name)).filter(|named| !named.is_empty());
        let all = named.unwrap_or(&self.all);
        all.iter().copied().find(|number| suits(*number)).or_else(|| all.first().copied())
    }

    fn named(&self, name: &str) -> &[usize] {
        if let Some(numbers) = self.exact.get(name) {
            return numbers;
        }
        let dots = name.match_indices('.').map(|(at, _)| at);
        dots.filter(|at| *at > 0).find_map(|at| self.below.get(&name[at..])).map_or(&[], Vec::as_slice)
    }
}
