//! The demo from its first to its last moment.

use std::time::{Duration, Instant};

use streams_tests::{Cluster, Error, environment};

use crate::Arguments;
use crate::database::Database;
use crate::frame::{Frame, Speeds, clock, latency};
use crate::interrupt::Interrupt;
use crate::invalid::InvalidEvents;
use crate::ledger::{Changes, Ledger};
use crate::observer::Observer;
use crate::paint::count;
use crate::pipeline::{Pipeline, SESSION_TIMEOUT, SURVIVOR, VICTIM};
use crate::rate::Rates;
use crate::screen::Screen;
use crate::topic::{self, PARTITIONS};
use crate::verdict::Verdict;
use crate::watch::Watch;
use crate::workload::{Author, Workload};

/// How long the group may take to share the partitions out.
const JOIN_LIMIT: Duration = Duration::from_secs(60);
/// How long the topics may take to have all that was committed.
const DRAIN_LIMIT: Duration = Duration::from_secs(90);
/// The time between two looks at everything.
const PAUSE: Duration = Duration::from_millis(100);

/// Everything that runs. The fields are dropped in this order.
struct Show<'a> {
    interrupt: &'a Interrupt,
    arguments: &'a Arguments,
    screen: Screen,
    watch: Watch,
    observer: Observer,
    pipeline: Pipeline,
    ledger: Ledger,
    database: Database,
    cluster: Cluster,
    rates: Rates,
    start: Instant,
    phase: String,
    notes: Vec<String>,
    killed: Option<Instant>,
    taken_over: Option<Duration>,
}

/// Runs the demo; whether all that Postgres has committed is in the topics exactly once.
pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<bool, Error> {
    let mut author = Author::new(arguments.seed);
    let mut show = Show::set_up(arguments, interrupt, &mut author)?;
    let sent = show.perform(author)?;
    show.drain(sent)?;
    show.finish()
}

impl<'a> Show<'a> {
    /// Makes tables and topics and starts the programs.
    fn set_up(
        arguments: &'a Arguments,
        interrupt: &'a Interrupt,
        author: &mut Author,
    ) -> Result<Self, Error> {
        let mut screen = Screen::new();
        let cluster = Cluster::at(environment::get(environment::BOOTSTRAP_SERVERS)?);
        screen.say("Postgres: users, orders and products, and a publication of them");
        let database = Database::create()?;
        let ledger = Ledger::open(&database)?;
        database.connect()?.execute(&author.rows_before())?;
        ledger.close_before_snapshot()?;

        screen.say("Kafka: a topic for each table, and for what becomes of their events");
        for topic in topic::all() {
            interrupt.check()?;
            cluster.try_create_topic(&topic, PARTITIONS, &[])?;
        }
        let mut pipeline = Pipeline::new();
        screen.say("starting cdc-source, two processors users in one group, and processors events");
        pipeline.start_source(&cluster, &database)?;
        pipeline.start_processors(&cluster)?;
        pipeline.wait_ready(interrupt, |name| screen.say(&format!("  {name} is ready")))?;
        let watch = Watch::start(cluster.bootstrap_servers(), pipeline.statuses())?;
        let both = || {
            let partitions = watch.answers().partitions;
            let shared = [SURVIVOR, VICTIM]
                .iter()
                .all(|name| partitions.contains_key(name));
            Ok(shared.then_some(()))
        };
        interrupt.wait_until(
            "the two processors users shared the topic",
            JOIN_LIMIT,
            both,
        )?;
        let observer = Observer::start(cluster.bootstrap_servers())?;
        Ok(Self {
            interrupt,
            arguments,
            screen,
            watch,
            observer,
            pipeline,
            ledger,
            database,
            cluster,
            rates: Rates::default(),
            start: Instant::now(),
            phase: String::new(),
            notes: Vec::new(),
            killed: None,
            taken_over: None,
        })
    }

