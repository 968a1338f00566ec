//! What no compiler checks: sizes and openings of files, homes of unsafe code, marks of unfinished work, and
//! traces of the machine somebody worked on.
//!
//! Looks at every file git tracks or would track, so what `.gitignore` names is left alone.

#[cfg(test)]
mod tests;

use anyhow::{Result, bail};

use crate::program::{Program, root};

/// A source file longer than this is worth a look; it is printed.
const REVIEW_LINES: usize = 350;

/// A source file longer than this fails, unless it holds tests.
const LIMIT_LINES: usize = 500;

/// The one folder whose Rust may be unsafe.
const UNSAFE_HOME: &str = "crates/sys/";

/// This check's own files name what they forbid.
const OWN_FILES: &str = "xtask/src/tidy";

/// Marks of work left open: finish it, or write down why it is so.
const OPEN_MARKS: &[&str] = &["TODO", "FIXME", "XXX:", "HACK:"];

/// Paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &["/work/", "/root/"];

/// The only place a locked package may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// One file as the checks see it.
#[derive(Debug)]
struct File<'text> {
    path: &'text str,
    text: &'text str,
}

/// Fails with every finding, one a line; prints the files that are long but still allowed.
pub(crate) fn check() -> Result<()> {
    let listed = Program::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()?;
    let mut findings = Vec::new();
    let mut count = 0;
    for path in listed.split_terminator('\0') {
        // Listed but deleted, or not text: neither has lines to check.
        let Ok(text) = std::fs::read_to_string(root().join(path)) else { continue };
        let file = File { path, text: &text };
        count += 1;
        if let Some(note) = file.review_note() {
            println!("tidy: {note}");
        }
        findings.extend(file.findings());
    }
    if findings.is_empty() {
        println!("tidy: {count} files, nothing to tidy");
        return Ok(());
    }
    bail!("{} findings\n  {}", findings.len(), findings.join("\n  "))
}

impl File<'_> {
    fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        if self.path == "Cargo.lock" {
            findings.extend(self.foreign_packages());
            return findings;
        }
        if self.is_source() && !self.is_test() && self.lines() > LIMIT_LINES {
            findings.push(format!("{}: {} lines, the limit is {LIMIT_LINES}", self.path, self.lines()));
        }
        if self.is_rust() && !self.text.starts_with("//!") {
            findings.push(format!("{}:1: opens without its `//!` story", self.path));
        }
        if self.path.starts_with(OWN_FILES) {
            return findings;
        }
        if self.is_rust() && !self.path.starts_with(UNSAFE_HOME) {
            findings.extend(
                self.lines_where(is_unsafe)
                    .map(|at| format!("{at}: unsafe code lives in {UNSAFE_HOME} only")),
            );
        }
        for mark in OPEN_MARKS.iter().filter(|_| self.is_source()) {
            findings.extend(
                self.lines_where(|line| line.contains(mark)).map(|at| format!("{at}: {mark} left open")),
            );
        }
        for path in MACHINE_PATHS {
            let found = self.lines_where(|line| line.contains(path));
            findings.extend(found.map(|at| format!("{at}: `{path}` exists on one machine only")));
        }
        findings
    }

    fn review_note(&self) -> Option<String> {
        let long = self.is_source() && self.lines() > REVIEW_LINES;
        long.then(|| {
            format!("{} has {} lines; over {REVIEW_LINES} it is worth a look", self.path, self.lines())
        })
    }

    fn foreign_packages(&self) -> Vec<String> {
        let sources = self.text.lines().filter_map(|line| line.strip_prefix("source = "));
        let foreign = sources.filter(|source| source.trim_matches('"') != REGISTRY);
        foreign.map(|source| format!("{}: a package comes from {source}", self.path)).collect()
    }

    /// `path:line` of every line that `matches`.
    fn lines_where(&self, matches: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
        let numbered = self.text.lines().enumerate();
        numbered
            .filter(move |(_, line)| matches(line))
            .map(|(index, _)| format!("{}:{}", self.path, index + 1))
    }

    fn lines(&self) -> usize {
        self.text.lines().count()
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Rust, Python, JavaScript, shell: by its ending, or by its first line.
    fn is_source(&self) -> bool {
        [".rs", ".py", ".js"].iter().any(|ending| self.path.ends_with(ending)) || self.text.starts_with("#!")
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("tests/")
    }
}

/// Whether a line of Rust opens something unsafe, or lifts the lint that forbids it.
fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let opens = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe trait", "#[unsafe("];
    let lifts = ["allow(unsafe_code", "expect(unsafe_code", "warn(unsafe_code"];
    opens.iter().chain(&lifts).any(|each| code.contains(each))
}
