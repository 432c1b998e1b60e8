//! One run of one contender: its names, its topics, its check.

use std::time::Duration;

use streams_tests::Cluster;
use tempfile::TempDir;

use super::broker::Broker;
use super::contender::{Contender, Names, Setting};
use super::expected::Expected;
use super::input::{KEEP, PARTITIONS};
use super::measure::Running;
use super::{Arguments, comeback, idle, input, throughput};
use crate::report::{Figure, Run};
use crate::{Result, Workload};

/// The partitions of the idle workload.
const IDLE_PARTITIONS: i32 = 50;

/// What all runs of a table share.
pub(super) struct Plan<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) cluster: &'a Cluster,
    pub(super) broker: &'a Broker,
    pub(super) workload: Workload,
    pub(super) setting: Setting,
    pub(super) count: usize,
    /// The input, if all runs share one.
    pub(super) input: Option<String>,
    expected: Expected,
    rejected: Option<Expected>,
}

/// One run.
pub(super) struct Job<'a> {
    plan: &'a Plan<'a>,
    pub(super) cluster: &'a Cluster,
    pub(super) broker: &'a Broker,
    contender: Contender,
    pub(super) application: String,
    pub(super) input: String,
    pub(super) output: String,
    pub(super) keys: u32,
    pub(super) idle: Duration,
    state: TempDir,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        arguments: &'a Arguments,
        (cluster, broker): (&'a Cluster, &'a Broker),
        workload: Workload,
        setting: Setting,
        (count, input): (usize, Option<String>),
    ) -> Self {
        Self {
            arguments,
            cluster,
            broker,
            workload,
            setting,
            count,
            input,
            expected: Expected::of(workload, count),
            rejected: (workload == Workload::Stateless).then(|| Expected::rejected(count)),
        }
    }

    /// What is looked at.
    pub(super) fn figures(&self) -> Vec<Figure> {
        match self.workload {
            Workload::Restore => comeback::restore_figures(),
            Workload::Recovery => comeback::recovery_figures(),
            Workload::Idle => idle::figures(),
            _ => throughput::figures(),
        }
    }

    /// Runs a contender once, on topics of its own.
    pub(super) fn run(&self, contender: Contender) -> Result<Run> {
        let job = self.job(contender)?;
        let run = match self.workload {
            Workload::Restore => comeback::restore(&job),
            Workload::Recovery => comeback::recovery(&job),
            Workload::Idle => idle::run(&job),
            _ => throughput::run(&job),
        };
        job.delete_topics();
        run
    }

    fn job(&self, contender: Contender) -> Result<Job<'_>> {
        let application = self.cluster.unique("bench");
        let output = format!("{application}-output");
        let own = format!("{application}-input");
        let partitions = match self.workload {
            Workload::Idle => IDLE_PARTITIONS,
            _ => PARTITIONS,
        };
        if self.input.is_none() {
            self.cluster.try_create_topic(&own, partitions, KEEP)?;
        }
        self.cluster.try_create_topic(&output, PARTITIONS, KEEP)?;
        if self.rejected.is_some() {
            let rejected = format!("{output}-dlq");
            self.cluster.try_create_topic(&rejected, PARTITIONS, KEEP)?;
        }
        Ok(Job {
            plan: self,
            cluster: self.cluster,
            broker: self.broker,
            contender,
            application,
            input: self.input.clone().unwrap_or(own),
            output,
            keys: self.arguments.keys,
            idle: Duration::from_secs(self.arguments.idle_seconds),
            state: tempfile::tempdir()?,
        })
    }
}

impl Job<'_> {
    /// The topics whose offsets tell how far it is.
    pub(super) fn inputs(&self) -> Vec<String> {
        let mut topics = vec![self.input.clone()];
        if self.plan.workload == Workload::StreamJoin {
            topics.push(format!("{}-right", self.input));
        }
        topics
    }

    /// How many records these topics hold.
    pub(super) fn input_len(&self) -> usize {
        self.plan.count * self.inputs().len()
    }

    /// Starts the contender, with settings beside those of the command line.
    pub(super) fn start(&self, conf: &[&str]) -> Result<Running> {
        let plan = self.plan;
        let names = Names {
            bootstrap: self.cluster.bootstrap_servers(),
            application: &self.application,
            input: &self.input,
            output: &self.output,
            state: self.state.path(),
        };
        let process =
            self.contender
                .process(plan.workload, &plan.setting, &names, plan.arguments)?;
        Running::start(process.args(conf.iter().flat_map(|setting| ["--conf", setting])))
    }

    /// Fails if the output is not what it must be.
    pub(super) fn check(&self) -> Result<()> {
        self.compare(&self.output, &self.plan.expected)?;
        match &self.plan.rejected {
            Some(rejected) => self.compare(&format!("{}-dlq", self.output), rejected),
            None => Ok(()),
        }
    }

    /// Fails if the output is not what the first `count` events make of the restored counts.
    pub(super) fn check_counts(&self, count: usize) -> Result<()> {
        let expected = Expected::counted_on(input::ids(self.keys, count));
        self.compare(&self.output, &expected)
    }

    fn compare(&self, topic: &str, expected: &Expected) -> Result<()> {
        let mut seen = expected.seen();
        self.broker
            .read(topic, |key, value| seen.push(key, value))?;
        let wrong = |error| format!("topic={topic} is wrong: {error}").into();
        seen.compare().map_err(wrong)
    }

    fn delete_topics(&self) {
        // Its own are named after it, the internal ones of Kafka Streams too.
        let topics = self.cluster.topics().into_iter();
        for topic in topics.filter(|topic| topic.starts_with(&self.application)) {
            self.cluster.delete_topic(&topic);
        }
    }
}
