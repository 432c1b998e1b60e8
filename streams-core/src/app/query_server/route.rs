//! The paths, and what each answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{OriginalUri, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::query::{HostInfo, StreamsQueries};
use crate::app::query_server::forward::{FORWARDED, ask};
use crate::app::query_server::store::{ExposedStore, TimeRange};
use crate::error::{Error, ErrorKind, Result};

type Stores = BTreeMap<String, Arc<dyn ExposedStore>>;

#[derive(Clone)]
struct Shared {
    queries: StreamsQueries,
    stores: Arc<Stores>,
}

/// How many entries an answer has unless it is told.
const LIMIT_DEFAULT: usize = 100;
/// How many entries an answer may have.
const LIMIT_MAX: usize = 10_000;

/// What is asked for besides the path. Times are in milliseconds since the epoch.
#[derive(Debug, Deserialize)]
struct Parameters {
    from: Option<String>,
    to: Option<String>,
    limit: Option<usize>,
}

impl Parameters {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX)
    }

    fn times(&self) -> Result<TimeRange> {
        let time = |text: &Option<String>, default: i64| match text {
            None => Ok(default),
            Some(text) => text.parse().map_err(|error| {
                let message = format!("`{text}` is no time in milliseconds");
                Error::with_source(ErrorKind::Config, message, error)
            }),
        };
        Ok(TimeRange {
            from_ms: time(&self.from, 0)?,
            to_ms: time(&self.to, i64::MAX)?,
        })
    }
}

pub(super) fn router(queries: StreamsQueries, stores: Stores) -> Router {
    let shared = Shared {
        queries,
        stores: Arc::new(stores),
    };
    Router::new()
        .route("/stores", get(stores_shown))
        .route("/stores/{store}/keys/{key}", get(key))
        .route("/stores/{store}/entries", get(entries))
        .route("/stores/{store}/count", get(count))
        .route("/stores/{store}/windows/{key}", get(windows))
        .route("/stores/{store}/sessions/{key}", get(windows))
        .route("/instances", get(instances))
        .with_state(shared)
}

async fn stores_shown(State(shared): State<Shared>) -> Response {
    let stores = shared.stores.iter();
    let shown = stores.map(|(name, store)| json!({"name": name, "kind": store.kind()}));
    Json(shown.collect::<Value>()).into_response()
}

