//! Days as people write them.

use chrono::NaiveDate;

use super::fold;
use crate::fault::{Fault, FaultCode};

/// The years that a day may lie in.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=9999;
/// Day numbers of spreadsheets from 1927 to 2173: what stands there as a number is likely one.
const SERIALS: std::ops::RangeInclusive<i64> = 10_000..=99_999;

/// The day that a cell names, in any of the forms that people write; nothing is guessed.
pub(super) fn date(text: &str) -> Result<NaiveDate, Fault> {
    let text = fold::narrow(&fold::visible(text));
    let day = fold::key(without_time(&text));
    let day = day.as_str();
    if day.bytes().all(|b| b.is_ascii_digit()) {
        return digits(day);
    }
    let parts: Vec<&str> = day
        .strip_suffix(['日', '号', '.'])
        .unwrap_or(day)
        .split(['-', '/', '.', '年', '月'])
        .collect();
    let numbers: Option<Vec<i32>> = parts
        .iter()
        .map(|part| {
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            (digits && part.len() <= 4).then(|| part.parse().ok())?
        })
        .collect();
    match (numbers.as_deref(), parts.first().map(|p| p.len())) {
        (Some([y, m, d]), Some(4)) => day_of(*y, *m, *d).ok_or_else(impossible),
        (Some([a, b, y]), Some(1 | 2)) if parts[2].len() == 4 => year_last(*a, *b, *y),
        _ => Err(form()),
    }
}

/// Without the time of a day that a system exports beside it.
fn without_time(text: &str) -> &str {
    let is_time = |time: &str| {
        time.contains(':')
            && time
                .bytes()
                .all(|b| b.is_ascii_digit() || b".:".contains(&b))
    };
    match text.rsplit_once([' ', 'T', 't']) {
        Some((day, time)) if is_time(time) => day,
        _ => text,
    }
}

fn day_of(y: i32, m: i32, d: i32) -> Option<NaiveDate> {
    let (m, d) = (u32::try_from(m).ok()?, u32::try_from(d).ok()?);
    NaiveDate::from_ymd_opt(y, m, d).filter(|_| YEARS.contains(&y))
}

/// Eight digits are a day; five are how a spreadsheet counts days.
fn digits(text: &str) -> Result<NaiveDate, Fault> {
    let number: i64 = text.parse().map_err(|_| form())?;
    if text.len() == 8 {
        let part = |from: i64, size: i64| i32::try_from(number / from % size).unwrap_or(0);
        return day_of(part(10_000, 10_000), part(100, 100), part(1, 100)).ok_or_else(impossible);
    }
    let first = NaiveDate::from_ymd_opt(1899, 12, 30);
    let day = first.and_then(|first| {
        let days = u64::try_from(number).ok()?;
        first.checked_add_days(chrono::Days::new(days))
    });
    match day {
        Some(day) if SERIALS.contains(&number) => Err(Fault::new(
            FaultCode::DateForm,
            format!(
                "{number} 是 Excel 的日期序号（相当于 {day}）。请将该列设为日期格式，或直接写成 {day}。"
            ),
            format!(
                "{number} is how Excel counts days (it would be {day}): format the column as a \
                 date, or write {day}"
            ),
        )),
        _ => Err(form()),
    }
}

/// Day and month before the year: which is which differs by country, unless only one can be.
fn year_last(a: i32, b: i32, y: i32) -> Result<NaiveDate, Fault> {
    match (day_of(y, a, b), day_of(y, b, a)) {
        (Some(one), Some(other)) if one != other => Err(Fault::new(
            FaultCode::DateForm,
            format!("可以是 {one}，也可以是 {other}。请按“年-月-日”写成其中一个。"),
            format!("this may be {one} or {other}: write one of them, year first"),
        )),
        (Some(day), _) | (None, Some(day)) => Ok(day),
        (None, None) => Err(impossible()),
    }
}

fn impossible() -> Fault {
    Fault::new(
        FaultCode::DateImpossible,
        "没有这一天，请核对月份和日期。",
        "there is no such day: check month and day",
    )
}

fn form() -> Fault {
    Fault::new(
        FaultCode::DateForm,
        "日期格式有误。请写成 2023-04-15，也可以写 2023/4/15、2023.4.15、20230415 或 2023年4月15日。",
        "not a date: write 2023-04-15; 2023/4/15, 2023.4.15, 20230415 and 2023年4月15日 are read, too",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_many_hands() {
        let day = NaiveDate::from_ymd_opt(2023, 4, 25);
        for text in [
            "2023-04-25",
            "2023/4/25",
            "2023.4.25",
            "2023年4月25日",
            "2023 年 4 月 25 日",
            "20230425",
            "２０２３-04-25",
            "2023-04-25 00:00:00",
            "2023/4/25 0:00",
            "2023-04-25T08:30:00.000",
            "25/4/2023",
            "4/25/2023",
        ] {
            assert_eq!(date(text).ok(), day, "{text}");
        }
        for text in ["2023-02-30", "0023-04-05", "20231301", "31/2/2023"] {
            assert_eq!(date(text).unwrap_err().code, "date.impossible", "{text}");
        }
        for text in [
            "23-4",
            "23/4/5",
            "2023-4",
            "二〇二三年四月",
            "x",
            "12345678901234567890123",
        ] {
            assert_eq!(date(text).unwrap_err().code, "date.form", "{text}");
        }
    }

    #[test]
    fn what_has_two_meanings_is_refused_with_both() {
        for (text, one, other) in [
            ("1/5/2023", "2023-01-05", "2023-05-01"),
            ("9/5/2026", "2026-09-05", "2026-05-09"),
        ] {
            let fault = date(text).unwrap_err();
            assert_eq!(fault.code, "date.form");
            for said in [&fault.zh, &fault.en] {
                assert!(said.contains(one) && said.contains(other), "{said}");
            }
        }
        let fault = date("46270").unwrap_err();
        assert!(
            fault.zh.contains("2026-09-05") && fault.zh.contains("Excel"),
            "{}",
            fault.zh
        );
    }
}