    /// The workload, with a death halfway. Returns how many invalid events were sent.
    fn perform(&mut self, author: Author) -> Result<u64, Error> {
        let (total, half) = (self.arguments.duration(), self.arguments.duration() / 2);
        let mut workload = Workload::start(&self.database, author, self.arguments.rate)?;
        let invalid = InvalidEvents::start(self.cluster.clone());
        self.start = Instant::now();
        while self.start.elapsed() < total {
            let now = self.start.elapsed();
            if self.killed.is_none() && now >= half {
                self.pipeline.kill(VICTIM);
                self.killed = Some(Instant::now());
                self.note(&format!("killed {VICTIM} (kill -9)"));
            }
            self.phase = match (self.killed, self.taken_over) {
                (None, _) => format!("kill -9 in {} s", half.saturating_sub(now).as_secs()),
                (Some(_), None) => String::from("taking over"),
                (Some(_), Some(_)) => String::from("one processor left"),
            };
            workload = workload.check()?;
            self.look()?;
        }
        workload.stop()?;
        invalid.stop()
    }

    /// Looks at everything once.
    fn look(&mut self) -> Result<(), Error> {
        self.pipeline.check()?;
        let taken_over = self.watch.answers().taken_over;
        if let (Some(killed), Some(at), None) = (self.killed, taken_over, self.taken_over) {
            let took = at.saturating_duration_since(killed);
            self.taken_over = Some(took);
            self.note(&format!(
                "{SURVIVOR} has all {PARTITIONS} partitions {:.1} s after that (time-out {} s)",
                took.as_secs_f64(),
                SESSION_TIMEOUT.as_secs(),
            ));
        }
        if self.screen.is_due() {
            let frame = self.frame()?;
            self.screen.show(&frame);
        }
        self.interrupt.pause(PAUSE)
    }

    /// Waits until all that was committed has passed through, or too long.
    fn drain(&mut self, sent: u64) -> Result<(), Error> {
        let committed: u64 = self.ledger.counts()?.values().map(Changes::records).sum();
        let deadline = Instant::now() + DRAIN_LIMIT;
        self.phase = String::from("draining");
        loop {
            let sight = self.observer.sight();
            let arrived = sight.inputs() >= committed + sent;
            let processed = sight.users_lag() == 0 && sight.events_lag() == 0;
            if arrived && processed && self.taken_over.is_some() {
                self.phase = String::from("done");
                return Ok(());
            }
            if Instant::now() >= deadline {
                let seconds = DRAIN_LIMIT.as_secs();
                self.note(&format!(
                    "something is still missing {seconds} s after the workload"
                ));
                return Ok(());
            }
            self.look()?;
        }
    }

    /// Stops the programs and compares.
    fn finish(mut self) -> Result<bool, Error> {
        let (frame, sight) = (self.frame()?, self.observer.sight());
        self.screen.finish(&frame);
        self.pipeline.stop()?;
        self.screen
            .say("\nThe programs have stopped; comparing Postgres with the topics …\n");
        let verdict = Verdict::reach(&self.cluster, &self.ledger)?;
        self.interrupt.check()?;
        let took = self.taken_over.map_or_else(
            || String::from("nobody took over after kill -9"),
            |took| format!("taken over {:.1} s after kill -9", took.as_secs_f64()),
        );
        let overall = latency(sight.overall);
        self.screen
            .say(&format!("{took}; latency with that: {overall}"));
        let counts = self.ledger.counts()?;
        let sum = |of: fn(&Changes) -> u64| count(counts.values().map(of).sum());
        self.screen.say(&format!(
            "{} changed rows, {} rows from before and {} tombstones of deletes: {} records\n",
            sum(Changes::rows),
            sum(|changes| changes.reads),
            sum(|changes| changes.deletes),
            sum(Changes::records),
        ));
        self.screen.say(&verdict.to_string());
        Ok(verdict.is_exact() && self.taken_over.is_some())
    }

    fn frame(&mut self) -> Result<Frame, Error> {
        let (counts, sight) = (self.ledger.counts()?, self.observer.sight());
        let total = self.arguments.duration();
        Ok(Frame {
            elapsed: self.start.elapsed().min(total),
            total,
            phase: self.phase.clone(),
            speeds: Speeds::measure(&mut self.rates, &counts, &sight),
            counts,
            sight,
            workers: self.pipeline.statuses(),
            answers: self.watch.answers(),
            notes: self.notes.clone(),
        })
    }

    fn note(&mut self, what: &str) {
        let note = format!("{} {what}", clock(self.start.elapsed()));
        self.screen.note(&note);
        self.notes.push(note);
    }
}
