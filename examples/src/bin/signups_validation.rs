//! A step that may fail gives two typed streams: the good, and the rejected with a reason of one's
//! own type, which goes to a topic of its own.

use serde::{Deserialize, Serialize};
use streams_dsl::serde::{Json, Utf8};
use streams_dsl::{Result, StreamsBuilder, Topic, Topology, TopologyTestDriver};

#[derive(Serialize, Deserialize)]
struct Signup {
    email: String,
    age: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Rejection {
    reason: String,
}

fn signups() -> Topic<String, Signup> {
    Topic::new("signups", Utf8, Json)
}

fn valid_signups() -> Topic<String, Signup> {
    Topic::new("signups-valid", Utf8, Json)
}

fn rejected_signups() -> Topic<String, Rejection> {
    Topic::new("signups-rejected", Utf8, Json)
}

fn validate(signup: Signup) -> Result<Signup, Rejection> {
    let reject = |reason: &str| Rejection {
        reason: reason.to_owned(),
    };
    match signup {
        Signup { age, .. } if age < 18 => Err(reject("too young")),
        Signup { email, .. } if !email.contains('@') => Err(reject("no address")),
        signup => Ok(signup),
    }
}

fn topology() -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let (valid, rejected) = builder
        .stream(&signups())
        .try_map_values(|_, signup| validate(signup));
    valid.to(&valid_signups());
    rejected.to(&rejected_signups());
    builder.build()
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    for (name, email, age) in [
        ("ada", "ada@example.org", 36),
        ("tim", "tim@example.org", 9),
    ] {
        let email = email.to_owned();
        driver.pipe(&signups(), &name.to_owned(), &Signup { email, age }, 0)?;
    }
    for (name, rejection) in driver.read_all(&rejected_signups()) {
        println!("{name} is rejected: {}", rejection.reason);
    }
    Ok(())
}

fn main() -> Result<()> {
    examples::run("signups-validation", topology()?, play)
}

#[test]
fn adults_with_an_address_are_accepted() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let (name, signup) = driver.read(&valid_signups()).unwrap();
    assert_eq!((name.as_str(), signup.age), ("ada", 36));
    assert!(driver.read(&valid_signups()).is_none());
}
