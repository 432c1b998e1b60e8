//! Validation in steps that can be put together: the schema, the data, the business rules.
//!
//! A step is a function of an event, or anything else that is a [`Check`]:
//! ```
//! use processors::failure::PermanentError;
//! use processors::validation::{Validation, data, schema};
//!
//! let validation = Validation::new()
//!     .then("schema", schema)
//!     .then("data", data)
//!     .then("business rule", |event: &processors::event::ChangeEvent<'_>| {
//!         match event.table() {
//!             Some("secrets") => Err(PermanentError("this table is private".into()).into()),
//!             _ => Ok(()),
//!         }
//!     });
//! let event = br#"{"op":"c","after":{"id":1},"source":{"table":"secrets"}}"#;
//! let event = processors::event::ChangeEvent::read(None, Some(event), 1_000)?;
//! let error = validation.check(&event).unwrap_err();
//! assert_eq!(error.to_string(), "business rule: this table is private");
//! # Ok::<(), processors::event::EventError>(())
//! ```

use crate::event::{ChangeEvent, Column, Operation, Row};
use crate::failure::{PermanentError, ProcessingError, TemporaryError};

/// One step: looks at an event and says what is wrong with it.
pub trait Check: Send + Sync {
    /// Whether the event passes.
    ///
    /// # Errors
    /// What is wrong: for good, or for now, such as a service that was asked and is down.
    fn check(&self, event: &ChangeEvent<'_>) -> Result<(), ProcessingError>;
}

impl<F> Check for F
where
    F: Fn(&ChangeEvent<'_>) -> Result<(), ProcessingError> + Send + Sync,
{
    fn check(&self, event: &ChangeEvent<'_>) -> Result<(), ProcessingError> {
        self(event)
    }
}

/// Steps, one after the other; the first that fails ends it.
#[derive(Default)]
pub struct Validation(Vec<(&'static str, Box<dyn Check>)>);

impl Validation {
    /// Without a step: all events pass.
    pub fn new() -> Self {
        Self::default()
    }

    /// [`schema`], [`data`] and [`business_rule`].
    pub fn standard() -> Self {
        Self::new()
            .then("schema", schema)
            .then("data", data)
            .then("business rule", business_rule)
    }

    /// Adds a step; its name stands before what it finds wrong.
    #[must_use]
    pub fn then(mut self, name: &'static str, check: impl Check + 'static) -> Self {
        self.0.push((name, Box::new(check)));
        self
    }

    /// Whether the event passes every step.
    ///
    /// # Errors
    /// What the first step that fails says, after its name.
    pub fn check(&self, event: &ChangeEvent<'_>) -> Result<(), ProcessingError> {
        for (name, step) in &self.0 {
            step.check(event).map_err(|error| match error {
                ProcessingError::Permanent(PermanentError(reason)) => {
                    PermanentError(format!("{name}: {reason}")).into()
                }
                ProcessingError::Temporary(TemporaryError(reason)) => {
                    ProcessingError::from(TemporaryError(format!("{name}: {reason}")))
                }
            })?;
        }
        Ok(())
    }
}

impl Check for Validation {
    fn check(&self, event: &ChangeEvent<'_>) -> Result<(), ProcessingError> {
        self.check(event)
    }
}

fn wrong(reason: impl Into<String>) -> ProcessingError {
    PermanentError(reason.into()).into()
}

/// The event has what its operation needs: `after`, or for a delete `before` or a key.
///
/// # Errors
/// What is missing.
pub fn schema(event: &ChangeEvent<'_>) -> Result<(), ProcessingError> {
    let known = match event.operation() {
        Operation::Create | Operation::Update | Operation::Read => {
            event.after().map(drop).ok_or("after is missing")
        }
        Operation::Delete => {
            let known = event.before().is_some() || event.key().is_some();
            known.then_some(()).ok_or("before and the key are missing")
        }
    };
    known.map_err(wrong)
}

/// The row is an object with columns, and has a value in `id` where it has that column. Rows that
/// are gone are not looked at: a bad one must be deletable.
///
/// # Errors
/// The column that is wrong.
pub fn data(event: &ChangeEvent<'_>) -> Result<(), ProcessingError> {
    let Some(row) = event.row().map_err(|_| wrong("after is no row"))? else {
        return Ok(());
    };
    if row.columns().is_empty() {
        return Err(wrong("the row has no columns"));
    }
    match row.column("id") {
        Some(id) if id.is_null() => Err(wrong("column=id is null")),
        _ => Ok(()),
    }
}

/// Columns that count or cost something.
const NEVER_NEGATIVE: &[&str] = &["amount", "price", "quantity", "stock", "total"];

/// An `email` has a name and a host; amounts, prices and quantities are not negative.
///
/// # Errors
/// The column that breaks a rule.
pub fn business_rule(event: &ChangeEvent<'_>) -> Result<(), ProcessingError> {
    let Ok(Some(row)) = event.row() else {
        return Ok(());
    };
    if !has_plausible_email(&row) {
        return Err(wrong("column=email is no address"));
    }
    let negative = row.columns().iter().find(|column| {
        let counts = NEVER_NEGATIVE.contains(&&*column.name);
        counts && column.number().is_some_and(|number| number < 0.0)
    });
    match negative {
        Some(column) => Err(wrong(format!("column={} is negative", column.name))),
        None => Ok(()),
    }
}

fn has_plausible_email(row: &Row<'_>) -> bool {
    let Some(email) = row.column("email").and_then(Column::text) else {
        return true;
    };
    let parts = email.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}
