//! A joining application on the DSL: for tests of state, which run it in the test's process or, as
//! the program `joiner`, in one to be killed.

use std::time::Duration;

use streams_core::store::{KeyValueStore, WindowStore};
use streams_core::{Result, Topology};
use streams_dsl::serde::Utf8;
use streams_dsl::{JoinWindows, Materialized, StreamJoined, StreamsBuilder, Topic};

/// How many events each key has had.
pub const EVENTS_BY_KEY: KeyValueStore<String, i64> = KeyValueStore::named("events-by-key");

/// The profile of each key.
pub const PROFILES: KeyValueStore<String, String> = KeyValueStore::named("profiles");

/// The events that a click may yet be joined with.
pub const EVENTS: WindowStore<String, String> = WindowStore::named("events-seen");

/// The clicks that an event may yet be joined with.
pub const CLICKS: WindowStore<String, String> = WindowStore::named("clicks-seen");

/// How far the times of an event and a click of one pair are from one another, at most.
pub const PAIR_DIFFERENCE: Duration = Duration::from_millis(1_500);

/// Longer than any test goes on: no record is late, and no window ends.
const GRACE: Duration = Duration::from_secs(24 * 3_600);

/// The application's topics, all of them with as many partitions.
#[derive(Debug, Clone)]
pub struct JoiningTopics {
    /// A stream.
    pub events: String,
    /// The stream whose records are joined with those of `events` within [`PAIR_DIFFERENCE`].
    pub clicks: String,
    /// The table that `events` are looked up in.
    pub profiles: String,
    /// Where each event goes, as `event/profile`; without a profile, as `event/none`.
    pub looked_up: String,
    /// Where each pair goes, as `event+click`.
    pub paired: String,
    /// Where each count of a key's events goes, as text.
    pub counted: String,
}

impl JoiningTopics {
    /// Topics of these names behind a prefix.
    pub fn new(prefix: &str) -> Self {
        let name = |stem: &str| format!("{prefix}{stem}");
        Self {
            events: name("events"),
            clicks: name("clicks"),
            profiles: name("profiles"),
            looked_up: name("looked-up"),
            paired: name("paired"),
            counted: name("counted"),
        }
    }

    /// The names of all of them.
    pub fn names(&self) -> [&str; 6] {
        [
            &self.events,
            &self.clicks,
            &self.profiles,
            &self.looked_up,
            &self.paired,
            &self.counted,
        ]
    }
}

/// An event joined with the profile of its key, joined with clicks, and counted.
///
/// # Errors
/// If the names are not usable.
pub fn topology(topics: &JoiningTopics) -> Result<Topology> {
    let text = |name: &String| Topic::<String, String>::new(name.clone(), Utf8, Utf8);
    let builder = StreamsBuilder::new();
    let events = builder.stream(&text(&topics.events));
    let clicks = builder.stream(&text(&topics.clicks));
    let profiles = Materialized::named(PROFILES.name());
    let profiles = builder.table_as(&text(&topics.profiles), profiles);

    let looked_up = events.clone().left_join_table(&profiles, |event, profile| {
        format!("{event}/{}", profile.unwrap_or_else(|| "none".to_owned()))
    });
    looked_up.to(&text(&topics.looked_up));

    let windows = JoinWindows::of_time_difference_and_grace(PAIR_DIFFERENCE, GRACE);
    let stores = StreamJoined::new().with_stores(EVENTS.name(), CLICKS.name());
    let pair = |_: &String, event: &String, click: &String| format!("{event}+{click}");
    let paired = events.clone().join_with(clicks, windows, stores, pair);
    paired.to(&text(&topics.paired));

    let counted = events.group_by_key();
    let counted = counted.count(Materialized::named(EVENTS_BY_KEY.name()));
    let counted = counted.to_stream();
    let counted = counted.map_values(|count| count.unwrap_or_default().to_string());
    counted.to(&text(&topics.counted));
    builder.build()
}
