//! Where figures come from: the machine, the versions and the command.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{env, fs, thread};

use serde::{Deserialize, Serialize};

/// Where, when and by which command a table was measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Environment {
    /// The day, UTC.
    pub date: String,
    /// What was typed.
    pub command: String,
    /// Processor, cores, memory and kernel.
    pub machine: String,
    /// The load average of the last minute when the run began: other work shows here.
    pub load_before: String,
    /// The versions of what took part, by name.
    pub versions: BTreeMap<String, String>,
}

impl Environment {
    /// Looks at this machine. `command` is what was typed.
    pub fn of_this_machine(command: String) -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let mut versions = BTreeMap::new();
        let mut version = |name: &str, text: Option<String>| {
            if let Some(text) = text {
                versions.insert(name.to_owned(), text);
            }
        };
        version("Tributary", state_of_the_code());
        version(
            "Rust",
            first_line("rustc", &["--version"]).and_then(|line| word(&line, 1)),
        );
        version("librdkafka", Some(rdkafka::util::get_rdkafka_version().1));
        let kafka = env::var("TRIBUTARY_KAFKA_HOME").unwrap_or_default();
        let kafka = Path::new(&kafka)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        version(
            "Kafka",
            kafka.map(|name| name.trim_start_matches("kafka-").to_owned()),
        );
        Self {
            date: first_line("date", &["--utc", "+%Y-%m-%d"]).unwrap_or_default(),
            command,
            machine: machine(),
            load_before: word(&load, 0).unwrap_or_default(),
            versions,
        }
    }

    /// Adds the version of a Java.
    #[must_use]
    pub fn with_java(mut self, java: &Path) -> Self {
        let output = Command::new(java).arg("-version").output();
        // Java tells its version on standard error.
        let text = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
        let text = text.unwrap_or_default();
        if let Some(version) = text.split('"').nth(1) {
            self.versions
                .insert(String::from("Java"), version.to_owned());
        }
        self
    }

    /// The versions in one line.
    pub fn versions_line(&self) -> String {
        let each = self
            .versions
            .iter()
            .map(|(name, version)| format!("{name} {version}"));
        each.collect::<Vec<_>>().join(", ")
    }
}

fn machine() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| String::from("CPU"));
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| word(&text, 0));
    let memory_kib: f64 = memory
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    let memory_gib = memory_kib / 1024.0 / 1024.0;
    let kernel = first_line("uname", &["--kernel-name", "--kernel-release"]).unwrap_or_default();
    format!("{cores} cores ({processor}), {memory_gib:.0} GiB, {kernel}")
}

/// The value of the first `name: value` line of a file.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn word(text: &str, index: usize) -> Option<String> {
    text.split_whitespace().nth(index).map(str::to_owned)
}

/// The commit, and whether there are changes. Those of the figures are none: a suite makes them.
fn state_of_the_code() -> Option<String> {
    let commit = first_line("git", &["describe", "--always"])?;
    let arguments = [
        "diff",
        "--stat",
        "HEAD",
        "--",
        ":/",
        ":(top,exclude)docs/benchmarks",
    ];
    let is_changed = first_line("git", &arguments).is_some_and(|line| !line.is_empty());
    Some(if is_changed {
        commit + "-dirty"
    } else {
        commit
    })
}

/// The first line that a program writes, if there is such a program.
fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .next()
        .map(str::to_owned)
        .filter(|line| !line.is_empty())
}
