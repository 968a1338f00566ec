//! Who may talk with whom.

use crate::spread::random::Random;

/// A shape of a herd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// One after the other.
    Line,
    /// The same, closed.
    Ring,
    /// Everybody with everybody.
    Clique,
    /// Each with one that came before, by chance.
    Tree,
    /// Each with the first.
    Star,
    /// Each with this many others, by chance; a few have more where it would fall apart.
    Random {
        /// Links of a node.
        degree: usize,
    },
    /// The five servers of the first herd: Blake, Bryant, Gasol, Howard, Metta. Blake talks with Bryant and Howard; Gasol
    /// with Bryant and Howard; Metta with Bryant.
    Talk,
}

impl Topology {
    /// The pairs that have a wire, among `count` nodes (5 for [`Topology::Talk`]).
    #[must_use]
    pub fn pairs(self, count: usize, seed: u64) -> Vec<[usize; 2]> {
        let mut random = Random::new(seed);
        match self {
            Self::Line => (1..count).map(|node| [node - 1, node]).collect(),
            Self::Ring if count < 3 => Self::Line.pairs(count, seed),
            Self::Ring => (0..count).map(|node| [node, (node + 1) % count]).collect(),
            Self::Clique => {
                (0..count).flat_map(|one| (one + 1..count).map(move |other| [one, other])).collect()
            }
            Self::Tree => (1..count).map(|node| [random.below(node), node]).collect(),
            Self::Star => (1..count).map(|node| [0, node]).collect(),
            Self::Random { degree } => regular(count, degree, &mut random),
            Self::Talk => vec![[0, 1], [0, 3], [2, 1], [2, 3], [4, 1]],
        }
    }
}

/// A graph in which all have `degree` links, but for a few that find no partner: stubs are paired by chance, a pair that
/// is no link (with oneself, or a second time) is swapped with another.
fn regular(count: usize, degree: usize, random: &mut Random) -> Vec<[usize; 2]> {
    let stubs: Vec<usize> = (0..count).flat_map(|node| std::iter::repeat_n(node, degree)).collect();
    let stubs = random.take(stubs, usize::MAX);
    let mut pairs: Vec<[usize; 2]> =
        stubs.chunks_exact(2).map(|two| [two[0].min(two[1]), two[0].max(two[1])]).collect();
    for _round in 0..100 {
        let mut seen = std::collections::BTreeSet::new();
        let bad: Vec<usize> = (0..pairs.len())
            .filter(|at| pairs[*at][0] == pairs[*at][1] || !seen.insert(pairs[*at]))
            .collect();
        if bad.is_empty() {
            break;
        }
        for at in bad {
            let other = random.below(pairs.len());
            let ([a, b], [c, d]) = (pairs[at], pairs[other]);
            pairs[at] = [a.min(c), a.max(c)];
            pairs[other] = [b.min(d), b.max(d)];
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs.retain(|[one, other]| one != other);
    join(count, &mut pairs);
    pairs
}

/// Adds links until all nodes hang together.
fn join(count: usize, pairs: &mut Vec<[usize; 2]>) {
    let mut part: Vec<usize> = (0..count).collect();
    let unite = |part: &mut Vec<usize>, one: usize, other: usize| {
        let (kept, gone) = (part[one], part[other]);
        part.iter_mut().filter(|of| **of == gone).for_each(|of| *of = kept);
    };
    for [one, other] in pairs.iter() {
        if part[*one] != part[*other] {
            unite(&mut part, *one, *other);
        }
    }
    for node in 1..count {
        if part[node] != part[0] {
            unite(&mut part, 0, node);
            pairs.push([0, node]);
        }
    }
}
