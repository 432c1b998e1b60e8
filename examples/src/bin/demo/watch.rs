//! Asks the programs how they are, and the broker which of them has which partitions.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::groups::GroupInfo;
use streams_tests::{Error, http_get};

use crate::pipeline::{SHARED_TOPIC, SURVIVOR, Status, USERS_GROUP, client_id};
use crate::topic::PARTITIONS;

/// The time between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(250);
/// How long the broker may take to answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);

/// The questions, in a thread of their own. Dropping it ends that thread after its round.
#[derive(Debug)]
pub(crate) struct Watch {
    known: Arc<Mutex<Answers>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The latest answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    /// What each program says of itself, by name; one that does not answer is not here.
    pub(crate) health: BTreeMap<&'static str, String>,
    /// The partitions of each member of the group of `processors users`, by the program's name.
    pub(crate) partitions: BTreeMap<&'static str, Vec<i32>>,
    /// Since when the survivor has had all partitions.
    pub(crate) taken_over: Option<Instant>,
}

impl Watch {
    /// Begins to ask.
    pub(crate) fn start(bootstrap_servers: &str, workers: Vec<Status>) -> Result<Self, Error> {
        let consumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap_servers)
            .create()
            .map_err(|error| Error::Kafka {
                action: String::from("watch the group"),
                message: error.to_string(),
            })?;
        let known = Arc::<Mutex<Answers>>::default();
        let (stop, stopped) = channel();
        let answers = Arc::clone(&known);
        let thread = thread::spawn(move || ask(&consumer, &workers, &answers, &stopped));
        Ok(Self {
            known,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The latest answers.
    pub(crate) fn answers(&self) -> Answers {
        lock(&self.known).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed; there is nothing else to tell.
            let _ = thread.join();
        }
    }
}

fn ask(
    consumer: &BaseConsumer,
    workers: &[Status],
    known: &Mutex<Answers>,
    stopped: &Receiver<()>,
) {
    while matches!(stopped.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout)) {
        // A broker that does not answer is asked again.
        if let Ok(list) = consumer.fetch_group_list(Some(USERS_GROUP), REQUEST_LIMIT) {
            let stable = list.groups().iter().find(|group| group.state() == "Stable");
            let partitions = stable
                .map(|group| partitions(group, workers))
                .unwrap_or_default();
            lock(known).learn(partitions);
        }
        for worker in workers {
            let answer = http_get(worker.port, "/readyz").map(|(status, body)| match status {
                200 => String::from("running"),
                _ => body.lines().next().unwrap_or_default().to_owned(),
            });
            let health = &mut lock(known).health;
            match answer {
                Some(answer) => drop(health.insert(worker.name, answer)),
                None => drop(health.remove(worker.name)),
            }
        }
    }
}

impl Answers {
    fn learn(&mut self, partitions: BTreeMap<&'static str, Vec<i32>>) {
        let all = partitions.get(SURVIVOR).map(Vec::len) == Some(PARTITIONS as usize);
        self.taken_over = match all {
            true => self.taken_over.or_else(|| Some(Instant::now())),
            false => None,
        };
        self.partitions = partitions;
    }
}

fn partitions(group: &GroupInfo, workers: &[Status]) -> BTreeMap<&'static str, Vec<i32>> {
    let mut partitions = BTreeMap::<_, Vec<i32>>::new();
    for member in group.members() {
        let is = |worker: &&Status| member.client_id().starts_with(&client_id(worker.name));
        if let Some(worker) = workers.iter().find(is) {
            let assigned = assigned(member.assignment().unwrap_or_default());
            partitions
                .entry(worker.name)
                .or_default()
                .extend(assigned.unwrap_or_default());
        }
    }
    partitions
}

/// The partitions of the shared topic in a member's assignment (Kafka's `ConsumerProtocolAssignment`:
/// version, topics, each with its name and its partitions). `None` if it ends too early.
fn assigned(bytes: &[u8]) -> Option<Vec<i32>> {
    let mut rest = bytes.get(2..)?;
    let mut found = Vec::new();
    for _ in 0..take_i32(&mut rest)? {
        let (length, tail) = rest.split_first_chunk()?;
        let (name, tail) =
            tail.split_at_checked(usize::try_from(i16::from_be_bytes(*length)).ok()?)?;
        rest = tail;
        for _ in 0..take_i32(&mut rest)? {
            let partition = take_i32(&mut rest)?;
            if name == SHARED_TOPIC.as_bytes() {
                found.push(partition);
            }
        }
    }
    found.sort_unstable();
    Some(found)
}

fn take_i32(bytes: &mut &[u8]) -> Option<i32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(i32::from_be_bytes(*number))
}

fn lock(known: &Mutex<Answers>) -> MutexGuard<'_, Answers> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignment_is_read_by_topic() {
        let mut bytes = vec![0, 1, 0, 0, 0, 2];
        for (topic, partitions) in [("orders", [1_u8, 2]), ("users", [3, 0])] {
            bytes.extend([0, topic.len() as u8]);
            bytes.extend(topic.as_bytes());
            bytes.extend([0, 0, 0, 2]);
            bytes.extend(
                partitions
                    .iter()
                    .flat_map(|partition| [0, 0, 0, *partition]),
            );
        }
        assert_eq!(assigned(&bytes), Some(vec![0, 3]));
        assert_eq!(assigned(bytes.get(..20).unwrap()), None);
    }
}
