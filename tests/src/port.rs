//! Free ports on the loopback address.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Below Linux's ephemeral range (32768 and up) on purpose: an ephemeral port is handed to any
/// outgoing connection while its server restarts, and a client that keeps calling a dead server
/// there can even be connected to itself.
const PORTS: Range<u16> = 15_000..32_000;

/// Ports that this process has already given out.
static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port of 127.0.0.1 on which nothing listens, not given out before by this process.
///
/// # Panics
///
/// When no port of the range is free.
#[track_caller]
pub fn free_port() -> u16 {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = taken.get_or_insert_default();
    for _ in 0..PORTS.len() {
        let port = rand::random_range(PORTS);
        if !taken.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            taken.insert(port);
            return port;
        }
    }
    crate::Error::Missing(format!("no free port in {PORTS:?}")).fail()
}
