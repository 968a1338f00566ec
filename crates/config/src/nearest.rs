//! The known name that somebody probably meant.

/// Longer ones are not typing errors, and comparing takes time with the square of the length.
const COMPARED_BYTES_MAX: usize = 64;

/// The candidate nearest to `name`, if any is near: one error in three characters.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let near = name.chars().count().div_ceil(3).max(1);
    let distance = |candidate: &'a str| (strsim::damerau_levenshtein(name, candidate), candidate);
    let (distance, candidate) = candidates.into_iter().map(distance).min()?;
    (distance <= near && distance < candidate.chars().count()).then_some(candidate)
}
