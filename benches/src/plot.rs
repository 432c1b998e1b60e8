//! A table as an SVG drawing: for each figure a bar per contender, with its extremes.

use std::fmt::Write as _;

use crate::report::{Better, Contender, Figure, Role, Spread, Table, number};

const WIDTH: f64 = 920.0;
const MARGIN: f64 = 28.0;
/// Where bars begin and how long the longest may be.
const BAR_LEFT: f64 = 190.0;
const BAR_LENGTH: f64 = 420.0;
const BAR_HEIGHT: f64 = 18.0;
const BAR_STEP: f64 = 24.0;
const FIGURE_GAP: f64 = 22.0;
const HEAD_HEIGHT: f64 = 118.0;
const FOOT_HEIGHT: f64 = 62.0;
/// Longer lines of the foot are broken, in characters.
const FOOT_CHARS: usize = 130;

const INK: &str = "#1f2328";
const FAINT: &str = "#656d76";
const RULE: &str = "#d8dee4";
const FONT: &str = "ui-sans-serif, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, \
                    'DejaVu Sans', sans-serif";

/// Draws a table.
pub fn draw(table: &Table) -> String {
    let mut drawing = Drawing::default();
    let mut top = HEAD_HEIGHT;
    let figures = table.figures.iter();
    let measured = figures.filter(|figure| {
        table
            .contenders
            .iter()
            .any(|it| it.spread(figure).is_some())
    });
    for figure in measured {
        top = drawing.figure(table, figure, top) + FIGURE_GAP;
    }
    let foot = foot_lines(table);
    let height = top + FOOT_HEIGHT + foot.len() as f64 * 15.0 - 30.0;
    drawing.foot(&foot, top);
    let mut head = Drawing::default();
    head.frame(height);
    head.head(table);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" font-family=\"{FONT}\">\n{}{}</svg>\n",
        head.text, drawing.text
    )
}

fn colour(role: Role) -> &'static str {
    match role {
        Role::Ours => "#c2410c",
        Role::Peer => "#64748b",
        Role::Limit => "#cbd5e1",
    }
}

/// Machine, versions and command, broken into lines.
fn foot_lines(table: &Table) -> Vec<String> {
    let environment = &table.environment;
    let runs = table
        .contenders
        .iter()
        .map(|contender| contender.runs.len())
        .max();
    let runs = runs.unwrap_or_default();
    let first = format!(
        "Median of {runs} alternating runs, lines from minimum to maximum. {}. {}.",
        environment.date, environment.machine
    );
    let second = format!("{}. {}", environment.versions_line(), environment.command);
    [first, second]
        .iter()
        .flat_map(|line| broken(line))
        .collect()
}

