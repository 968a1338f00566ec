//! Did you mean …?

use remuda_model::Refusal;
use remuda_model::view::Instance;

/// The refusal of a service that `view` does not have, with the name nearest to it.
pub(crate) fn no_such_service(view: &Instance, name: &str) -> Refusal {
    let distance = |known: &str| strsim::damerau_levenshtein(name, known);
    let names = view.services.iter().map(|service| service.name.as_str());
    let near = names.map(|known| (distance(known), known)).min();
    let nearest = near.filter(|(distance, known)| *distance <= known.len().max(name.len()) / 2);
    Refusal::NoSuchService { name: name.to_owned(), nearest: nearest.map(|(_, known)| known.to_owned()) }
}
