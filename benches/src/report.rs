//! What was measured: a report per suite, a table per workload. Printed, kept as JSON, drawn.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::machine::Environment;
use crate::{Result, page, plot};

/// All tables of one suite.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// `streams`, `cdc`, `micro`.
    pub suite: String,
    /// A table per workload and setting.
    pub tables: Vec<Table>,
}

/// One workload in one setting.
#[derive(Debug, Serialize, Deserialize)]
pub struct Table {
    /// What it is called in file names; the same workload in the same setting has the same.
    pub name: String,
    /// What is done.
    pub title: String,
    /// How: guarantee, threads, records.
    pub setting: String,
    /// Where, when and by which command.
    pub environment: Environment,
    /// What is looked at.
    pub figures: Vec<Figure>,
    /// Who was measured; ours first.
    pub contenders: Vec<Contender>,
    /// Medians and ratios, derived from the runs whenever the table is written.
    #[serde(default)]
    pub summary: Vec<Summary>,
    /// Runs that do not count, and why.
    #[serde(default)]
    pub failures: Vec<String>,
}

/// One thing that is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// Its name with the unit, such as `records/s`.
    pub name: String,
    /// Which way is better.
    pub better: Better,
}

/// Which way a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// The more, the better.
    More,
    /// The less, the better.
    Less,
}

/// Whose runs they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Tributary.
    Ours,
    /// Who does the same work today.
    Peer,
    /// The least that the work can cost.
    Limit,
}

/// One contender and its runs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Contender {
    /// What it is called in tables.
    pub name: String,
    /// What it is here for.
    pub role: Role,
    /// Each run's figures by name, in the order of the runs.
    pub runs: Vec<Run>,
}

/// The figures of one run, by name.
pub type Run = BTreeMap<String, f64>;

/// The smallest, the middle and the largest value of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// The middle one; of an even number the mean of the middle two.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

/// What a contender's runs come to in one figure.
#[derive(Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Whose.
    pub contender: String,
    /// Of what.
    pub figure: String,
    /// The values.
    #[serde(flatten)]
    pub spread: Spread,
    /// The median as a multiple of the first peer's.
    pub ratio_to_peer: Option<f64>,
}

impl Figure {
    /// A figure of which more is better.
    pub fn more(name: &str) -> Self {
        let (name, better) = (name.to_owned(), Better::More);
        Self { name, better }
    }

    /// A figure of which less is better.
    pub fn less(name: &str) -> Self {
        let (name, better) = (name.to_owned(), Better::Less);
        Self { name, better }
    }

    /// How many times better `one` is than `other`.
    pub fn advantage(&self, one: f64, other: f64) -> f64 {
        match self.better {
            Better::More => one / other,
            Better::Less => other / one,
        }
    }
}

impl Contender {
    /// The spread of a figure, `None` if no run has it.
    pub fn spread(&self, figure: &Figure) -> Option<Spread> {
        let runs = self.runs.iter();
        let mut values: Vec<f64> = runs
            .filter_map(|run| run.get(&figure.name).copied())
            .collect();
        values.sort_by(f64::total_cmp);
        let middle = |index: usize| values.get(index).copied();
        let upper = middle(values.len() / 2)?;
        let lower = middle(values.len().saturating_sub(1) / 2)?;
        Some(Spread {
            min: *values.first()?,
            median: f64::midpoint(lower, upper),
            max: *values.last()?,
        })
    }
}

impl Table {
    /// The contender of a role.
    pub fn of(&self, role: Role) -> Option<&Contender> {
        self.contenders
            .iter()
            .find(|contender| contender.role == role)
    }

    /// The spread of a role's figure.
    pub fn spread(&self, role: Role, figure: &Figure) -> Option<Spread> {
        self.of(role)?.spread(figure)
    }

