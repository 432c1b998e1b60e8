//! Waiting on a thread for an answer that one of librdkafka's threads brings.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// How often `check` is asked.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Waits for a future of the client, whose own threads wake it, until `check` fails. This needs no
/// async runtime, and works on the thread of one.
pub(crate) fn wait<F: Future, E>(
    future: F,
    mut check: impl FnMut() -> Result<(), E>,
) -> Result<F::Output, E> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Ok(output);
        }
        check()?;
        thread::park_timeout(CHECK_INTERVAL);
    }
}

/// Waits for a future of the client, however long it takes.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let Ok(output) = wait(future, || Ok::<(), Infallible>(()));
    output
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_thread_ends_the_wait() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let other = thread::spawn(move || sender.send(7));
        assert_eq!(block_on(receiver), Ok(7));
        other.join().unwrap().unwrap();
    }

    #[test]
    fn a_check_that_fails_ends_the_wait() {
        let mut checks = 0;
        let waited = wait(std::future::pending::<()>(), || {
            checks += 1;
            if checks < 3 { Ok(()) } else { Err("given up") }
        });
        assert_eq!((waited, checks), (Err("given up"), 3));
    }
}
