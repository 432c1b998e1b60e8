//! Dates, times and timestamps: Postgres's ISO text to Java's numbers and strings.
//!
//! The calendar is the proleptic Gregorian one on both sides; year 1 BC is year 0.

use crate::envelope::{pair, push_int};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// `infinity` as a date: what Debezium streams for it (5877611-06-21).
pub(crate) const DATE_INFINITY: i32 = 2_146_033_979;
/// `-infinity` as a date.
pub(crate) const DATE_NEGATIVE_INFINITY: i32 = -2_147_472_691;
/// `infinity` as a timestamp in milliseconds (`PGStatement.DATE_POSITIVE_INFINITY`).
pub(crate) const TIMESTAMP_INFINITY_MS: i64 = 9_223_372_036_825_200_000;
/// `-infinity` as a timestamp in milliseconds (`PGStatement.DATE_NEGATIVE_INFINITY`).
pub(crate) const TIMESTAMP_NEGATIVE_INFINITY_MS: i64 = -9_223_372_036_832_400_000;

/// A point in time without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime {
    /// Days since 1970-01-01.
    pub(crate) days: i64,
    /// Microseconds since midnight.
    pub(crate) micros: i64,
}

/// Reads text from left to right.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn number(&mut self) -> Option<i64> {
        let digits = self
            .0
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 || digits > 9 {
            return None;
        }
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        Some(
            number
                .iter()
                .fold(0, |sum, &digit| sum * 10 + i64::from(digit - b'0')),
        )
    }

    fn skip(&mut self, text: &[u8]) -> bool {
        match self.0.strip_prefix(text) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, text: &[u8]) -> Option<()> {
        self.skip(text).then_some(())
    }

    /// The four numbers of the layout that nearly every date has, `yyyy-mm-dd`.
    fn usual_date(&mut self) -> Option<(i64, i64, i64)> {
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, rest @ ..] = self.0 else {
            return None;
        };
        if rest.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let year = two_digits(*y1, *y2)? * 100 + two_digits(*y3, *y4)?;
        let date = (year, two_digits(*m1, *m2)?, two_digits(*d1, *d2)?);
        self.0 = rest;
        Some(date)
    }

    /// The seconds of the layout that nearly every time has, `hh:mm:ss`.
    fn usual_time(&mut self) -> Option<i64> {
        let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = self.0 else {
            return None;
        };
        if rest.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let minutes = two_digits(*h1, *h2)? * 60 + two_digits(*m1, *m2)?;
        let seconds = minutes * 60 + two_digits(*s1, *s2)?;
        self.0 = rest;
        Some(seconds)
    }

    /// `y-m-d`, with the year of its era.
    fn date(&mut self) -> Option<(i64, i64, i64)> {
        let (year, month, day) = match self.usual_date() {
            Some(date) => date,
            None => self.any_date()?,
        };
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month, day))
    }

    fn any_date(&mut self) -> Option<(i64, i64, i64)> {
        let year = self.number()?;
        self.expect(b"-")?;
        let month = self.number()?;
        self.expect(b"-")?;
        Some((year, month, self.number()?))
    }

    /// `h:m[:s]` in seconds.
    fn any_time(&mut self) -> Option<i64> {
        let hour = self.number()?;
        self.expect(b":")?;
        let mut seconds = (hour * 60 + self.number()?) * 60;
        if self.skip(b":") {
            seconds += self.number()?;
        }
        Some(seconds)
    }

    /// `h:m[:s[.f]]` in microseconds.
    fn time(&mut self) -> Option<i64> {
        let seconds = match self.usual_time() {
            Some(seconds) => seconds,
            None => self.any_time()?,
        };
        let mut micros = seconds * MICROS_PER_SECOND;
        if self.skip(b".") {
            let before = self.0.len();
            let fraction = self.number()?;
            let digits = (before - self.0.len()) as u32;
            micros += fraction * 10_i64.checked_pow(6_u32.checked_sub(digits)?)?;
        }
        Some(micros)
    }

    /// `±hh[:mm[:ss]]` in seconds.
    fn offset(&mut self) -> Option<i64> {
        let sign = if self.skip(b"+") {
            1
        } else {
            self.expect(b"-")?;
            -1
        };
        let mut seconds = self.number()? * 3600;
        if self.skip(b":") {
            seconds += self.number()? * 60;
        }
        if self.skip(b":") {
            seconds += self.number()?;
        }
        Some(sign * seconds)
    }

    /// The optional era, then the end of the text; gives the proleptic year.
    fn era_and_end(&mut self, year: i64) -> Option<i64> {
        let year = if self.skip(b" BC") { 1 - year } else { year };
        self.0.is_empty().then_some(year)
    }
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let are_digits = tens.is_ascii_digit() && ones.is_ascii_digit();
    are_digits.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// Reads a date in ISO form, with ` BC` behind it where it applies: days since 1970-01-01.
