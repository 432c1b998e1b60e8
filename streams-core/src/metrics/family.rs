//! Every metric's name, help and labels.

use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry};

const CLIENT: &[&str] = &["client_id"];
const THREAD: &[&str] = &["thread_id"];
const TASK: &[&str] = &["thread_id", "task_id"];
const NODE: &[&str] = &["thread_id", "task_id", "processor_node_id"];
const TOPIC: &[&str] = &["thread_id", "task_id", "processor_node_id", "topic_name"];

macro_rules! families {
    ($($field:ident: $kind:ident = $name:literal, $labels:ident, $help:literal;)*) => {
        /// The families of metrics, registered once.
        pub(super) struct Families {
            $(pub(super) $field: $kind,)*
        }

        impl Families {
            pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
                $(
                    let $field = $kind::new(
                        Opts::new(concat!("kafka_streams_", $name), $help),
                        $labels,
                    )?;
                    registry.register(Box::new($field.clone()))?;
                )*
                Ok(Self { $($field,)* })
            }
        }
    };
}

families! {
    client_state: IntGaugeVec = "stream_metrics_client_state", CLIENT,
        "The instance: 0 created, 1 rebalancing, 2 running, 3 pending shutdown, 4 not running, \
         5 pending error, 6 error.";
    alive_threads: IntGaugeVec = "stream_metrics_alive_stream_threads", CLIENT,
        "Stream threads that run or are starting.";
    failed_threads: IntCounterVec = "stream_metrics_failed_stream_threads", CLIENT,
        "Stream threads that have failed since the start.";

    block_cache_usage: IntGaugeVec = "stream_state_metrics_block_cache_usage", CLIENT,
        "Bytes that the blocks and write buffers of all RocksDB stores of the process take.";

    thread_state: IntGaugeVec = "stream_thread_metrics_thread_state", THREAD,
        "The thread: 0 created, 1 starting, 2 partitions revoked, 3 partitions assigned, \
         4 running, 5 pending shutdown, 6 dead.";
    thread_process: IntCounterVec = "stream_thread_metrics_process_total", THREAD,
        "Records processed.";
    thread_process_latency_avg: GaugeVec = "stream_thread_metrics_process_latency_avg", THREAD,
        "Milliseconds that processing a record takes, on average over the last minute.";
    thread_process_latency_max: GaugeVec = "stream_thread_metrics_process_latency_max", THREAD,
        "Milliseconds that processing a record takes, at most over the last minute.";
    thread_poll: IntCounterVec = "stream_thread_metrics_poll_total", THREAD,
        "Polls of the consumer.";
    thread_poll_latency_avg: GaugeVec = "stream_thread_metrics_poll_latency_avg", THREAD,
        "Milliseconds that a poll takes, on average over the last minute.";
    thread_poll_latency_max: GaugeVec = "stream_thread_metrics_poll_latency_max", THREAD,
        "Milliseconds that a poll takes, at most over the last minute.";
    thread_poll_records: IntCounterVec = "stream_thread_metrics_poll_records_total", THREAD,
        "Records polled.";
    thread_poll_records_avg: GaugeVec = "stream_thread_metrics_poll_records_avg", THREAD,
        "Records in a poll, on average over the last minute.";
    thread_poll_records_max: GaugeVec = "stream_thread_metrics_poll_records_max", THREAD,
        "Records in a poll, at most over the last minute.";
    thread_commit: IntCounterVec = "stream_thread_metrics_commit_total", THREAD,
        "Commits.";
    thread_commit_latency_avg: GaugeVec = "stream_thread_metrics_commit_latency_avg", THREAD,
        "Milliseconds that a commit takes, on average over the last minute.";
    thread_commit_latency_max: GaugeVec = "stream_thread_metrics_commit_latency_max", THREAD,
        "Milliseconds that a commit takes, at most over the last minute.";
    thread_punctuate: IntCounterVec = "stream_thread_metrics_punctuate_total", THREAD,
        "Calls of punctuators.";
    thread_punctuate_latency_avg: GaugeVec = "stream_thread_metrics_punctuate_latency_avg", THREAD,
        "Milliseconds that a call of a punctuator takes, on average over the last minute.";
    thread_punctuate_latency_max: GaugeVec = "stream_thread_metrics_punctuate_latency_max", THREAD,
        "Milliseconds that a call of a punctuator takes, at most over the last minute.";
    task_created: IntCounterVec = "stream_thread_metrics_task_created_total", THREAD,
        "Tasks created.";
    task_closed: IntCounterVec = "stream_thread_metrics_task_closed_total", THREAD,
        "Tasks closed.";

    task_process: IntCounterVec = "stream_task_metrics_process_total", TASK,
        "Records processed.";
    dropped_records: IntCounterVec = "stream_task_metrics_dropped_records_total", TASK,
        "Records dropped.";
    enforced_processing: IntCounterVec = "stream_task_metrics_enforced_processing_total", TASK,
        "Records processed though another partition of the task had none.";
    active_buffer_count: IntGaugeVec = "stream_task_metrics_active_buffer_count", TASK,
        "Records that wait in the task.";
    input_buffer_bytes: IntGaugeVec = "stream_task_metrics_input_buffer_bytes_total", TASK,
        "Bytes of the records that wait in the task.";
    record_lateness_avg: GaugeVec = "stream_task_metrics_record_lateness_avg", TASK,
        "Milliseconds that a record is behind stream time, on average over the last minute.";
    record_lateness_max: GaugeVec = "stream_task_metrics_record_lateness_max", TASK,
        "Milliseconds that a record is behind stream time, at most over the last minute.";

    task_restore: IntCounterVec = "stream_task_metrics_restore_total", TASK,
        "Records restored to the stores of the task.";
    task_restore_remaining: IntGaugeVec =
        "stream_task_metrics_restore_remaining_records_total", TASK,
        "Records, about, that the stores of the task still lack.";

    records_consumed: IntCounterVec = "stream_topic_metrics_records_consumed_total", TOPIC,
        "Records consumed.";
    bytes_consumed: IntCounterVec = "stream_topic_metrics_bytes_consumed_total", TOPIC,
        "Bytes consumed.";
    records_produced: IntCounterVec = "stream_topic_metrics_records_produced_total", TOPIC,
        "Records produced.";
    bytes_produced: IntCounterVec = "stream_topic_metrics_bytes_produced_total", TOPIC,
        "Bytes produced.";

    node_process: IntCounterVec = "stream_processor_node_metrics_process_total", NODE,
        "Records processed.";
    e2e_latency_min: GaugeVec = "stream_processor_node_metrics_record_e2e_latency_min", NODE,
        "Milliseconds from a record's timestamp to its processing, at least over the last minute.";
    e2e_latency_avg: GaugeVec = "stream_processor_node_metrics_record_e2e_latency_avg", NODE,
        "Milliseconds from a record's timestamp to its processing, averaged over the last minute.";
    e2e_latency_max: GaugeVec = "stream_processor_node_metrics_record_e2e_latency_max", NODE,
        "Milliseconds from a record's timestamp to its processing, at most over the last minute.";
}
