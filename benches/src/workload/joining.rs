//! Joins: of a stream with a table, and of two streams.

use std::time::Duration;

use streams_dsl::serde::{ByteSerde, Utf8};
use streams_dsl::{
    JoinWindows, KeyValueStore, Materialized, Result, StreamsBuilder, Topic, Topology,
};

type Bytes = Vec<u8>;

const PROFILES: KeyValueStore<String, Bytes> = KeyValueStore::named("profiles");
const JOIN_DIFFERENCE: Duration = Duration::from_secs(5);

fn topic(name: impl Into<String>) -> Topic<String, Bytes> {
    Topic::new(name.into(), Utf8, ByteSerde)
}

/// An event with its key's profile, or null, as a field at its end; nothing is parsed.
fn with_profile(mut event: Bytes, profile: Option<&[u8]>) -> Bytes {
    let profile = profile.unwrap_or(b"null");
    event.pop();
    event.reserve(profile.len() + 12);
    event.extend_from_slice(b",\"profile\":");
    event.extend_from_slice(profile);
    event.push(b'}');
    event
}

/// The workload `join`: a stream left-joined with the table of `<input>-table`.
pub(super) fn join(input: &str, output: &str) -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let kept = Materialized::from(&PROFILES).without_caching();
    let profiles = builder.table_as(&topic(format!("{input}-table")), kept);
    builder
        .stream(&topic(input))
        .left_join_table(&profiles, |event, profile| {
            with_profile(event, profile.as_deref())
        })
        .to(&topic(output));
    builder.build()
}

/// The workload `stream-join`: pairs of a stream and `<input>-right` within 5 s.
pub(super) fn stream_join(input: &str, output: &str) -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let right = builder.stream(&topic(format!("{input}-right")));
    let near = JoinWindows::of_time_difference_with_no_grace(JOIN_DIFFERENCE);
    let pair = |left: &Bytes, right: &Bytes| {
        [b"{\"left\":", left.as_slice(), b",\"right\":", right, b"}"].concat()
    };
    builder
        .stream(&topic(input))
        .join(right, near, pair)
        .to(&topic(output));
    builder.build()
}