pub(crate) fn parse_date(text: &[u8]) -> Option<i64> {
    let mut cursor = Cursor(text);
    let (year, month, day) = cursor.date()?;
    let year = cursor.era_and_end(year)?;
    Some(days_from_civil(year, month, day))
}

/// Reads a time of day, `24:00:00` included: microseconds since midnight.
pub(crate) fn parse_time(text: &[u8]) -> Option<i64> {
    let mut cursor = Cursor(text);
    let micros = cursor.time()?;
    cursor.0.is_empty().then_some(micros)
}

/// Reads a timestamp; a date alone stands for its midnight. An offset, where there is one, is
/// taken into account: the result is in UTC.
pub(crate) fn parse_timestamp(text: &[u8]) -> Option<DateTime> {
    let mut cursor = Cursor(text);
    let (year, month, day) = cursor.date()?;
    let mut micros = 0;
    if cursor.0.first() == Some(&b' ') && !cursor.0.starts_with(b" BC") {
        cursor.skip(b" ");
        micros = cursor.time()?;
        if matches!(cursor.0.first(), Some(b'+' | b'-')) {
            micros -= cursor.offset()? * MICROS_PER_SECOND;
        }
    }
    let year = cursor.era_and_end(year)?;
    let days = days_from_civil(year, month, day) + micros.div_euclid(MICROS_PER_DAY);
    Some(DateTime {
        days,
        micros: micros.rem_euclid(MICROS_PER_DAY),
    })
}

impl DateTime {
    /// Microseconds since 1970, at the ends of `i64` where they would not fit (as Java's
    /// `TimeUnit` saturates).
    pub(crate) fn epoch_micros(self) -> i64 {
        self.days
            .saturating_mul(MICROS_PER_DAY)
            .saturating_add(self.micros)
    }

    /// Milliseconds since 1970, rounded down.
    pub(crate) fn epoch_millis(self) -> i64 {
        self.days * (MICROS_PER_DAY / 1000) + self.micros / 1000
    }

    /// Nanoseconds since 1970; `None` outside of the years 1677 to 2262.
    pub(crate) fn epoch_nanos(self) -> Option<i64> {
        self.days
            .checked_mul(MICROS_PER_DAY * 1000)?
            .checked_add(self.micros * 1000)
    }

    /// Appends `yyyy-mm-ddThh:mm:ss[.f]Z`. With `fraction` 0 the fraction has as many digits as it
    /// needs, else exactly that many.
    pub(crate) fn push_iso(self, fraction: u8, out: &mut Vec<u8>) {
        push_iso_date(self.days, out);
        out.push(b'T');
        push_iso_time(self.micros, fraction, out);
        out.push(b'Z');
    }
}

/// Appends a date as `DateTimeFormatter.ISO_LOCAL_DATE` does: at least four digits, a sign before
/// years that need more or lie before year 0.
pub(crate) fn push_iso_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(days);
    if year < 0 {
        out.push(b'-');
    } else if year > 9999 {
        out.push(b'+');
    }
    let magnitude = year.abs();
    if magnitude < 1000 {
        out.extend_from_slice(if magnitude < 10 {
            b"000"
        } else if magnitude < 100 {
            b"00"
        } else {
            b"0"
        });
    }
    push_int(magnitude, out);
    out.push(b'-');
    push_two(month, out);
    out.push(b'-');
    push_two(day, out);
}

/// Appends a time of day as `DateTimeFormatter.ISO_LOCAL_TIME` does, see [`DateTime::push_iso`].
pub(crate) fn push_iso_time(micros: i64, fraction: u8, out: &mut Vec<u8>) {
    let seconds = micros / MICROS_PER_SECOND;
    push_two(seconds / 3600, out);
    out.push(b':');
    push_two(seconds / 60 % 60, out);
    out.push(b':');
    push_two(seconds % 60, out);
    let rest = micros % MICROS_PER_SECOND;
    if rest == 0 && fraction == 0 {
        return;
    }
    let mut digits = [b'0'; 6];
    for (digits, unit) in digits.chunks_exact_mut(2).zip([10_000, 100, 1]) {
        digits.copy_from_slice(&pair((rest / unit) as u64));
    }
    let needed = digits.iter().rposition(|&digit| digit != b'0');
    let count = match fraction {
        0 => needed.map_or(0, |last| last + 1),
        _ => usize::from(fraction),
    };
    out.push(b'.');
    out.extend_from_slice(digits.get(..count).unwrap_or(&digits));
    out.resize(out.len() + count.saturating_sub(digits.len()), b'0');
}

fn push_two(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&pair(number as u64));
}

/// Days since 1970-01-01 of a proleptic Gregorian date, counted in eras of 400 years from March.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