async fn key(
    State(shared): State<Shared>,
    Path((store, key)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let get = |shared: Shared, store: Arc<dyn ExposedStore>, key: String| {
        let found = store.get(&shared.queries, &key)?;
        Ok(found.map_or_else(
            || failure(StatusCode::NOT_FOUND, "the key has no value"),
            |found| Json(found).into_response(),
        ))
    };
    of_key(shared, store, key, uri.to_string(), &headers, get).await
}

async fn windows(
    State(shared): State<Shared>,
    Path((store, key)): Path<(String, String)>,
    Query(parameters): Query<Parameters>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let windows = move |shared: Shared, store: Arc<dyn ExposedStore>, key: String| {
        let (times, limit) = (parameters.times()?, parameters.limit());
        let found = store.windows(&shared.queries, &key, times, limit)?;
        Ok(Json(json!({"entries": found})).into_response())
    };
    of_key(shared, store, key, uri.to_string(), &headers, windows).await
}

/// Answers a question about one key, here or by the instance that has it.
async fn of_key(
    shared: Shared,
    store: String,
    key: String,
    path: String,
    headers: &HeaderMap,
    answer: impl FnOnce(Shared, Arc<dyn ExposedStore>, String) -> Result<Response> + Send + 'static,
) -> Response {
    let is_forwarded = headers.contains_key(FORWARDED);
    let Some(exposed) = shared.stores.get(&store).cloned() else {
        return failure(StatusCode::NOT_FOUND, "no such store is shown");
    };
    let own_host = shared.queries.own_host();
    let found = blocking(move || {
        // Without an address of its own an instance stands alone.
        if !is_forwarded && own_host.is_some() {
            let active = exposed.metadata(&shared.queries, &key)?.active_host;
            if let Some(host) = active.filter(|host| Some(host) != own_host.as_ref()) {
                return Ok(Either::Elsewhere(host));
            }
        }
        answer(shared, exposed, key).map(Either::Here)
    });
    match found.await {
        Ok(Either::Here(response)) => response,
        Ok(Either::Elsewhere(host)) => match ask(&host, &path).await {
            Ok((status, body)) => (status, Json(body)).into_response(),
            Err(error) => failed(&error),
        },
        Err(error) => failed(&error),
    }
}

enum Either {
    Here(Response),
    Elsewhere(HostInfo),
}

async fn entries(
    State(shared): State<Shared>,
    Path(store): Path<String>,
    Query(parameters): Query<Parameters>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let limit = parameters.limit();
    let entries = move |queries: &StreamsQueries, store: &dyn ExposedStore| {
        let (from, to) = (parameters.from.as_deref(), parameters.to.as_deref());
        let found = store.entries(queries, from, to, limit)?;
        Ok(json!({"entries": found}))
    };
    let answers = of_all(shared, store, uri.to_string(), &headers, entries).await;
    answers.map_or_else(
        |response| response,
        |answers| {
            let entries = answers.into_iter().filter_map(|mut answer| {
                let entries = answer.get_mut("entries")?;
                Some(std::mem::take(entries.as_array_mut()?))
            });
            let entries: Vec<Value> = entries.flatten().take(limit).collect();
            Json(json!({"entries": entries})).into_response()
        },
    )
}

async fn count(
    State(shared): State<Shared>,
    Path(store): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let count = |queries: &StreamsQueries, store: &dyn ExposedStore| {
        Ok(json!({"approximate_count": store.count(queries)?}))
    };
    let answers = of_all(shared, store, uri.to_string(), &headers, count).await;
    answers.map_or_else(
        |response| response,
        |answers| {
            let counts = answers.iter().map(|answer| &answer["approximate_count"]);
            let sum: u64 = counts.filter_map(Value::as_u64).sum();
            Json(json!({"approximate_count": sum})).into_response()
        },
    )
}

/// The answers of all instances to a question about a whole store, this one's first. An instance
/// that has no task of the store has nothing to say.
async fn of_all(
    shared: Shared,
    store: String,
    path: String,
    headers: &HeaderMap,
    answer: impl FnOnce(&StreamsQueries, &dyn ExposedStore) -> Result<Value> + Send + 'static,
) -> std::result::Result<Vec<Value>, Response> {
    let is_forwarded = headers.contains_key(FORWARDED);
    let Some(exposed) = shared.stores.get(&store).cloned() else {
        return Err(failure(StatusCode::NOT_FOUND, "no such store is shown"));
    };
    let found = blocking(move || {
        let own_host = shared.queries.own_host();
        let mut others = Vec::new();
        if !is_forwarded && own_host.is_some() {
            let clients = shared.queries.metadata_for_store(&store)?.into_iter();
            others.extend(clients.filter_map(|client| client.host));
            others.retain(|host| Some(host) != own_host.as_ref());
        }
        let own = match answer(&shared.queries, &*exposed) {
            Err(error) if error.kind() == ErrorKind::Unavailable && !others.is_empty() => None,
            answered => Some(answered?),
        };
        Ok((own, others))
    });
    let (own, others) = found.await.map_err(|error| failed(&error))?;
    let mut answers: Vec<Value> = own.into_iter().collect();
    for host in others {
        let (status, body) = ask(&host, &path).await.map_err(|error| failed(&error))?;
        match status {
            StatusCode::OK => answers.push(body),
            StatusCode::SERVICE_UNAVAILABLE => {}
            other => return Err((other, Json(body)).into_response()),
        }
    }
    Ok(answers)
}

async fn instances(State(shared): State<Shared>) -> Response {
    let clients = blocking(move || shared.queries.metadata_for_all_clients()).await;
    match clients {
        Err(error) => failed(&error),
        Ok(clients) => {
            let shown = clients.iter().map(|client| {
                let host = client.host.as_ref().map(ToString::to_string);
                let partitions = client.partitions.iter().map(ToString::to_string);
                json!({"host": host, "partitions": partitions.collect::<Vec<_>>()})
            });
            Json(shown.collect::<Value>()).into_response()
        }
    }
}

/// Runs what reads a disk or waits for a broker beside the server's thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        let message = "a query was not finished";
        Err(Error::with_source(ErrorKind::Processing, message, error))
    })
}

fn failed(error: &Error) -> Response {
    let status = match error.kind() {
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Config | ErrorKind::Serde => StatusCode::BAD_REQUEST,
        ErrorKind::Broker => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    failure(status, &error.to_string())
}

fn failure(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"error": message}))).into_response()
}
