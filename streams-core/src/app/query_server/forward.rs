//! Asking another instance.

use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::app::query::HostInfo;
use crate::error::{Error, ErrorKind, Result};

/// Marks a question that another instance passes on: it is answered here, whoever has the key.
pub(super) const FORWARDED: &str = "x-forwarded-by-instance";

/// How long an instance may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// The largest answer that is passed on.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The answer of an instance to a path.
///
/// # Errors
/// If it cannot be reached, or does not answer in time or in JSON.
pub(super) async fn ask(host: &HostInfo, path: &str) -> Result<(StatusCode, Value)> {
    let failed = |what: String| {
        let message = format!("cannot ask the instance at {host}: {what}");
        Error::new(ErrorKind::Broker, message)
    };
    match tokio::time::timeout(ANSWER_WAIT, exchange(host, path)).await {
        Ok(answer) => answer.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed(format!("no answer within {ANSWER_WAIT:?}"))),
    }
}

type ExchangeError = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(host: &HostInfo, path: &str) -> Result<(StatusCode, Value), ExchangeError> {
    let stream = TcpStream::connect((host.host.as_str(), host.port)).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = Request::get(path)
        .header(header::HOST, host.to_string())
        .header(FORWARDED, "1")
        .body(Empty::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
    let body = body.collect().await?.to_bytes();
    driver.abort();
    Ok((status, serde_json::from_slice(&body)?))
}
