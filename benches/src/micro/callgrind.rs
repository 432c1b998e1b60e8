//! The suite under valgrind, which counts the instructions of each step.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::steps::COUNTED;
use crate::Result;

/// How a line begins that tells of a step.
const STEP: &str = "step\t";

/// Tells the process that reads callgrind's files which steps they are of, and how often each was
/// done.
pub(super) fn tell(measured: &[(String, usize)]) {
    for (name, calls) in measured {
        println!("{STEP}{calls}\t{name}");
    }
}

/// The instructions of one call of each step.
///
/// # Errors
///
/// If valgrind is missing, or the suite fails under it.
pub(super) fn count(filter: Option<&str>) -> Result<Vec<(String, f64)>> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("callgrind");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["micro", "--counted"])
        .args(filter)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run valgrind (apt-get install valgrind): {error}"))?;
    if !output.status.success() {
        return Err(format!("the suite failed under valgrind: {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let steps = text.lines().filter_map(|line| line.strip_prefix(STEP));
    let mut counts = Vec::new();
    // A file is written after each step, and numbered from 1.
    for (number, step) in steps.enumerate() {
        let (calls, name) = step.split_once('\t').ok_or("a step without calls")?;
        let dump = format!("{}.{}", out.display(), number + 1);
        let total = instructions(Path::new(&dump))?;
        counts.push((name.to_owned(), total / calls.parse::<f64>()?));
    }
    Ok(counts)
}

/// What a file of callgrind counts as a whole.
fn instructions(dump: &Path) -> Result<f64> {
    let text = fs::read_to_string(dump)
        .map_err(|error| format!("cannot read path={}: {error}", dump.display()))?;
    total(&text).ok_or_else(|| format!("no totals in path={}", dump.display()).into())
}

fn total(dump: &str) -> Option<f64> {
    let total = dump.lines().find_map(|line| line.strip_prefix("totals:"));
    total?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_file_is_found() {
        let dump = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 7\npart: 2\n\n\
                    positions: line\nevents: Ir\nsummary: 4200\n\nfn=(1) counted\n7 4200\n\n\
                    totals: 4200\n";
        assert_eq!(total(dump), Some(4_200.0));
        assert_eq!(total("# callgrind format\n"), None);
    }
}