fn broken(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + word.chars().count() >= FOOT_CHARS {
            lines.push(String::new());
        }
        if let Some(last) = lines.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[derive(Default)]
struct Drawing {
    text: String,
}

/// How a text stands.
struct Style {
    size: u32,
    colour: &'static str,
    bold: bool,
}

const TITLE: Style = style(20, INK, true);
const SMALL: Style = style(12, FAINT, false);
const LABEL: Style = style(14, INK, true);
const VALUE: Style = style(13, INK, true);
const PLAIN: Style = style(12, INK, false);

const fn style(size: u32, colour: &'static str, bold: bool) -> Style {
    Style { size, colour, bold }
}

impl Drawing {
    fn frame(&mut self, height: f64) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            self.text,
            "<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#ffffff\" \
             stroke=\"{RULE}\"/>",
            WIDTH - 1.0,
            height - 1.0
        );
    }

    fn head(&mut self, table: &Table) {
        self.text(MARGIN, 40.0, &TITLE, &table.title);
        self.text(MARGIN, 62.0, &SMALL, &table.setting);
        let mut left = MARGIN;
        for contender in &table.contenders {
            self.bar(left, 78.0, 14.0, 14.0, colour(contender.role));
            self.text(left + 20.0, 90.0, &PLAIN, &contender.name);
            left += 44.0 + 7.0 * contender.name.chars().count() as f64;
        }
    }

    /// Draws the bars of one figure; returns where they end.
    fn figure(&mut self, table: &Table, figure: &Figure, top: f64) -> f64 {
        let spreads: Vec<(&Contender, Spread)> = table
            .contenders
            .iter()
            .filter_map(|contender| Some((contender, contender.spread(figure)?)))
            .collect();
        let most = spreads
            .iter()
            .map(|(_, spread)| spread.max)
            .fold(0.0, f64::max);
        let scale = if most > 0.0 { BAR_LENGTH / most } else { 0.0 };
        let hint = match figure.better {
            Better::More => "more is better",
            Better::Less => "less is better",
        };
        let bottom = top + spreads.len() as f64 * BAR_STEP - (BAR_STEP - BAR_HEIGHT);
        self.text(MARGIN, top + 13.0, &LABEL, &figure.name);
        self.text(MARGIN, top + 30.0, &SMALL, hint);
        self.line((BAR_LEFT, top - 4.0), (BAR_LEFT, bottom + 4.0), RULE);
        for (index, (contender, spread)) in spreads.iter().enumerate() {
            let top = top + index as f64 * BAR_STEP;
            let length = (spread.median * scale).max(1.0);
            self.bar(BAR_LEFT, top, length, BAR_HEIGHT, colour(contender.role));
            self.whisker(spread, scale, top + BAR_HEIGHT / 2.0);
            let right = BAR_LEFT + (spread.max * scale).max(length) + 12.0;
            let value = number(spread.median);
            self.text(right, top + 14.0, &VALUE, &value);
            let comparison = comparison(table, figure, contender.role, spread.median);
            let after = right + 10.0 + 8.0 * value.chars().count() as f64;
            self.text(after, top + 14.0, &SMALL, &comparison);
        }
        bottom
    }

    fn foot(&mut self, lines: &[String], top: f64) {
        self.line((MARGIN, top), (WIDTH - MARGIN, top), RULE);
        let size = style(11, FAINT, false);
        for (index, line) in lines.iter().enumerate() {
            self.text(MARGIN, top + 20.0 + index as f64 * 15.0, &size, line);
        }
    }

    fn whisker(&mut self, spread: &Spread, scale: f64, middle: f64) {
        let (from, to) = (BAR_LEFT + spread.min * scale, BAR_LEFT + spread.max * scale);
        if to - from < 1.5 {
            return;
        }
        self.line((from, middle), (to, middle), INK);
        for end in [from, to] {
            self.line((end, middle - 4.0), (end, middle + 4.0), INK);
        }
    }

    fn bar(&mut self, left: f64, top: f64, width: f64, height: f64, fill: &str) {
        let _ = writeln!(
            self.text,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             rx=\"2\" fill=\"{fill}\"/>"
        );
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: &str) {
        let _ = writeln!(
            self.text,
            "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" stroke=\"{stroke}\" stroke-width=\"1.2\"/>",
            from.0, from.1, to.0, to.1
        );
    }

    fn text(&mut self, left: f64, base: f64, style: &Style, text: &str) {
        let Style { size, colour, bold } = style;
        let weight = if *bold { "600" } else { "400" };
        let text = escaped(text);
        let _ = writeln!(
            self.text,
            "<text x=\"{left:.1}\" y=\"{base:.1}\" font-size=\"{size}\" font-weight=\"{weight}\" \
             fill=\"{colour}\">{text}</text>"
        );
    }
}

/// How ours compares with the peer, or with the limit: said beside their bars.
fn comparison(table: &Table, figure: &Figure, role: Role, median: f64) -> String {
    let ours = table.spread(Role::Ours, figure).map(|spread| spread.median);
    match (role, ours) {
        (Role::Peer, Some(ours)) => {
            let advantage = figure.advantage(ours, median);
            format!("ours is {advantage:.1}× better")
        }
        (Role::Limit, Some(ours)) => format!("ours is {:.2}× of it", ours / median),
        _ => String::new(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
