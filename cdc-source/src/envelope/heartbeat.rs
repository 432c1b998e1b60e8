//! Heartbeat records: they keep the offset moving while the captured tables rest.

use std::sync::Arc;

use super::{OutgoingRecord, push_int, quoted};
use crate::config::{ConnectorConfig, TransformConfig};
use crate::schema::{ConnectSchema, StructSchema};

/// The heartbeat record of a connector, prepared but for its time.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    topic: Arc<str>,
    key: Vec<u8>,
    /// The value up to the time, which only closing braces follow.
    value: Vec<u8>,
    closing: &'static [u8],
}

impl Heartbeat {
    pub(crate) fn new(config: &ConnectorConfig) -> Self {
        let mut topic = config.heartbeat.topic.clone();
        for transform in &config.transforms {
            if let TransformConfig::Route(route) = transform {
                topic = route.apply(&topic).unwrap_or(topic);
            }
        }
        let mut key = format!("{{\"serverName\":{}}}", quoted(&config.topic_prefix));
        if config.key_converter.schemas_enable {
            let fields = vec![("serverName".to_owned(), ConnectSchema::primitive("string"))];
            let schema = StructSchema::new("io.debezium.connector.common.ServerNameKey", fields)
                .with_version(1);
            key = format!("{{\"schema\":{},\"payload\":{key}}}", schema.to_json());
        }
        let (value, closing) = if config.value_converter.schemas_enable {
            let fields = vec![("ts_ms".to_owned(), ConnectSchema::primitive("int64"))];
            let schema =
                StructSchema::new("io.debezium.connector.common.Heartbeat", fields).with_version(1);
            let value = format!("{{\"schema\":{},\"payload\":{{\"ts_ms\":", schema.to_json());
            (value, b"}}".as_slice())
        } else {
            ("{\"ts_ms\":".to_owned(), b"}".as_slice())
        };
        Self {
            topic: topic.into(),
            key: key.into_bytes(),
            value: value.into_bytes(),
            closing,
        }
    }

    pub(crate) fn record(&self, now_us: i64) -> OutgoingRecord {
        let mut value = self.value.clone();
        push_int(now_us.div_euclid(1000), &mut value);
        value.extend_from_slice(self.closing);
        OutgoingRecord {
            topic: Arc::clone(&self.topic),
            key: Some(self.key.clone()),
            value: Some(value),
            headers: Arc::from([]),
            timestamp_ms: None,
        }
    }
}
