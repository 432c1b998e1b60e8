//! What an event is called: `user_created`, `order_updated`.

use crate::event::{ChangeEvent, Operation};

/// The event's name: the table's, in the singular, and what happened to the row: `created`,
/// `updated`, `deleted`, or `snapshot` for a row that a snapshot has read.
///
/// The table is the one that `source` names, else the last part of the topic's name
/// (`shop.public.users`).
pub fn event_type(event: &ChangeEvent<'_>, topic: &str) -> String {
    let of_topic = || topic.rsplit('.').next().unwrap_or(topic);
    let table = event.table().unwrap_or_else(of_topic);
    let what = match event.operation() {
        Operation::Create => "created",
        Operation::Update => "updated",
        Operation::Delete => "deleted",
        Operation::Read => "snapshot",
    };
    format!("{}_{what}", singular(table))
}

/// The endings of plurals, and those of their singulars; the first that fits holds.
const ENDINGS: &[(&str, &str)] = &[
    ("people", "person"),
    ("children", "child"),
    ("statuses", "status"),
    ("ies", "y"),
    ("sses", "ss"),
    ("shes", "sh"),
    ("ches", "ch"),
    ("xes", "x"),
    ("ss", "ss"),
    ("us", "us"),
    ("is", "is"),
    ("s", ""),
];

/// The singular of an English noun, as tables are named; what is no plural stays.
fn singular(plural: &str) -> String {
    let found = ENDINGS.iter().find_map(|(plural_end, singular_end)| {
        let stem = plural.strip_suffix(plural_end)?;
        Some(format!("{stem}{singular_end}"))
    });
    found
        .filter(|singular| !singular.is_empty())
        .unwrap_or_else(|| plural.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_in_the_singular() {
        let names = [
            ("users", "user"),
            ("orders", "order"),
            ("products", "product"),
            ("categories", "category"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("order_statuses", "order_status"),
            ("people", "person"),
            ("houses", "house"),
            ("address", "address"),
            ("status", "status"),
            ("stock", "stock"),
            ("s", "s"),
        ];
        for (plural, expected) in names {
            assert_eq!(singular(plural), expected);
        }
    }
}
