//! What the screen shows, as text.

use std::time::Duration;

use crate::latency::Quantiles;
use crate::ledger::{Changes, Counts};
use crate::observer::Sight;
use crate::paint::{Paint, count};
use crate::pipeline::Status;
use crate::rate::Rates;
use crate::topic::{self, ANALYTICS, EVENTS_REJECTED, TABLES, USERS, USERS_REJECTED};
use crate::watch::Answers;

/// How wide the screen is, in characters.
const WIDTH: usize = 79;

/// One moment of the demo.
#[derive(Debug)]
pub(crate) struct Frame {
    /// How long the workload has run.
    pub(crate) elapsed: Duration,
    /// How long it is to run.
    pub(crate) total: Duration,
    /// What happens now.
    pub(crate) phase: String,
    /// What Postgres has committed.
    pub(crate) counts: Counts,
    /// What the topics hold.
    pub(crate) sight: Sight,
    /// How fast both grow.
    pub(crate) speeds: Speeds,
    /// The programs.
    pub(crate) workers: Vec<Status>,
    /// What they and the broker say of them.
    pub(crate) answers: Answers,
    /// What has happened, the latest last.
    pub(crate) notes: Vec<String>,
}

/// What grows how fast, a second: for each table its changed rows and its topic's events.
#[derive(Debug, Default)]
pub(crate) struct Speeds {
    rows: Vec<u64>,
    events: Vec<u64>,
}

impl Speeds {
    /// The speeds by now.
    pub(crate) fn measure(rates: &mut Rates, counts: &Counts, sight: &Sight) -> Self {
        let rows = TABLES.map(|table| {
            let rows = changes(counts, table).rows();
            rates.per_second(&format!("rows of {table}"), rows)
        });
        let events = TABLES.map(|table| rates.per_second(table, sight.events(table)));
        Self {
            rows: rows.into(),
            events: events.into(),
        }
    }
}

impl Frame {
    /// The frame for a terminal: 24 lines, as the smallest terminals have.
    pub(crate) fn lines(&self, colours: bool) -> Vec<String> {
        let paint = Paint(colours);
        let mut lines = self.title(paint);
        lines.extend(self.postgres(paint));
        lines.extend(self.kafka(paint));
        lines.extend(self.figures(paint));
        lines.extend(self.programs(paint));
        let notes = self.notes.iter().rev().take(2).rev();
        lines.extend(notes.map(|note| paint.yellow(&format!(" {note}"))));
        lines
    }

    /// The frame for a file or a pipe: one line.
    pub(crate) fn line(&self) -> String {
        let rows: u64 = self.counts.values().map(Changes::rows).sum();
        let sight = &self.sight;
        let tables = TABLES
            .map(|table| format!("{table} {}", sight.events(table)))
            .join(", ");
        let processed: u64 = TABLES
            .iter()
            .map(|table| sight.events(&topic::processed(table)))
            .sum();
        let letters = sight.events(USERS_REJECTED) + sight.events(EVENTS_REJECTED);
        format!(
            "{} {}: rows changed {rows} | {tables} | {ANALYTICS} {}, …-processed {processed} | \
             dead letters {letters} (latest: {}) | lag users {}, events {} | {}",
            clock(self.elapsed),
            self.phase,
            sight.events(ANALYTICS),
            sight.reason.as_deref().unwrap_or("none"),
            sight.users_lag(),
            sight.events_lag(),
            latency(sight.recent),
        )
    }

    fn title(&self, paint: Paint) -> Vec<String> {
        let time = format!("{} of {}", clock(self.elapsed), clock(self.total));
        let space = WIDTH.saturating_sub(12 + 48 + time.len());
        let share = self.elapsed.as_secs_f64() / self.total.as_secs_f64().max(1.0);
        let bar = WIDTH - 2 - self.phase.chars().count().min(40) - 1;
        let done = ((bar as f64 * share) as usize).min(bar);
        let (done, left) = ("━".repeat(done), "─".repeat(bar - done));
        vec![
            format!(
                " {}  {}{}{time}",
                paint.bold("TRIBUTARY"),
                paint.dim("Postgres → cdc-source → Kafka → two processors"),
                " ".repeat(space),
            ),
            format!(" {}{} {}", paint.cyan(&done), paint.dim(&left), self.phase),
            String::new(),
        ]
    }

