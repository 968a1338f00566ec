//! Bytes in, whole lines out.

/// Cuts what one pipe delivers into lines. What has no line end yet is kept, up to the limit.
#[derive(Debug)]
pub(crate) struct Splitter {
    kept: Vec<u8>,
    line_max: usize,
}

/// A line as cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Its text without the line end; bytes that are no UTF-8 are replaced, NULs left out.
    pub(crate) text: String,
    /// It had no line end: too long, or its writer ended.
    pub(crate) partial: bool,
}

impl Splitter {
    pub(crate) fn new(line_max: u64) -> Self {
        Self { kept: Vec::new(), line_max: usize::try_from(line_max).unwrap_or(usize::MAX).max(1) }
    }

    /// Takes in what was read and hands out the lines it completes.
    pub(crate) fn take(&mut self, mut bytes: &[u8], mut each: impl FnMut(Cut)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.kept.is_empty() && line.len() <= self.line_max {
                each(cut(line, false));
            } else {
                self.keep(line, &mut each);
                each(cut(&std::mem::take(&mut self.kept), false));
            }
        }
        self.keep(bytes, &mut each);
    }

    /// The beginning of a line whose end has not come yet.
    pub(crate) fn begun(&self) -> &[u8] {
        &self.kept
    }

    /// The writer is gone: what is kept is its last line.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(Cut)) {
        if !self.kept.is_empty() {
            each(cut(&std::mem::take(&mut self.kept), true));
        }
    }

    fn keep(&mut self, mut bytes: &[u8], each: &mut impl FnMut(Cut)) {
        while self.kept.len() + bytes.len() > self.line_max {
            let (head, tail) = bytes.split_at(self.line_max - self.kept.len());
            self.kept.extend_from_slice(head);
            bytes = tail;
            each(cut(&std::mem::take(&mut self.kept), true));
        }
        self.kept.extend_from_slice(bytes);
    }
}

fn cut(line: &[u8], partial: bool) -> Cut {
    let line = line.strip_suffix(b"\r").filter(|_| !partial).unwrap_or(line);
    let mut text = String::from_utf8_lossy(line).into_owned();
    if text.contains('\0') {
        text.retain(|character| character != '\0');
    }
    Cut { text, partial }
}

#[cfg(test)]
mod tests;
