//! An instance that stands alone answers queries over HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::query::StreamsQueries;
use crate::app::query_server::QueryServer;
use crate::config::StreamsConfig;
use crate::id::TaskId;
use crate::processor::{Processor, ProcessorContext, ProcessorError};
use crate::record::Record;
use crate::serde::{I64, Utf8};
use crate::store::{KeyValueStore, StoreBuilder, StoreContext, StoreRegistry, TaskStores};
use crate::testing::MemoryCollector;
use crate::topology::{Source, Topology, TopologyBuilder};

const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");

struct Ignore;

impl Processor<String, i64, (), ()> for Ignore {
    fn process(
        &mut self,
        _: &mut ProcessorContext<'_, (), ()>,
        _: Record<String, i64>,
    ) -> Result<(), ProcessorError> {
        Ok(())
    }
}

fn counts() -> StoreBuilder {
    StoreBuilder::timestamped_key_value("counts", Arc::new(Utf8), Arc::new(I64))
}

fn topology() -> Topology {
    let mut builder = TopologyBuilder::new();
    let source = Source::topics(["in"], Arc::new(Utf8), Arc::new(I64));
    let source = builder.add_source("source", source).unwrap();
    builder.add_state_store(counts()).unwrap();
    let stores = ["counts".into()];
    builder
        .add_stateful_processor::<_, _, (), (), _>("counter", |_| Ok(Ignore), &[source], &stores)
        .unwrap();
    builder.build().unwrap()
}

fn get(server: &QueryServer, path: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[test]
fn committed_state_is_shown_as_json() {
    let registry = StoreRegistry::default();
    let config = Arc::new(StreamsConfig::for_test());
    let queries = StreamsQueries::new(topology(), config, registry.clone());
    let server = QueryServer::builder(queries)
        .key_value(&COUNTS, Utf8)
        .serve("127.0.0.1:0")
        .unwrap();
    assert_eq!(get(&server, "/stores/counts/keys/a").0, 503);
    let collector = Rc::new(MemoryCollector::default());
    let context = StoreContext::new(0, collector);
    let mut stores = TaskStores::in_memory(&[counts()], "test", context);
    let task = TaskId {
        subtopology: 0,
        partition: 0,
    };
    registry.add(task, stores.committed());
    let store = stores.access_all().timestamped_key_value(&COUNTS).unwrap();
    store.put(&"a".to_owned(), Some(&3), 7).unwrap();
    store.put(&"b".to_owned(), Some(&4), 8).unwrap();
    stores.commit(0, |_| None).unwrap();
    let shown = json!([{"name": "counts", "kind": "key-value"}]);
    assert_eq!(get(&server, "/stores"), (200, shown));
    let entry = json!({"key": "a", "value": 3, "timestamp": 7});
    assert_eq!(get(&server, "/stores/counts/keys/a"), (200, entry));
    assert_eq!(get(&server, "/stores/counts/keys/z").0, 404);
    assert_eq!(get(&server, "/stores/other/keys/a").0, 404);
    assert_eq!(get(&server, "/stores/counts/windows/a").0, 400);
    let entries = json!({"entries": [{"key": "b", "value": 4}]});
    let path = "/stores/counts/entries?from=b&limit=1";
    assert_eq!(get(&server, path), (200, entries));
    let count = json!({"approximate_count": 2});
    assert_eq!(get(&server, "/stores/counts/count"), (200, count));
}
