//! Shell patterns: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`.

use std::path::{Path, PathBuf};

/// Paths one pattern may yield; an include that matches more is a mistake.
const MATCHES_MAX: usize = 1024;

/// Whether `text` as a whole matches `pattern`. An unclosed bracket stands for itself.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut read) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while read < text.len() {
        if pattern.get(at) == Some(&'*') {
            retry = Some((at + 1, read));
            at += 1;
        } else if let Some(width) = single(&pattern[at..], text[read]) {
            at += width;
            read += 1;
        } else if let Some((after_star, from)) = retry {
            (at, read) = (after_star, from + 1);
            retry = Some((after_star, from + 1));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|left| *left == '*')
}

/// How many characters of `pattern` describe `character`, if its first element does.
fn single(pattern: &[char], character: char) -> Option<usize> {
    match *pattern.first()? {
        '?' => Some(1),
        '[' => match bracket(pattern, character) {
            Some((width, fits)) => fits.then_some(width),
            None => (character == '[').then_some(1),
        },
        own => (own == character).then_some(1),
    }
}

/// Width of the bracket expression `pattern` begins with, and whether `character` is in it; `None` if it is not closed.
fn bracket(pattern: &[char], character: char) -> Option<(usize, bool)> {
    let negated = pattern.get(1) == Some(&'!');
    let first = if negated { 2 } else { 1 };
    let close = (first + 1..pattern.len()).find(|at| pattern[*at] == ']')?;
    let members = &pattern[first..close];
    let mut inside = false;
    let mut at = 0;
    while at < members.len() {
        if at + 2 < members.len() && members[at + 1] == '-' {
            inside |= (members[at]..=members[at + 2]).contains(&character);
            at += 3;
        } else {
            inside |= members[at] == character;
            at += 1;
        }
    }
    Some((close + 1, inside != negated))
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The existing paths that match `pattern`, sorted, at most 1024. A leading dot is matched only by a dot.
pub(crate) fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let part = component.as_os_str();
        let wild = part.to_str().filter(|text| is_pattern(text));
        found = match wild {
            None => found.into_iter().map(|base| base.join(part)).filter(|path| path.exists()).collect(),
            Some(wild) => found.iter().flat_map(|base| children(base, wild)).take(MATCHES_MAX).collect(),
        };
    }
    found
}

fn children(base: &Path, wild: &str) -> Vec<PathBuf> {
    let folder = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| (!name.starts_with('.') || wild.starts_with('.')) && matches(wild, name))
        .collect();
    names.sort();
    names.into_iter().map(|name| base.join(name)).collect()
}

#[cfg(test)]
mod tests;
