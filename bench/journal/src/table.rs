//! The figures as markdown: medians, ratios to Remuda's in the same round, the least and the most.

use std::fmt;
use std::time::Duration;

use crate::contender::{Contender, fjall::Fjall, redb::Redb, remuda::Remuda};
use crate::plan::STEPS;
use crate::round::{Figures, Writing};
use crate::work::{KEY_BYTES, KEYS, VALUE_BYTES};

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) rounds: usize,
    pub(crate) took: Duration,
    /// Of remuda, redb and fjall, a row for each round.
    pub(crate) results: &'a [Vec<Figures>; 3],
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} rounds, {:.0?}; {KEYS} keys of {KEY_BYTES} bytes, values of {VALUE_BYTES}; median, × median of the ratios to remuda in each round (min–max)\n",
            self.rounds, self.took
        )?;
        self.head(out, "writes a second")?;
        self.writings(out, |writing| writing.rate)?;
        self.head(out, "processor, µs a write")?;
        self.writings(out, |writing| writing.processor_us)?;
        self.head(out, "bytes to the disk for a write")?;
        self.writings(out, |writing| writing.written)?;
        self.head(out, "200,000 keys at rest")?;
        self.row(out, "bytes on the disk for a key", |figures| figures.occupied)?;
        self.row(out, "open, ms", |figures| figures.open_ms)?;
        self.row(out, "open after a crash, ms", |figures| figures.crash_ms)?;
        self.row(out, "open and read every key, ms", |figures| figures.read_ms)
    }
}

impl Table<'_> {
    fn head(&self, out: &mut fmt::Formatter<'_>, title: &str) -> fmt::Result {
        writeln!(out, "\n| {title} | {} | {} | {} |", Remuda::NAME, Redb::NAME, Fjall::NAME)?;
        writeln!(out, "| --- | --- | --- | --- |")
    }

    fn writings(&self, out: &mut fmt::Formatter<'_>, figure: impl Fn(&Writing) -> f64) -> fmt::Result {
        for (index, step) in STEPS.iter().enumerate() {
            self.row(out, step.name, |figures| figure(&figures.steps[index]))?;
        }
        self.row(out, "loading 200,000, 256 at once", |figures| figure(&figures.load))
    }

    fn row(&self, out: &mut fmt::Formatter<'_>, name: &str, figure: impl Fn(&Figures) -> f64) -> fmt::Result {
        write!(out, "| {name} |")?;
        let [remuda, ..] = self.results;
        for (index, results) in self.results.iter().enumerate() {
            let figures = sorted(results.iter().map(&figure));
            write!(out, " {}", Number(median(&figures)))?;
            if index > 0 {
                // Within a round: what the machine does besides is then most alike.
                let ratios = results.iter().zip(remuda).map(|(theirs, ours)| figure(theirs) / figure(ours));
                write!(out, " ×{:.2}", median(&sorted(ratios)))?;
            }
            let (least, most) = (figures.first(), figures.last());
            let [least, most] = [least, most].map(|figure| Number(figure.copied().unwrap_or_default()));
            write!(out, " ({least}–{most}) |")?;
        }
        writeln!(out)
    }
}

fn sorted(figures: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures
}

/// Of what is sorted; nothing has none, and there is one round at least.
fn median(sorted: &[f64]) -> f64 {
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

/// A number with three digits that count, or all before the point.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = *self;
        if value >= 1000.0 {
            return grouped(&format!("{value:.0}"), out);
        }
        let decimals = match value {
            100.0.. => 0,
            10.0.. => 1,
            _ => 2,
        };
        write!(out, "{value:.decimals$}")
    }
}

fn grouped(digits: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.write_str(",")?;
        }
        write!(out, "{digit}")?;
    }
    Ok(())
}
