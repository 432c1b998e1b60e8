//! The replication session: it creates slots and streams from them.

use std::time::Duration;

use pgwire_replication::{
    PgWireError, ReplicationClient, ReplicationConfig, ReplicationEvent, SslMode as WireSslMode,
    TlsConfig,
};

use super::connection::{SESSION_OPTIONS, quote_identifier, server_error};
use super::lsn::Lsn;
use crate::config::{ConnectorConfig, DatabaseConfig, SslMode};
use crate::{Error, Result};

/// How long a create may wait for transactions that are open on the server (Debezium's
/// `internal.create.slot.command.timeout`).
const CREATE_TIMEOUT: Duration = Duration::from_secs(90);

/// A slot that was just created. Its snapshot can be imported for as long as this value lives.
pub struct CreatedSlot {
    /// What committed before is in the snapshot, what committed at it or later is in the stream.
    pub consistent_point: Lsn,
    /// The exported snapshot's name for `SET TRANSACTION SNAPSHOT`.
    pub snapshot_name: String,
    _session: ReplicationClient,
}

/// The connector's slot is created for good, or one is made that lives as long as its session, for
/// the sake of its snapshot alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotLifetime {
    /// The connector's own slot.
    Permanent,
    /// Gone with the session.
    Temporary,
}

/// Creates a slot and exports the snapshot of its consistent point.
///
/// # Errors
/// What the server said; [`Error::SlotInUse`] if the slot exists.
pub async fn create_slot(config: &ConnectorConfig, lifetime: SlotLifetime) -> Result<CreatedSlot> {
    let mut name = config.slot.name.clone();
    if lifetime == SlotLifetime::Temporary {
        // Postgres allows 63 characters.
        name.truncate(54);
        name.push_str("_snapshot");
    }
    let doing = format!("creating replication slot {name}");
    let failed = |error| replication_error(&doing, &error);
    let wire = wire_config(config, Lsn::default());
    let mut session = ReplicationClient::connect_gated(wire)
        .await
        .map_err(failed)?;
    let temporary = if lifetime == SlotLifetime::Temporary {
        " TEMPORARY"
    } else {
        ""
    };
    let is_failover = config.slot.failover && lifetime == SlotLifetime::Permanent;
    let options = if is_failover {
        "(SNAPSHOT 'export', FAILOVER true)"
    } else {
        "EXPORT_SNAPSHOT"
    };
    let quoted = quote_identifier(&name);
    let sql = format!("CREATE_REPLICATION_SLOT {quoted}{temporary} LOGICAL pgoutput {options}");
    let created = tokio::time::timeout(CREATE_TIMEOUT, session.simple_query(&sql)).await;
    let rows = created.map_err(|_| Error::Postgres {
        doing: doing.clone(),
        problem: format!(
            "no answer within {} s; a transaction that is open on the server holds it up",
            CREATE_TIMEOUT.as_secs()
        ),
    })?;
    let rows = rows.map_err(failed)?;
    let field = |index: usize| {
        let value = rows
            .first()
            .and_then(|row| row.get(index))
            .cloned()
            .flatten();
        value.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
    };
    let consistent_point = field(1).and_then(|lsn| lsn.parse().ok());
    let (Some(consistent_point), Some(snapshot_name)) = (consistent_point, field(2)) else {
        return Err(Error::Postgres {
            doing,
            problem: "the answer has no snapshot".into(),
        });
    };
    Ok(CreatedSlot {
        consistent_point,
        snapshot_name,
        _session: session,
    })
}

/// The stream of a slot's changes.
pub struct Replication {
    client: ReplicationClient,
}

impl Replication {
    /// Begins to stream at `start`; on return this session holds the slot.
    ///
    /// # Errors
    /// [`Error::SlotInUse`] while another session holds it, or what else the server said.
    pub async fn start(config: &ConnectorConfig, start: Lsn) -> Result<Self> {
        let doing = format!("streaming from replication slot {}", config.slot.name);
        let failed = |error| replication_error(&doing, &error);
        let mut client = ReplicationClient::connect(wire_config(config, start))
            .await
            .map_err(failed)?;
        client.wait_started().await.map_err(failed)?;
        Ok(Self { client })
    }

