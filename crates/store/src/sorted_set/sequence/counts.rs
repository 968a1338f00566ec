//! The lengths of the chunks as a Fenwick tree: sums of prefixes, and the chunk a rank falls into, in O(log chunks).

/// Lengths of chunks. Node `i` (counted from 1) holds the sum of the `i & -i` chunks that end with chunk `i`.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    sums: Vec<usize>,
}

impl Counts {
    /// Takes the lengths of all chunks anew.
    pub(super) fn rebuild(&mut self, lens: impl Iterator<Item = usize>) {
        self.sums.clear();
        self.sums.extend(lens);
        for node in 1..=self.sums.len() {
            let parent = node + lowest_bit(node);
            if parent <= self.sums.len() {
                self.sums[parent - 1] += self.sums[node - 1];
            }
        }
    }

    /// One seat more in `chunk`.
    pub(super) fn add(&mut self, chunk: usize) {
        self.each_node_over(chunk, |sum| *sum += 1);
    }

    /// One seat fewer in `chunk`.
    pub(super) fn subtract(&mut self, chunk: usize) {
        self.each_node_over(chunk, |sum| *sum -= 1);
    }

    /// The seats in all chunks before `chunk`.
    pub(super) fn before(&self, chunk: usize) -> usize {
        let mut node = chunk.min(self.sums.len());
        let mut sum = 0;
        while node > 0 {
            sum += self.sums[node - 1];
            node -= lowest_bit(node);
        }
        sum
    }

    /// The chunk and the offset within it of the seat number `rank`, which must exist.
    pub(super) fn find(&self, rank: usize) -> (usize, usize) {
        let mut chunk = 0;
        let mut left = rank;
        let mut width = (self.sums.len() + 1).next_power_of_two() / 2;
        while width > 0 {
            let node = chunk + width;
            if node <= self.sums.len() && self.sums[node - 1] <= left {
                left -= self.sums[node - 1];
                chunk = node;
            }
            width /= 2;
        }
        (chunk, left)
    }

    fn each_node_over(&mut self, chunk: usize, change: impl Fn(&mut usize)) {
        let mut node = chunk + 1;
        while node <= self.sums.len() {
            change(&mut self.sums[node - 1]);
            node += lowest_bit(node);
        }
    }
}

/// The lowest bit that is set, as a number.
fn lowest_bit(node: usize) -> usize {
    node & node.wrapping_neg()
}
