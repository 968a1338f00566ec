//! A list: a queue of elements, open at both ends, with any element at hand.

use std::collections::VecDeque;
use std::collections::vec_deque::Iter;

use crate::value::{ALLOCATION_BYTES, DUMP_ITEMS};

/// What an element takes beyond its bytes: its place in the queue and its allocation.
const ELEMENT_BYTES: usize = size_of::<Box<[u8]>>() + ALLOCATION_BYTES;
/// A queue with fewer elements than this is never shrunk.
const SHRINK_FROM: usize = 64;

/// An end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Left,
    Right,
}

/// A list.
#[derive(Debug, Clone, Default)]
pub(crate) struct List {
    elements: VecDeque<Box<[u8]>>,
    bytes: usize,
}

impl List {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn len(&self) -> usize {
        self.elements.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    pub(crate) fn iter(&self) -> Iter<'_, Box<[u8]>> {
        self.elements.iter()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        self.elements.get(index).map(AsRef::as_ref)
    }

    /// The elements from `start` to before `end`, which are in range.
    pub(crate) fn range(&self, start: usize, end: usize) -> Iter<'_, Box<[u8]>> {
        self.elements.range(start..end)
    }

    /// The index of an element, where negative ones count from the end.
    pub(crate) fn index(&self, index: i64) -> Option<usize> {
        let len = i64::try_from(self.len()).unwrap_or(i64::MAX);
        let index = if index < 0 { index.checked_add(len)? } else { index };
        usize::try_from(index).ok().filter(|&index| index < self.len())
    }

    pub(crate) fn push(&mut self, end: End, element: Box<[u8]>) {
        self.bytes += element.len() + ELEMENT_BYTES;
        match end {
            End::Left => self.elements.push_front(element),
            End::Right => self.elements.push_back(element),
        }
    }

    pub(crate) fn pop(&mut self, end: End) -> Option<Box<[u8]>> {
        let element = match end {
            End::Left => self.elements.pop_front(),
            End::Right => self.elements.pop_back(),
        }?;
        self.bytes -= element.len() + ELEMENT_BYTES;
        self.shrink();
        Some(element)
    }

    /// Puts `element` at `index`, which is at most the length.
    pub(crate) fn insert(&mut self, index: usize, element: &[u8]) {
        self.bytes += element.len() + ELEMENT_BYTES;
        self.elements.insert(index, element.into());
    }

    /// Puts `element` in the place of the one at `index`, which is in range.
    pub(crate) fn replace(&mut self, index: usize, element: &[u8]) {
        self.bytes = self.bytes + element.len() - self.elements[index].len();
        self.elements[index] = element.into();
    }

    /// Keeps what lies from `start` to before `end`.
    pub(crate) fn trim(&mut self, start: usize, end: usize) {
        let end = end.max(start).min(self.elements.len());
        let bytes = |element: Box<[u8]>| element.len() + ELEMENT_BYTES;
        self.bytes -= self.elements.drain(end..).map(bytes).sum::<usize>();
        self.bytes -= self.elements.drain(..start.min(end)).map(bytes).sum::<usize>();
        self.shrink();
    }

    /// Removes the first `max` elements equal to `element`, counted from `end`. Returns how many there were.
    pub(crate) fn remove(&mut self, element: &[u8], end: End, max: usize) -> usize {
        let mut left = max;
        let mut keeps = |each: &[u8]| {
            let goes = left > 0 && each == element;
            left -= usize::from(goes);
            !goes
        };
        match end {
            End::Left => self.elements.retain(|each| keeps(each)),
            End::Right => {
                let kept: VecDeque<_> =
                    std::mem::take(&mut self.elements).into_iter().rev().filter(|each| keeps(each)).collect();
                self.elements = kept.into_iter().rev().collect();
            }
        }
        let removed = max - left;
        self.bytes -= removed * (element.len() + ELEMENT_BYTES);
        self.shrink();
        removed
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn dump(&self, key: &[u8], sink: &mut dyn FnMut(&[&[u8]])) {
        let mut args: Vec<&[u8]> = Vec::with_capacity(DUMP_ITEMS + 2);
        let mut start = 0;
        while start < self.len() {
            let end = self.len().min(start + DUMP_ITEMS);
            args.clear();
            args.extend([b"RPUSH", key]);
            args.extend(self.range(start, end).map(AsRef::as_ref));
            sink(&args);
            start = end;
        }
    }

    fn shrink(&mut self) {
        if self.elements.capacity() > SHRINK_FROM && self.elements.len() < self.elements.capacity() / 4 {
            self.elements.shrink_to(self.elements.len() * 2);
        }
    }
}
