use super::temporal::*;

fn iso(text: &str, fraction: u8) -> String {
    let mut out = Vec::new();
    parse_timestamp(text.as_bytes())
        .unwrap()
        .push_iso(fraction, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn dates_count_from_1970_in_the_proleptic_calendar() {
    for (text, days) in [
        ("1970-01-01", 0),
        ("2024-02-29", 19_782),
        ("1900-01-01", -25_567),
        ("1582-10-04", -141_438),
        ("0001-01-01", -719_162),
        ("0044-03-15 BC", -735_160),
        ("4713-01-01 BC", -2_440_550),
        ("5874897-12-31", 2_145_042_905),
    ] {
        assert_eq!(parse_date(text.as_bytes()), Some(days), "{text}");
    }
}

#[test]
fn the_end_of_the_day_is_a_time() {
    assert_eq!(parse_time(b"24:00:00"), Some(86_400_000_000));
    assert_eq!(parse_time(b"12:34:56.789012"), Some(45_296_789_012));
    assert_eq!(parse_time(b"00:00:00.5"), Some(500_000));
}

#[test]
fn timestamps_saturate_where_java_does() {
    let far = parse_timestamp(b"294276-12-31 23:59:59").unwrap();
    assert_eq!(far.epoch_micros(), i64::MAX);
    assert_eq!(far.epoch_millis(), 9_224_318_015_999_000);
    assert_eq!(far.epoch_nanos(), None);
}

#[test]
fn moments_before_1970_round_down_to_milliseconds() {
    let moment = parse_timestamp(b"1969-07-20 20:17:40.000001").unwrap();
    assert_eq!(moment.epoch_millis(), -14_182_940_000);
    assert_eq!(moment.epoch_micros(), -14_182_939_999_999);
}

#[test]
fn zoned_timestamps_leave_in_utc_with_the_columns_fraction() {
    assert_eq!(
        iso("2024-02-29 12:34:56.789012+02", 6),
        "2024-02-29T10:34:56.789012Z"
    );
    assert_eq!(
        iso("1900-01-01 00:00:00.1+05:30", 3),
        "1899-12-31T18:30:00.100Z"
    );
    assert_eq!(
        iso("1900-01-01 00:00:00-07:52:58", 0),
        "1900-01-01T07:52:58Z"
    );
    assert_eq!(
        iso("0044-03-15 12:00:00+00 BC", 6),
        "-0043-03-15T12:00:00.000000Z"
    );
    assert_eq!(
        iso("10000-01-01 00:00:00.5+00", 0),
        "+10000-01-01T00:00:00.5Z"
    );
    assert_eq!(iso("1970-01-01", 6), "1970-01-01T00:00:00.000000Z");
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "2024",
        "2024-13-01",
        "2024-01-01x",
        "2024-01-01 1",
        "29/02/2024",
    ] {
        assert_eq!(parse_timestamp(text.as_bytes()), None, "{text}");
    }
    assert_eq!(parse_time(b"12:00:00.1234567"), None);
}

/// Reference: walks the calendar year by year.
fn days_by_counting(year: i64, month: i64, day: i64) -> i64 {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year| if is_leap(year) { 366 } else { 365 };
    let years: i64 = if year >= 1970 {
        (1970..year).map(length).sum()
    } else {
        -(year..1970).map(length).sum::<i64>()
    };
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    years + months.iter().take(month as usize - 1).sum::<i64>() + day - 1
}

proptest::proptest! {
    #[test]
    fn days_agree_with_counting(year in -5000_i64..12_000, month in 1_i64..=12, day in 1_i64..=28) {
        let days = days_from_civil(year, month, day);
        proptest::prop_assert_eq!(days, days_by_counting(year, month, day));
        proptest::prop_assert_eq!(civil_from_days(days), (year, month, day));
    }

    #[test]
    fn a_timestamp_reads_back_from_its_iso_form(
        micros in -60_000_000_000_000_000_i64..200_000_000_000_000_000,
    ) {
        let moment = DateTime {
            days: micros.div_euclid(86_400_000_000),
            micros: micros.rem_euclid(86_400_000_000),
        };
        let mut out = Vec::new();
        moment.push_iso(6, &mut out);
        let text = String::from_utf8(out).unwrap().replace('T', " ").replace('Z', "+00");
        let parsed = parse_timestamp(text.as_bytes()).unwrap();
        proptest::prop_assert_eq!(parsed.epoch_micros(), micros);
    }
}
