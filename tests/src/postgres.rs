//! A private Postgres: its own cluster on a free port of the loopback address, over TCP with a
//! password.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use tempfile::TempDir;

use crate::child::{Child, Launch};
use crate::error::Error;
use crate::port::free_port;
use crate::session::Session;

/// `initdb` takes 1 to 3 s, a start less than one.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a fast shutdown may take: it waits for replication clients that do not listen.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// The system user that Debian's packages make; a Postgres refuses to run as root.
const SYSTEM_USER: &str = "postgres";
/// The superuser of the cluster.
const USER: &str = "postgres";
/// Its password; the server listens on the loopback address only.
const PASSWORD: &str = "tributary";

/// How a [`Postgres`] is set up. The default has `wal_level=logical`.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    settings: BTreeMap<String, String>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        // A crash of the server alone, which is what tests make, loses nothing without fsync.
        let settings = [
            ("wal_level", "logical"),
            ("max_wal_senders", "32"),
            ("max_replication_slots", "64"),
            ("max_connections", "200"),
            ("fsync", "off"),
            ("timezone", "UTC"),
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", ""),
            ("shared_buffers", "32MB"),
            ("log_line_prefix", "%m [%p] %d "),
        ];
        let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Self {
            settings: settings.map(own).into(),
        }
    }
}

impl PostgresOptions {
    /// Sets `wal_level`: `replica` or `logical`.
    #[must_use]
    pub fn wal_level(self, level: &str) -> Self {
        self.setting("wal_level", level)
    }

    /// Sets a server setting (as in `postgresql.conf`), replacing the default.
    #[must_use]
    pub fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }
}

/// A running Postgres. Dropping it stops it at once; its folder stays.
#[derive(Debug)]
pub struct Postgres {
    directory: PathBuf,
    options: PostgresOptions,
    system_user: Option<&'static str>,
    port: u16,
    child: Child,
    data: PathBuf,
    /// Removed after the server has ended.
    _folders: Vec<TempDir>,
}

impl Postgres {
    /// Makes a new cluster under `directory` and starts it on a port that is free.
    ///
    /// Run by root, the server runs as Debian's `postgres` user, and its data lies in the system's
    /// temporary folder where that user may not reach `directory`.
    ///
    /// # Errors
    ///
    /// When Postgres is not installed or does not come up; the error holds the end of its log.
    pub fn start(directory: impl Into<PathBuf>, options: PostgresOptions) -> Result<Self, Error> {
        Self::start_in(directory.into(), options, Vec::new())
    }

    fn start_in(
        directory: PathBuf,
        options: PostgresOptions,
        mut folders: Vec<TempDir>,
    ) -> Result<Self, Error> {
        fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
        let directory = fs::canonicalize(&directory).map_err(Error::file("resolve", &directory))?;
        let system_user = Uid::effective().is_root().then_some(SYSTEM_USER);
        let home = if system_user.is_some() && !reachable_by_others(&directory) {
            let folder = open_folder()?;
            let home = folder.path().to_path_buf();
            folders.push(folder);
            home
        } else {
            directory.clone()
        };
        let data = make_cluster(&directory, &home, system_user)?;
        let port = free_port();
        let child = launch(&directory, &data, system_user, port, &options)?;
        let mut postgres = Self {
            directory,
            options,
            system_user,
            port,
            child,
            data,
            _folders: folders,
        };
        postgres.wait_ready()?;
        Ok(postgres)
    }

    /// Makes a cluster in a folder that goes with it: for a test that crashes or configures one.
    ///
    /// # Errors
    ///
    /// As [`Postgres::start`].
    pub fn temporary(options: PostgresOptions) -> Result<Self, Error> {
        let folder = open_folder()?;
        Self::start_in(folder.path().to_path_buf(), options, vec![folder])
    }