    fn postgres(&self, paint: Paint) -> Vec<String> {
        let head = format!(
            " {:<14}{:>10}{:>11}{:>11}{:>19}{:>12}",
            "Postgres", "inserts", "updates", "deletes", "rows changed", "/s"
        );
        let mut lines = vec![paint.bold(&head)];
        for (place, table) in TABLES.into_iter().enumerate() {
            let changes = changes(&self.counts, table);
            lines.push(format!(
                "   {table:<12}{:>10}{:>11}{:>11}{:>19}{:>12}",
                count(changes.inserts),
                count(changes.updates),
                count(changes.deletes),
                count(changes.rows()),
                count(self.speeds.rows.get(place).copied().unwrap_or(0)),
            ));
        }
        lines.push(String::new());
        lines
    }

    fn kafka(&self, paint: Paint) -> Vec<String> {
        let head = format!(
            " {:<14}{:>10}{:>8}{:>24}{:>21}",
            "Kafka", "events", "/s", ANALYTICS, "…-processed"
        );
        let mut lines = vec![paint.bold(&head)];
        for (place, table) in TABLES.into_iter().enumerate() {
            let analytics = match table {
                USERS => count(self.sight.events(ANALYTICS)),
                _ => String::new(),
            };
            lines.push(format!(
                "   {table:<12}{:>10}{:>8}{analytics:>24}{:>21}",
                count(self.sight.events(table)),
                count(self.speeds.events.get(place).copied().unwrap_or(0)),
                count(self.sight.events(&topic::processed(table))),
            ));
        }
        let users = format!(
            "{USERS_REJECTED} {}",
            count(self.sight.events(USERS_REJECTED))
        );
        let events = format!(
            "{EVENTS_REJECTED} {}",
            count(self.sight.events(EVENTS_REJECTED))
        );
        lines.push(format!("   {:<30}{users:>24}{events:>21}", "dead letters"));
        lines
    }

    fn figures(&self, paint: Paint) -> Vec<String> {
        let sight = &self.sight;
        let lag = |lag: u64| match lag {
            0..200 => count(lag),
            _ => paint.yellow(&count(lag)),
        };
        let reason = sight.reason.as_deref().unwrap_or("none yet");
        let reason: String = reason.chars().take(WIDTH - 17).collect();
        vec![
            format!("   {:<14}{}", "latest", paint.dim(&reason)),
            format!(
                " {}{} processors users, {} processors events",
                paint.bold(&format!("{:<14}", "Lag")),
                lag(sight.users_lag()),
                lag(sight.events_lag()),
            ),
            format!(
                " {}{} {}",
                paint.bold(&format!("{:<14}", "Latency")),
                latency(sight.recent),
                paint.dim("from commit to user-analytics"),
            ),
            String::new(),
        ]
    }

    fn programs(&self, paint: Paint) -> Vec<String> {
        let head = format!(
            " {:<21}{:>9}   {:<24}{}",
            "Program", "pid", "state", "partitions of users"
        );
        let mut lines = vec![paint.bold(&head)];
        lines.extend(self.workers.iter().map(|worker| {
            let state = self.state(worker, paint);
            let partitions = self.answers.partitions.get(worker.name);
            let partitions = partitions.map_or_else(String::new, |partitions| {
                partitions
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" ")
            });
            format!(
                "   {:<19}{:>9}   {state}{partitions}",
                worker.name, worker.id
            )
        }));
        lines
    }

    fn state(&self, worker: &Status, paint: Paint) -> String {
        if let Some(killed) = worker.killed {
            let text = format!("✗ killed {} s ago", killed.elapsed().as_secs());
            return paint.red(&format!("{text:<24}"));
        }
        let health = self
            .answers
            .health
            .get(worker.name)
            .map_or("no answer", String::as_str);
        let text: String = format!("● {health}").chars().take(23).collect();
        match health {
            "running" => paint.green(&format!("{text:<24}")),
            _ => paint.yellow(&format!("{text:<24}")),
        }
    }
}

fn changes(counts: &Counts, table: &str) -> Changes {
    counts.get(table).copied().unwrap_or_default()
}

/// Minutes and seconds.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Both quantiles in a few words.
pub(crate) fn latency(quantiles: Option<Quantiles>) -> String {
    quantiles.map_or_else(
        || String::from("p50 -, p99 -"),
        |Quantiles { p50_ms, p99_ms }| {
            format!("p50 {} ms, p99 {} ms", count(p50_ms), count(p99_ms))
        },
    )
}
