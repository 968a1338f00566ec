//! The known name that somebody probably meant.

/// Longer ones are not typing errors, and comparing takes time with the square of the length.
const COMPARED_BYTES_MAX: usize = 64;

/// The candidate nearest to `name`, if any is near: one error in three characters.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(whole) = candidates.iter().find(|candidate| begins(name, candidate)) {
        return Some(whole);
    }
    let near = name.chars().count().div_ceil(3).max(1);
    let distance = |candidate: &'a str| (strsim::damerau_levenshtein(name, candidate), candidate);
    let (distance, candidate) = candidates.into_iter().map(distance).min()?;
    (distance <= near && distance < candidate.chars().count()).then_some(candidate)
}

/// Whether `name` is a word of which `candidate` is the longer form, as `list` and `listing`.
pub(crate) fn begins(name: &str, candidate: &str) -> bool {
    name.len() >= 4 && candidate.len() > name.len() && candidate.starts_with(name)
}