    /// The port on 127.0.0.1, the same across restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's name.
    pub fn user(&self) -> &'static str {
        USER
    }

    /// The superuser's password.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// The superuser's URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Connects to a database as the superuser.
    ///
    /// # Errors
    ///
    /// When Postgres refuses.
    pub fn connect(&self, database: &str) -> Result<Session, Error> {
        Session::connect(&self.url(database))
    }

    /// Crashes the server: it drops every connection and recovers from its log at the next start.
    pub fn kill(&mut self) {
        // The immediate shutdown rather than SIGKILL, which leaves the backends behind for a while.
        let _ = self.child.stop(Signal::SIGQUIT, STOP_LIMIT);
    }

    /// Shuts the server down (a "fast" shutdown), and crashes it if that takes 5 s.
    ///
    /// # Errors
    ///
    /// [`Error::Deadline`] when it had to be killed.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.child.signal(Signal::SIGINT);
        if self.child.wait(STOP_LIMIT).is_ok() {
            return Ok(());
        }
        self.child.stop(Signal::SIGQUIT, STOP_LIMIT).map(drop)
    }

    /// Starts the server again, on its port and with its data. Crashes it first if it runs.
    ///
    /// # Errors
    ///
    /// When it does not come up.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.kill();
        self.child = launch(
            &self.directory,
            &self.data,
            self.system_user,
            self.port,
            &self.options,
        )?;
        self.wait_ready()
    }

    /// Changes a server setting for the next [`Postgres::restart`].
    pub fn set(&mut self, key: &str, value: &str) {
        self.options = self.options.clone().setting(key, value);
    }

    /// Freezes the postmaster: no new connection is answered.
    pub fn pause(&self) {
        self.child.pause();
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        self.child.resume();
    }

    /// The postmaster's process: its id, its log, whether it still runs.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    fn wait_ready(&mut self) -> Result<(), Error> {
        let url = self.url("postgres");
        let what = format!("postgres answered on port {}", self.port);
        self.child
            .wait_for(&what, START_LIMIT, |_| Session::connect(&url).ok())
            .map(drop)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // By its own immediate shutdown it also gives its shared memory back.
        self.kill();
    }
}

fn make_cluster(
    directory: &Path,
    home: &Path,
    system_user: Option<&'static str>,
) -> Result<PathBuf, Error> {
    let data = home.join("pgdata");
    if data.exists() {
        fs::remove_dir_all(&data).map_err(Error::file("remove", &data))?;
    }
    fs::create_dir_all(&data).map_err(Error::file("create", &data))?;
    let password = home.join("password");
    fs::write(&password, PASSWORD).map_err(Error::file("write", &password))?;
    if let Some(name) = system_user {
        give_to(&data, name)?;
        give_to(&password, name)?;
    }
    let password_file = format!("--pwfile={}", password.display());
    Launch::new("initdb", program("initdb")?, directory.join("initdb.log"))
        .args([
            "--username",
            USER,
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ])
        .args(["--auth=scram-sha-256", &password_file, "--pgdata"])
        .args([&data])
        .directory(home)
        .user(system_user)
        .run(START_LIMIT)?;
    fs::remove_file(&password).map_err(Error::file("remove", &password))?;
    Ok(data)
}

fn launch(
    directory: &Path,
    data: &Path,
    system_user: Option<&'static str>,
    port: u16,
    options: &PostgresOptions,
) -> Result<Child, Error> {
    let settings = options
        .settings
        .iter()
        .flat_map(|(key, value)| [String::from("-c"), format!("{key}={value}")]);
    Launch::new(
        "postgres",
        program("postgres")?,
        directory.join("postgres.log"),
    )
    .args(["-p", &port.to_string(), "-D"])
    .args([data])
    .args(settings)
    .directory(data)
    .user(system_user)
    .death_signal("QUIT")
    .spawn()
}

/// The path of one of Postgres' programs.
///
/// Debian keeps the server's programs out of the path, one folder a version: the newest wins.
///
/// # Errors
///
/// When it is not installed.
pub fn program(name: &str) -> Result<PathBuf, Error> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let debian = versions.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let path = version.path().join("bin").join(name);
        path.is_file().then_some((number, path))
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = || std::env::split_paths(&path).map(|folder| folder.join(name));
    debian
        .max()
        .map(|(_, path)| path)
        .or_else(|| in_path().find(|path| path.is_file()))
        .ok_or_else(|| Error::Missing(format!("no program=`{name}`: run `./dev setup`")))
}

fn reachable_by_others(directory: &Path) -> bool {
    let open = |path: &Path| fs::metadata(path).is_ok_and(|folder| folder.mode() & 0o001 != 0);
    directory.ancestors().all(open)
}

/// A temporary folder that the system user can pass through.
fn open_folder() -> Result<TempDir, Error> {
    let folder = tempfile::Builder::new()
        .prefix("tributary-postgres-")
        .permissions(fs::Permissions::from_mode(0o711))
        .tempdir();
    folder.map_err(Error::file("create", std::env::temp_dir()))
}

fn give_to(path: &Path, name: &str) -> Result<(), Error> {
    let user = User::from_name(name)
        .ok()
        .flatten()
        .ok_or_else(|| Error::Missing(format!("no system user=`{name}`: run `./dev setup`")))?;
    chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
        .map_err(Error::file("change the owner of", path))
}