    fn summarise(&mut self) {
        let mut summary = Vec::new();
        for figure in &self.figures {
            let peer = self.spread(Role::Peer, figure);
            for contender in &self.contenders {
                let Some(spread) = contender.spread(figure) else {
                    continue;
                };
                summary.push(Summary {
                    contender: contender.name.clone(),
                    figure: figure.name.clone(),
                    spread,
                    ratio_to_peer: peer.map(|peer| spread.median / peer.median),
                });
            }
        }
        self.summary = summary;
    }

    /// The table as Markdown: medians with their extremes, how many times better ours is than each
    /// peer, and how many times the limit ours is.
    pub fn to_markdown(&self) -> String {
        let environment = &self.environment;
        let version = environment.versions.get("Tributary");
        let version = version.map_or("a state without a name", |version| version.as_str());
        let mut text = format!(
            "## {}\n\n{}; {}, {version}. `{}`\n\n| |",
            self.title, self.setting, environment.date, environment.command
        );
        let mut rule = String::from("| --- |");
        for contender in &self.contenders {
            // Writing to a string cannot fail.
            let _ = write!(text, " {} |", contender.name);
            rule.push_str(" ---: |");
        }
        let _ = write!(text, "\n{rule}\n");
        for figure in &self.figures {
            let _ = write!(text, "| {} |", figure.name);
            for contender in &self.contenders {
                let _ = write!(text, " {} |", self.cell(contender, figure));
            }
            text.push('\n');
        }
        for failure in &self.failures {
            let _ = write!(text, "\nA run that does not count: {failure}\n");
        }
        text
    }

    fn cell(&self, contender: &Contender, figure: &Figure) -> String {
        let Some(spread) = contender.spread(figure) else {
            return String::new();
        };
        let [min, median, max] = [spread.min, spread.median, spread.max].map(number);
        let mut cell = match contender.runs.len() {
            1 => median,
            _ => format!("{median} ({min}–{max})"),
        };
        let Some(ours) = self.spread(Role::Ours, figure).map(|ours| ours.median) else {
            return cell;
        };
        // Writing to a string cannot fail.
        let _ = match contender.role {
            Role::Ours => Ok(()),
            Role::Peer => write!(cell, ", **{:.1}×**", figure.advantage(ours, spread.median)),
            Role::Limit => write!(cell, ", ours {:.2}×", ours / spread.median),
        };
        cell
    }

    /// The file of the drawing; tables without anybody to compare with have none.
    pub fn drawing(&self, suite: &str) -> Option<String> {
        let compares = self.contenders.len() > 1;
        compares.then(|| format!("{suite}-{}.svg", self.name))
    }
}

impl Report {
    /// What is in a file, or an empty report of this suite.
    ///
    /// # Errors
    ///
    /// If the file is there and is no report.
    pub fn read(path: &Path, suite: &str) -> Result<Self> {
        if !path.exists() {
            let suite = suite.to_owned();
            return Ok(Self {
                suite,
                tables: Vec::new(),
            });
        }
        let text = fs::read_to_string(path)?;
        serde_json::from_str(&text)
            .map_err(|error| format!("cannot read path=`{}`: {error}", path.display()).into())
    }

    /// Puts a table in the place of the one with its name.
    pub fn replace(&mut self, mut table: Table) {
        table.summarise();
        match self.tables.iter_mut().find(|old| old.name == table.name) {
            Some(old) => *old = table,
            None => self.tables.push(table),
        }
    }

    /// Writes `<suite>.json` into a folder, and a drawing of each table that compares; the folder's
    /// `README.md` shows the tables where it has a place for them.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(folder.join(format!("{}.json", self.suite)), text)?;
        for table in &self.tables {
            if let Some(drawing) = table.drawing(&self.suite) {
                fs::write(folder.join(drawing), plot::draw(table))?;
            }
        }
        let page = folder.join("README.md");
        if page.exists() {
            let shown = page::show(&fs::read_to_string(&page)?, self)?;
            fs::write(page, shown)?;
        }
        Ok(())
    }
}

/// A number as people read it: with three figures, and commas from a thousand on.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left % 3 == 0 && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
