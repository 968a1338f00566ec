//! Prefixes, found by what begins with them.
//!
//! A tree whose edges carry bytes, with what is common to several prefixes kept once: the prefixes of a name lie on one
//! path from the root, so that finding them costs the length of the name, however many there are. An edge without a
//! value and with a single way on is joined with it, so the tree has at most two nodes for each prefix.

/// Values by prefix.
#[derive(Debug)]
pub(crate) struct PrefixTree<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    /// Bytes of the edge that leads here.
    label: Box<[u8]>,
    value: Option<T>,
    /// In the order of the first byte of their labels, which differ.
    children: Vec<Node<T>>,
}

impl<T> Default for PrefixTree<T> {
    fn default() -> Self {
        Self { root: Node { label: Box::default(), value: None, children: Vec::new() } }
    }
}

impl<T: Default> PrefixTree<T> {
    /// The value of `prefix`; a new one where it has none.
    pub(crate) fn entry(&mut self, prefix: &[u8]) -> &mut T {
        let mut node = &mut self.root;
        let mut rest = prefix;
        while let Some(first) = rest.first() {
            match node.child(*first) {
                Err(place) => {
                    node.children
                        .insert(place, Node { label: rest.into(), value: None, children: Vec::new() });
                    node = &mut node.children[place];
                    rest = &[];
                }
                Ok(place) => {
                    node = &mut node.children[place];
                    let common = node.label.iter().zip(rest).take_while(|(a, b)| a == b).count();
                    node.split(common);
                    rest = &rest[common..];
                }
            }
        }
        node.value.get_or_insert_default()
    }

    /// Shows the value of `prefix`, where it has one, to `change`; removes it when that says so.
    pub(crate) fn change(&mut self, prefix: &[u8], change: impl FnOnce(&mut T) -> bool) {
        self.root.change(prefix, change);
    }

    /// Shows the values of all prefixes of `name` of `at_least` bytes to `visit`, shortest first.
    pub(crate) fn visit<'a>(&'a self, name: &[u8], at_least: usize, mut visit: impl FnMut(&'a T)) {
        let mut node = &self.root;
        let mut rest = name;
        loop {
            if let Some(value) = &node.value
                && name.len() - rest.len() >= at_least
            {
                visit(value);
            }
            let Some(place) = rest.first().and_then(|first| node.child(*first).ok()) else { return };
            node = &node.children[place];
            match rest.strip_prefix(&*node.label) {
                Some(further) => rest = further,
                None => return,
            }
        }
    }
}

impl<T> Node<T> {
    fn child(&self, first: u8) -> Result<usize, usize> {
        self.children.binary_search_by_key(&first, |child| child.label[0])
    }

    /// Makes the edge that leads here end after `length` bytes.
    fn split(&mut self, length: usize) {
        if length == self.label.len() {
            return;
        }
        let lower = Self {
            label: self.label[length..].into(),
            value: self.value.take(),
            children: std::mem::take(&mut self.children),
        };
        self.label = self.label[..length].into();
        self.children = vec![lower];
    }

    fn change(&mut self, rest: &[u8], change: impl FnOnce(&mut T) -> bool) {
        let Some(first) = rest.first() else {
            if self.value.as_mut().is_some_and(change) {
                self.value = None;
            }
            return;
        };
        let Ok(place) = self.child(*first) else { return };
        let child = &mut self.children[place];
        let Some(further) = rest.strip_prefix(&*child.label) else { return };
        child.change(further, change);
        if child.value.is_none() && child.children.is_empty() {
            self.children.remove(place);
        } else {
            child.join();
        }
    }

    /// Joins this node with its only child where it has no value of its own.
    fn join(&mut self) {
        if self.value.is_some() || self.children.len() != 1 {
            return;
        }
        let child = self.children.pop().expect("it has one child");
        self.label = [&*self.label, &*child.label].concat().into();
        self.value = child.value;
        self.children = child.children;
    }
}

#[cfg(test)]
mod tests;
