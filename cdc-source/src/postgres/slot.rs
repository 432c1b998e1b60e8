//! The replication slot: what the server keeps for the connector.

use super::connection::{Connection, postgres_error};
use super::lsn::Lsn;
use crate::{Error, Result};

/// A logical replication slot as `pg_replication_slots` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Up to where the connector has confirmed.
    pub confirmed_flush: Lsn,
    /// Whether a session streams from it.
    pub is_active: bool,
    /// Whether the log it needs is gone.
    pub is_lost: bool,
}

const SLOT: &str = "\
    SELECT slot_type, plugin, database, active, confirmed_flush_lsn::text, \
           coalesce(wal_status = 'lost', false), current_database() \
    FROM pg_replication_slots WHERE slot_name = $1";

impl Slot {
    /// Looks the slot up.
    ///
    /// # Errors
    /// [`Error::Setting`] when a slot of that name cannot serve this connector.
    pub async fn find(connection: &Connection, name: &str) -> Result<Option<Self>> {
        let doing = format!("looking up replication slot {name}");
        let failed = |error| postgres_error(&doing, &error);
        let Some(row) = connection
            .client()
            .query_opt(SLOT, &[&name])
            .await
            .map_err(failed)?
        else {
            return Ok(None);
        };
        let read = |index| row.try_get::<_, Option<String>>(index).map_err(failed);
        let (kind, plugin, database) = (read(0)?, read(1)?, read(2)?);
        let refused = |problem| Error::Setting {
            setting: "slot.name",
            problem,
        };
        if kind.as_deref() != Some("logical") || plugin.as_deref() != Some("pgoutput") {
            let plugin = plugin.unwrap_or_else(|| "no plugin".into());
            return Err(refused(format!(
                "replication slot {name} exists with {plugin}, and pgoutput is needed; drop it or \
                 name another one"
            )));
        }
        if database != read(6)? {
            let database = database.unwrap_or_default();
            return Err(refused(format!(
                "replication slot {name} belongs to database {database}"
            )));
        }
        let flag = |index| row.try_get::<_, bool>(index).map_err(failed);
        Ok(Some(Self {
            confirmed_flush: read(4)?
                .and_then(|lsn| lsn.parse().ok())
                .unwrap_or_default(),
            is_active: flag(3)?,
            is_lost: flag(5)?,
        }))
    }

    /// Takes the connector's lock on the slot for as long as the session lives. The slot itself is
    /// held only while it streams; the lock also covers the snapshot before.
    ///
    /// # Errors
    /// [`Error::SlotInUse`] while another instance has it.
    pub async fn lock(connection: &Connection, name: &str) -> Result<()> {
        let sql = "SELECT pg_try_advisory_lock(hashtextextended('cdc-source:' || $1, 0))";
        let row = connection.client().query_one(sql, &[&name]).await;
        let is_locked = row.and_then(|row| row.try_get::<_, bool>(0));
        if is_locked.map_err(|error| postgres_error("locking the slot", &error))? {
            return Ok(());
        }
        Err(Error::SlotInUse {
            problem: format!("another cdc-source is working with replication slot {name}"),
        })
    }

    /// Drops the slot (`slot.drop.on.stop`).
    ///
    /// # Errors
    /// What the server said.
    pub async fn drop(connection: &Connection, name: &str) -> Result<()> {
        let done = connection
            .client()
            .query("SELECT pg_drop_replication_slot($1)", &[&name])
            .await;
        done.map(drop)
            .map_err(|error| postgres_error("dropping the slot", &error))
    }
}
