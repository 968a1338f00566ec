//! Tables that fit the terminal: what matters least goes first.

use anstyle::Style;

use crate::screen::{DIM, paint};

/// Spaces between columns.
const GAP: usize = 2;

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// Numbers stand at the right.
    pub(crate) right: bool,
    /// The highest goes first when there is no room; 0 never goes.
    pub(crate) dispensable: u8,
}

/// One value of a row.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }

    /// `-` for what there is not.
    pub(crate) fn maybe(text: Option<String>) -> Self {
        text.map_or_else(|| Self::styled("-", DIM), Self::from)
    }

    /// Whether it stands for what there is not.
    pub(crate) fn is_nothing(&self) -> bool {
        self.text == "-"
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), style: Style::new() }
    }
}

/// Rows below titles, with notes between them.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Row {
    Cells(Vec<Cell>),
    Note(String),
}

impl Table {
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell for each column");
        self.rows.push(Row::Cells(cells));
    }

    /// A line of its own below the last row.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.rows.push(Row::Note(text.into()));
    }

    /// The table in at most `width` columns, unless what never goes is wider.
    pub(crate) fn render(&self, width: usize) -> String {
        let widths: Vec<usize> = (0..self.columns.len()).map(|index| self.width_of(index)).collect();
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let total = |shown: &[usize]| {
            shown.iter().filter_map(|index| widths.get(*index)).map(|width| width + GAP).sum::<usize>()
        };
        while total(&shown) > width + GAP {
            let dispensable = |index: &usize| self.columns.get(*index).map_or(0, |column| column.dispensable);
            let Some(first) =
                shown.iter().copied().max_by_key(dispensable).filter(|index| dispensable(index) > 0)
            else {
                break;
            };
            shown.retain(|index| *index != first);
        }
        let titles: Vec<Cell> = self.columns.iter().map(|column| Cell::styled(column.title, DIM)).collect();
        let mut text = self.line(&titles, &shown, &widths);
        for row in &self.rows {
            match row {
                Row::Cells(cells) => text.push_str(&self.line(cells, &shown, &widths)),
                Row::Note(note) => {
                    text.push_str(note);
                    text.push('\n');
                }
            }
        }
        text
    }

    fn width_of(&self, index: usize) -> usize {
        let title = self.columns.get(index).map_or(0, |column| column.title.chars().count());
        let cells = self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => cells.get(index).map(Cell::width),
            Row::Note(_) => None,
        });
        cells.fold(title, usize::max)
    }

    fn line(&self, cells: &[Cell], shown: &[usize], widths: &[usize]) -> String {
        let mut line = String::new();
        for (place, index) in shown.iter().enumerate() {
            let (Some(cell), Some(column), Some(width)) =
                (cells.get(*index), self.columns.get(*index), widths.get(*index))
            else {
                continue;
            };
            let space = " ".repeat(width.saturating_sub(cell.width()));
            let text = paint(cell.style, &cell.text);
            if column.right {
                line.push_str(&space);
                line.push_str(&text);
            } else {
                line.push_str(&text);
                line.push_str(&space);
            }
            if place + 1 < shown.len() {
                line.push_str(&" ".repeat(GAP));
            }
        }
        format!("{}\n", line.trim_end())
    }
}

#[cfg(test)]
mod tests;
