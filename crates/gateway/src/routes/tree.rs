//! Patterns as a tree of segments.
//!
//! Each node is visited once at most for a request, since it is reached by one way only and takes the path's segments one
//! by one: the work is bounded by the number of segments of all patterns, whatever the path.

use std::cmp::Reverse;

use remuda_model::gateway::{Pattern, Segment, SegmentKind};
use remuda_wire::http::normalize;

use super::Captures;

/// A tree of patterns, with routes at its leaves.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// By text, sorted.
    texts: Vec<(Box<[u8]>, usize)>,
    /// The most specific first.
    parameters: Vec<Edge>,
    /// Routes whose pattern ends here.
    ends: Vec<usize>,
    /// Routes that take the rest from here.
    rests: Vec<usize>,
}

#[derive(Debug, PartialEq, Eq)]
struct Edge {
    prefix: Box<[u8]>,
    suffix: Box<[u8]>,
    kind: SegmentKind,
    node: usize,
}

impl Edge {
    /// What the segment has between prefix and suffix, if that is of the kind.
    fn take(&self, segment: &[u8]) -> Option<(usize, usize)> {
        let end = segment.len().checked_sub(self.suffix.len())?;
        let inside = segment.get(self.prefix.len()..end)?;
        let fits = segment.starts_with(&self.prefix) && segment.ends_with(&self.suffix);
        let is_kind = match self.kind {
            SegmentKind::Any => !inside.is_empty(),
            kind => std::str::from_utf8(inside).is_ok_and(|text| kind.is(text)),
        };
        (fits && is_kind).then_some((self.prefix.len(), end))
    }

    /// No two edges that take one segment have the same rank, so that the first that takes it is the one.
    fn rank(&self) -> (Reverse<usize>, Reverse<usize>, SegmentKind) {
        (Reverse(self.prefix.len() + self.suffix.len()), Reverse(self.prefix.len()), self.kind)
    }
}

impl Tree {
    /// Adds the pattern of `route`. Routes of one place stay in the order they are added.
    pub(super) fn add(&mut self, pattern: &Pattern, route: usize) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        for segment in pattern.segments() {
            at = match segment {
                Segment::Text(text) => self.text(at, text),
                Segment::Parameter { prefix, kind, suffix, .. } => self.parameter(at, prefix, *kind, suffix),
                Segment::Rest { .. } => {
                    self.nodes[at].rests.push(route);
                    return;
                }
            };
        }
        self.nodes[at].ends.push(route);
    }

    fn text(&mut self, at: usize, text: &str) -> usize {
        let text = normal(text);
        match self.nodes[at].texts.binary_search_by(|(known, _)| known.as_ref().cmp(&text)) {
            Ok(index) => self.nodes[at].texts[index].1,
            Err(index) => {
                let node = self.grow();
                self.nodes[at].texts.insert(index, (text.into(), node));
                node
            }
        }
    }

    fn parameter(&mut self, at: usize, prefix: &str, kind: SegmentKind, suffix: &str) -> usize {
        let (prefix, suffix) = (normal(prefix), normal(suffix));
        let same = |edge: &&Edge| (&*edge.prefix, &*edge.suffix, edge.kind) == (&prefix, &suffix, kind);
        if let Some(edge) = self.nodes[at].parameters.iter().find(same) {
            return edge.node;
        }
        let node = self.grow();
        let edge = Edge { prefix: prefix.into(), suffix: suffix.into(), kind, node };
        let edges = &mut self.nodes[at].parameters;
        let place = edges.partition_point(|other| other.rank() <= edge.rank());
        edges.insert(place, edge);
        node
    }

    fn grow(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    /// Calls `take` with the routes of each place that `path` reaches, the most specific first, until it gives something.
    pub(super) fn walk<T>(
        &self,
        path: &[u8],
        captures: &mut Captures,
        take: &mut impl FnMut(&[usize], &Captures) -> Option<T>,
    ) -> Option<T> {
        if self.nodes.is_empty() || path.first() != Some(&b'/') {
            return None;
        }
        self.descend(0, path, 1, captures, take)
    }

    /// From a node, with the segment that begins at `begin`.
    fn descend<T>(
        &self,
        node: usize,
        path: &[u8],
        begin: usize,
        captures: &mut Captures,
        take: &mut impl FnMut(&[usize], &Captures) -> Option<T>,
    ) -> Option<T> {
        let node = self.nodes.get(node)?;
        let rest = path.get(begin..)?;
        let len = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        let (segment, end) = (&rest[..len], begin + len);
        let is_last = end == path.len();
        let kept = captures.len();
        let next = |child: usize, captures: &mut Captures, take: &mut _| {
            if is_last {
                let ends = &self.nodes[child].ends;
                return if ends.is_empty() { None } else { Self::leaf(ends, captures, take) };
            }
            self.descend(child, path, end + 1, captures, take)
        };
        if let Ok(index) = node.texts.binary_search_by(|(known, _)| known.as_ref().cmp(segment))
            && let Some(found) = next(node.texts[index].1, captures, take)
        {
            return Some(found);
        }
        for edge in &node.parameters {
            let Some((from, to)) = edge.take(segment) else { continue };
            captures.push(begin + from, begin + to);
            if let Some(found) = next(edge.node, captures, take) {
                return Some(found);
            }
            captures.truncate(kept);
        }
        if node.rests.is_empty() {
            return None;
        }
        captures.push(begin, path.len());
        let found = Self::leaf(&node.rests, captures, take);
        if found.is_none() {
            captures.truncate(kept);
        }
        found
    }

    fn leaf<T>(
        routes: &[usize],
        captures: &Captures,
        take: &mut impl FnMut(&[usize], &Captures) -> Option<T>,
    ) -> Option<T> {
        take(routes, captures)
    }
}

/// A text of a pattern as paths have it when routes see them.
pub(super) fn normal(text: &str) -> Vec<u8> {
    let mut whole = vec![b'/'];
    whole.extend_from_slice(text.as_bytes());
    let mut out = Vec::new();
    match normalize(&whole, &mut out) {
        Ok(true) => out.split_off(1),
        Ok(false) | Err(_) => text.as_bytes().to_vec(),
    }
}