    /// The next message.
    ///
    /// # Errors
    /// When the stream broke, or ended without our asking.
    pub async fn next(&mut self) -> Result<ReplicationEvent> {
        let doing = "streaming";
        match self.client.recv().await {
            Ok(Some(event)) => Ok(event),
            Ok(None) => {
                let problem = "the server ended the stream".into();
                Err(Error::Postgres {
                    doing: doing.into(),
                    problem,
                })
            }
            Err(error) => Err(replication_error(doing, &error)),
        }
    }

    /// Tells the server that everything before `lsn` is safe and need not be kept. It is sent
    /// with the next status update.
    pub fn confirm(&self, lsn: Lsn) {
        self.client
            .update_applied_lsn(pgwire_replication::Lsn::from_u64(lsn.0));
    }

    /// Ends the stream so that the slot is free again.
    pub async fn stop(mut self) {
        // The work is committed already; an error here changes nothing.
        let ended = tokio::time::timeout(Duration::from_secs(1), self.client.shutdown()).await;
        tracing::debug!(?ended, "replication session ended");
    }
}

fn wire_config(config: &ConnectorConfig, start: Lsn) -> ReplicationConfig {
    let database = &config.database;
    let interval = Duration::from_millis(config.status_update_interval_ms.max(1));
    ReplicationConfig::new(
        &database.hostname,
        &database.user,
        database.password.as_deref().unwrap_or_default(),
        &database.name,
        &config.slot.name,
        config.publication.name.as_str(),
    )
    .with_port(database.port)
    .with_tls(tls(database))
    .with_start_lsn(pgwire_replication::Lsn::from_u64(start.0))
    .with_status_interval(interval)
    .with_wakeup_interval(interval)
    .with_buffer_size(config.queue.max_queue_size.max(1))
    .with_options(SESSION_OPTIONS)
    .with_application_name(format!("cdc-source {}", config.name))
}

fn tls(database: &DatabaseConfig) -> TlsConfig {
    let mut tls = TlsConfig::disabled();
    tls.mode = match database.ssl_mode {
        SslMode::Disable | SslMode::Allow | SslMode::Prefer => WireSslMode::Disable,
        SslMode::Require => WireSslMode::Require,
        SslMode::VerifyCa => WireSslMode::VerifyCa,
        SslMode::VerifyFull => WireSslMode::VerifyFull,
    };
    tls.ca_pem_path = database.ssl_root_cert.as_ref().map(Into::into);
    tls.client_cert_pem_path = database.ssl_cert.as_ref().map(Into::into);
    tls.client_key_pem_path = database.ssl_key.as_ref().map(Into::into);
    tls
}

/// What an error of the replication session means. Its text ends in `(SQLSTATE 55006)` when it is
/// the server's.
fn replication_error(doing: &str, error: &PgWireError) -> Error {
    let text = match error {
        PgWireError::Server(text) => text.as_str(),
        PgWireError::Auth(text) => {
            let problem = text.clone();
            return Error::Setting {
                setting: "database.user, database.password",
                problem,
            };
        }
        other => {
            return Error::Postgres {
                doing: doing.to_owned(),
                problem: other.to_string(),
            };
        }
    };
    match text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" (SQLSTATE "))
    {
        Some((message, code)) => server_error(doing, code, message),
        None => Error::Postgres {
            doing: doing.to_owned(),
            problem: text.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_in_use_is_known_by_its_sqlstate() {
        let text = "replication slot \"s\" is active for PID 7 (SQLSTATE 55006)".to_owned();
        let error = replication_error("streaming", &PgWireError::Server(text));
        assert!(matches!(error, Error::SlotInUse { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            "slot.name: replication slot \"s\" is active for PID 7"
        );
    }
}
