//! `/metrics`, `/healthz` and `/readyz` over HTTP.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Registry, TextEncoder};
use tokio::sync::oneshot;

use super::health::Health;
use crate::error::{Error, ErrorKind, Result};

/// A small HTTP server in a thread of its own; dropping it stops it.
///
/// | path | answer |
/// |---|---|
/// | `/metrics` | the registry in Prometheus' text format |
/// | `/healthz` | 200 while the process is alive, else 503 with the reason |
/// | `/readyz` | 200 while the process does its work, else 503 with the reason |
///
/// # Examples
/// ```
/// use streams_core::observability::{Endpoint, Health};
///
/// let health = Health::new();
/// let endpoint = Endpoint::serve("127.0.0.1:0", prometheus::Registry::new(), health)?;
/// assert_ne!(endpoint.address().port(), 0);
/// # Ok::<(), streams_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Listens on `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// If the address cannot be resolved or is taken.
    pub fn serve(
        address: impl ToSocketAddrs + std::fmt::Display,
        registry: Registry,
        health: Health,
    ) -> Result<Self> {
        let failed = |error: std::io::Error| {
            let message = format!("cannot serve metrics and health on `{address}`");
            Error::with_source(ErrorKind::Config, message, error)
        };
        let listener = TcpListener::bind(&address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            runtime.block_on(async move {
                // Stopping waits for no answer: a probe that hangs must not delay the exit.
                tokio::select! {
                    outcome = run(listener, router(registry, health)) => {
                        if let Err(error) = outcome {
                            tracing::error!(%error, "stopped serving metrics and health");
                        }
                    }
                    _ = stopped => {}
                }
            });
        };
        let thread = thread::Builder::new()
            .name("observability".to_owned())
            .spawn(serve)
            .map_err(failed)?;
        Ok(Self {
            address: bound,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn run(listener: TcpListener, router: Router) -> std::io::Result<()> {
    axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await
}

fn router(registry: Registry, health: Health) -> Router {
    let alive = health.clone();
    Router::new()
        .route("/metrics", get(move || async move { metrics(&registry) }))
        .route(
            "/healthz",
            get(move || async move { probe(alive.alive(), "alive") }),
        )
        .route(
            "/readyz",
            get(move || async move { probe(health.ready(), "ready") }),
        )
}

fn metrics(registry: &Registry) -> Response {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => (
            [(
                header::CONTENT_TYPE,
                "text/plain; version=0.0.4; charset=utf-8",
            )],
            text,
        )
            .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

fn probe(outcome: Result<(), String>, well: &str) -> Response {
    match outcome {
        Ok(()) => (StatusCode::OK, format!("{well}\n")).into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use prometheus::IntCounter;

    use super::*;

    fn request(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn metrics_are_in_the_text_format_of_prometheus() {
        let registry = Registry::new();
        let counter = IntCounter::new("records_total", "records").unwrap();
        registry.register(Box::new(counter.clone())).unwrap();
        counter.inc_by(3);
        let endpoint = Endpoint::serve("127.0.0.1:0", registry, Health::new()).unwrap();

        let answer = request(endpoint.address(), "/metrics");

        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(
            answer.contains("content-type: text/plain; version=0.0.4"),
            "{answer}"
        );
        assert!(answer.contains("\nrecords_total 3\n"), "{answer}");
    }

    #[test]
    fn probes_follow_the_health_and_say_why() {
        let health = Health::new();
        let endpoint = Endpoint::serve("127.0.0.1:0", Registry::new(), health.clone()).unwrap();
        let ask = |path| request(endpoint.address(), path);

        assert!(ask("/healthz").starts_with("HTTP/1.1 200"));
        let starting = ask("/readyz");
        assert!(starting.starts_with("HTTP/1.1 503") && starting.ends_with("starting\n"));
        health.set_ready();
        assert!(ask("/readyz").starts_with("HTTP/1.1 200"));
        health.set_dead("no thread left");
        let dead = ask("/healthz");
        assert!(dead.starts_with("HTTP/1.1 503") && dead.ends_with("no thread left\n"));
        assert!(ask("/other").starts_with("HTTP/1.1 404"));
    }

    #[test]
    fn dropping_the_endpoint_frees_its_port_though_a_client_hangs() {
        let endpoint = Endpoint::serve("127.0.0.1:0", Registry::new(), Health::new()).unwrap();
        let address = endpoint.address();
        let hanging = TcpStream::connect(address).unwrap();
        drop(endpoint);
        assert!(TcpStream::connect(address).is_err());
        drop(hanging);
    }

    #[test]
    fn a_taken_address_is_named_in_the_error() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = Endpoint::serve(address, Registry::new(), Health::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let expected = format!("cannot serve metrics and health on `{address}`: ");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}
