//! Java programs that run on JVM Kafka Streams: what ours takes over from, and hands over to.

use std::path::Path;
use std::time::Duration;

use crate::child::Launch;
use crate::environment;
use crate::error::OrFail;
use crate::process::{Process, ProcessBuilder};

/// How long the compiler may take on a busy machine.
const COMPILE_LIMIT: Duration = Duration::from_secs(120);

impl Process {
    /// The Java program `class`, compiled from `source` for this call and run with the jars of JVM
    /// Kafka Streams.
    ///
    /// # Panics
    ///
    /// When it does not compile, or `./dev test` has not resolved the jars.
    #[track_caller]
    pub fn java(source: &Path, class: &str) -> ProcessBuilder {
        let jars = environment::require(environment::STREAMS_HOME);
        let java = std::env::var(environment::JAVA).unwrap_or_else(|_| "java".to_owned());
        let builder = Self::program(Path::new(&java));
        let classes = builder.folder().join("classes");
        let (classes, class_path) = (classes.display().to_string(), format!("{jars}/*"));
        // The compiler does not expand the star that `java` does.
        let jar_files = std::fs::read_dir(&jars).map(|entries| {
            let entries = entries.filter_map(Result::ok);
            entries.map(|entry| entry.path().display().to_string())
        });
        let jar_files = jar_files.map(|files| files.collect::<Vec<_>>().join(":"));
        let jar_files = jar_files
            .map_err(crate::Error::file("read", &jars))
            .or_fail();
        Launch::new("ecj", &java, builder.folder().join("compiler.log"))
            .args([
                "-cp",
                &class_path,
                "org.eclipse.jdt.internal.compiler.batch.Main",
            ])
            .args([
                "-17",
                "-nowarn",
                "-proc:none",
                "-cp",
                &jar_files,
                "-d",
                &classes,
            ])
            .args([source])
            .run(COMPILE_LIMIT)
            .or_fail();
        let class_path = format!("{classes}:{class_path}");
        builder.args(["-Xmx512m", "-cp", &class_path, class])
    }
}
