//! What a look at the lag has found.

use std::fmt;

use serde::Serialize;

/// The lag of every group on every topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// When it was looked at, in milliseconds since the epoch.
    pub timestamp: i64,
    /// Each topic with each group.
    pub lags: Vec<GroupLag>,
}

/// The lag of one group on one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupLag {
    /// The topic.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// How many records it is behind on all partitions together.
    pub total_lag: u64,
    /// Whether that is more than was allowed.
    pub is_high: bool,
    /// Each partition.
    pub partitions: Vec<PartitionLag>,
}

/// The lag of one group on one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PartitionLag {
    /// The partition.
    pub partition: i32,
    /// The high water mark: the offset that the next record gets.
    pub high_water: i64,
    /// The offset that the group has committed: where it goes on reading.
    pub committed: Option<i64>,
    /// How many records it is behind; without a committed offset, all that are there.
    pub lag: u64,
}

impl Report {
    /// The lags that are higher than was allowed.
    pub fn high(&self) -> impl Iterator<Item = &GroupLag> {
        self.lags.iter().filter(|lag| lag.is_high)
    }
}

impl GroupLag {
    /// The lag on these partitions; `warn_above` is the highest that is allowed.
    pub fn new(topic: &str, group: &str, partitions: Vec<PartitionLag>, warn_above: u64) -> Self {
        let total_lag = partitions.iter().map(|partition| partition.lag).sum();
        Self {
            topic: topic.to_owned(),
            group: group.to_owned(),
            total_lag,
            is_high: total_lag > warn_above,
            partitions,
        }
    }
}

impl PartitionLag {
    /// The lag where the log goes from `low` to `high` and the group has committed `committed`.
    pub fn new(partition: i32, low: i64, high: i64, committed: Option<i64>) -> Self {
        // What retention has deleted cannot be read any more, so nobody is behind on it.
        let next = committed.map_or(low, |committed| committed.max(low));
        Self {
            partition,
            high_water: high,
            committed,
            lag: u64::try_from(high.saturating_sub(next)).unwrap_or(0),
        }
    }
}

impl fmt::Display for Report {
    /// A table, with a line for each partition and one for the total.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |title: &str, name: fn(&GroupLag) -> &str| {
            let names = self.lags.iter().map(|lag| name(lag).chars().count());
            names.max().unwrap_or(0).max(title.len())
        };
        let topic_width = width("TOPIC", |lag| &lag.topic);
        let group_width = width("GROUP", |lag| &lag.group);
        let line = |names: [&str; 2], numbers: [String; 4]| {
            let [topic, group] = names;
            let [partition, high, committed, lag] = numbers;
            format!(
                "{topic:<topic_width$}  {group:<group_width$}  \
                 {partition:>9}  {high:>12}  {committed:>12}  {lag:>12}"
            )
        };
        let titles = ["PARTITION", "HIGH WATER", "COMMITTED", "LAG"];
        let titles = titles.map(str::to_owned);
        formatter.write_str(&line(["TOPIC", "GROUP"], titles))?;
        for lag in &self.lags {
            let names = [lag.topic.as_str(), lag.group.as_str()];
            for partition in &lag.partitions {
                let committed = partition.committed;
                let numbers = [
                    partition.partition.to_string(),
                    partition.high_water.to_string(),
                    committed.map_or_else(|| "-".to_owned(), |offset| offset.to_string()),
                    partition.lag.to_string(),
                ];
                write!(formatter, "\n{}", line(names, numbers))?;
            }
            let (none, total) = (String::new(), lag.total_lag.to_string());
            let total = line(names, ["total".to_owned(), none.clone(), none, total]);
            let warning = if lag.is_high {
                "  WARNING: high lag"
            } else {
                ""
            };
            write!(formatter, "\n{total}{warning}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_what_is_left_to_read() {
        let lag = |low, high, committed| PartitionLag::new(0, low, high, committed).lag;
        assert_eq!(lag(0, 100, Some(40)), 60);
        assert_eq!(lag(0, 100, None), 100);
        assert_eq!(lag(30, 100, None), 70);
        assert_eq!(lag(30, 100, Some(10)), 70);
        assert_eq!(lag(0, 100, Some(100)), 0);
        // A topic that was made anew is shorter than what was committed.
        assert_eq!(lag(0, 5, Some(100)), 0);
    }

    #[test]
    fn total_above_the_limit_is_high_and_shown_as_such() {
        let partitions = vec![
            PartitionLag::new(0, 0, 9_000, Some(1_000)),
            PartitionLag::new(1, 0, 2_001, None),
        ];
        let lag = GroupLag::new("users", "cache", partitions.clone(), 10_000);
        assert_eq!((lag.total_lag, lag.is_high), (10_001, true));
        assert!(!GroupLag::new("users", "cache", partitions, 10_001).is_high);

        let report = Report {
            timestamp: 1,
            lags: vec![lag],
        };
        let table = report.to_string();
        let lines: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[1], ["users", "cache", "0", "9000", "1000", "8000"]);
        assert_eq!(lines[2], ["users", "cache", "1", "2001", "-", "2001"]);
        assert_eq!(
            lines[3],
            [
                "users", "cache", "total", "10001", "WARNING:", "high", "lag"
            ]
        );
    }
}
