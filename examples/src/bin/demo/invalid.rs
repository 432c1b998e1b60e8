//! Invalid events, written straight to the `users` topic, as a mistaken program would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use streams_tests::{Cluster, Error, Record};

use crate::event::INVALID_KEY;
use crate::topic::USERS;

/// The time between two of them.
const PAUSE: Duration = Duration::from_millis(700);
/// More than processors take (`--value-bytes-max`), less than brokers take.
const LARGE_BYTES: usize = 900_000;

/// The running writer. It ends when it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct InvalidEvents {
    stop: Sender<()>,
    sent: Arc<AtomicU64>,
    thread: JoinHandle<Result<(), Error>>,
}

impl InvalidEvents {
    /// Starts to write.
    pub(crate) fn start(cluster: Cluster) -> Self {
        let (stop, stopped) = channel();
        let sent = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&sent);
        let thread = thread::spawn(move || run(&cluster, &count, &stopped));
        Self { stop, sent, thread }
    }

    /// Stops it, and returns how many are in the topic.
    pub(crate) fn stop(self) -> Result<u64, Error> {
        drop(self.stop);
        let ended = self.thread.join();
        ended.map_err(|_| Error::Missing(String::from("the writer of garbage has panicked")))??;
        Ok(self.sent.load(Ordering::Relaxed))
    }
}

fn run(cluster: &Cluster, sent: &AtomicU64, stopped: &Receiver<()>) -> Result<(), Error> {
    while matches!(stopped.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout)) {
        let number = sent.load(Ordering::Relaxed);
        let record = Record::new(format!("{INVALID_KEY}{number}"), value(number));
        cluster.try_produce(USERS, [record])?;
        sent.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// One mistake after the other.
fn value(number: u64) -> Vec<u8> {
    match number % 7 {
        0 => b"not even JSON".to_vec(),
        1 => br#"{"payload":{"after":{"id":1},"source":{"table":"users"}}}"#.to_vec(),
        2 => br#"{"payload":{"op":"x","after":{"id":1}}}"#.to_vec(),
        3 => br#"{"id":1,"name":"a row without an envelope"}"#.to_vec(),
        4 => b"{\"payload\":{\"op\":\"c\",\"after\":{\"name\":\"\xff\xfe\"}}}".to_vec(),
        5 => br#"{"payload":{"op":"c","after":{"id":1}"#.to_vec(),
        _ => vec![b'9'; LARGE_BYTES],
    }
}
