//! Values to bytes and back.

use std::hint::black_box;

use serde::{Deserialize, Serialize};
use streams_core::Headers;
use streams_core::serde::{I64, Json, Serde, TimeWindowed, Utf8};
use streams_core::window::{Window, Windowed};

use super::steps::Steps;
use crate::Result;

#[derive(Serialize, Deserialize)]
struct User {
    id: i64,
    name: String,
    email: String,
    score: i64,
    is_active: bool,
}

/// Measures each serde.
pub(super) fn measure(steps: &mut Steps) -> Result<()> {
    let user = User {
        id: 4_711,
        name: "user 4711".into(),
        email: "user4711@example.com".into(),
        score: 815,
        is_active: true,
    };
    let key = Windowed::new("user-4711".to_owned(), Window::new(0, 60_000));
    round_trip(steps, "Utf8", &Utf8, &"user-4711".to_owned())?;
    round_trip(steps, "I64", &I64, &4_711)?;
    round_trip(steps, "Json", &Json, &user)?;
    round_trip(
        steps,
        "TimeWindowed",
        &TimeWindowed::new(Utf8, 60_000),
        &key,
    )
}

fn round_trip<T>(steps: &mut Steps, name: &str, serde: &dyn Serde<T>, value: &T) -> Result<()> {
    let mut bytes = Vec::new();
    serde.serialize("topic", &mut Headers::new(), value, &mut bytes)?;
    serde.deserialize("topic", &Headers::new(), Some(&bytes))?;
    let (mut headers, mut buffer) = (Headers::new(), Vec::new());
    steps.step(&format!("serde/{name}/serialize"), || {
        buffer.clear();
        serde.serialize("topic", &mut headers, black_box(value), &mut buffer)
    })?;
    let headers = Headers::new();
    steps.step(&format!("serde/{name}/deserialize"), || {
        serde.deserialize("topic", &headers, black_box(Some(&bytes)))
    })
}
