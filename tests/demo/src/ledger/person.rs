//! Persons who cannot exist.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use protocol::count::state::age_at;
use protocol::ids::{credit_check_char, id_check_digit};

use super::random::Random;
use super::sheet::date;

/// An area that no table of GB/T 2260 has, and no province begins with.
pub(super) const NOWHERE: &str = "999999";

/// An employment.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) reference: String,
    pub(super) since: u32,
}

/// A person of a county, and how far things have come with them.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) birth: NaiveDate,
    pub(super) male: bool,
    pub(super) category: u32,
    pub(super) grade: u32,
    pub(super) rural: bool,
    pub(super) capable: bool,
    pub(super) wants: bool,
    pub(super) student: bool,
    pub(super) massage: bool,
    pub(super) gone: bool,
    /// Nothing else may happen to this person: a correction rests on it.
    pub(super) locked: bool,
    pub(super) job: Option<Job>,
    /// Month in which an employment ended.
    pub(super) ended: u32,
    /// Last month in which anything was recorded.
    pub(super) busy: u32,
    pub(super) verified: bool,
    pub(super) served: bool,
}

impl Person {
    /// Somebody of this age at the end of the year.
    pub(super) fn new(
        year: i32,
        age: u32,
        category: u32,
        random: &mut Random,
        numbers: &mut BTreeSet<String>,
    ) -> Person {
        loop {
            let male = random.chance(56);
            let birth = date(
                year - i32::try_from(age).unwrap_or(0),
                random.range(1, 12),
                random.range(1, 28),
            );
            let serial = random.below(499) * 2 + usize::from(male);
            let first = format!("{NOWHERE}{}{serial:03}", birth.format("%Y%m%d"));
            let check = id_check_digit(&first).unwrap_or_default(); // 17 digits always have one
            let id = format!("{first}{check}");
            if !numbers.insert(id.clone()) {
                continue;
            }
            let grade = random
                .weighted(&[("1", 12), ("2", 28), ("3", 32), ("4", 28)])
                .parse()
                .unwrap_or(3);
            let rural = random.chance(62);
            let adult = age >= 16;
            let student = (16..=22).contains(&age) && random.chance(45);
            let capable =
                adult && !student && age <= 59 && random.chance(if grade == 1 { 45 } else { 82 });
            let wants = capable && random.chance(86);
            return Person {
                id,
                birth,
                male,
                category,
                grade,
                rural,
                capable,
                wants,
                student,
                massage: false,
                gone: false,
                locked: false,
                job: None,
                ended: 0,
                busy: 0,
                verified: false,
                served: false,
            };
        }
    }

    pub(super) fn certificate(&self) -> String {
        format!("{}{}{}", self.id, self.category, self.grade)
    }

    /// 就业年龄段 at a day, as the catalogue has it.
    pub(super) fn working_age(&self, t: NaiveDate) -> bool {
        (16..=if self.male { 59 } else { 54 }).contains(&age_at(self.birth, t))
    }

    /// Unemployed, of working age and willing: the catalogue's 有就业需求未就业.
    pub(super) fn seeking(&self, t: NaiveDate) -> bool {
        !self.gone && self.working_age(t) && self.job.is_none() && self.wants && !self.student
    }
}

/// An age, at the end of the year, as in a county's register: few children, many beyond 50. Nobody
/// turns 16 in the year.
pub(super) fn some_age(random: &mut Random) -> u32 {
    match random.below(100) {
        0..=5 => random.range(5, 15),
        6..=15 => random.range(17, 29),
        16..=36 => random.range(30, 44),
        37..=61 => random.range(45, 54),
        62..=76 => random.range(55, 60),
        _ => random.range(61, 84),
    }
}

/// A category by its frequency among certificate holders.
pub(super) fn some_category(random: &mut Random) -> u32 {
    random
        .weighted(&[
            ("1", 12),
            ("2", 13),
            ("3", 4),
            ("4", 48),
            ("5", 9),
            ("6", 10),
            ("7", 4),
        ])
        .parse()
        .unwrap_or(4)
}

/// A credit code of an organisation that does not exist: `authority` is its first two characters,
/// the area is 999999.
pub(super) fn credit_code(authority: &str, unit: &str, serial: u32) -> String {
    // Six characters of the unit's code where they fit the alphabet, else a number made of it.
    let fits = unit.len() == 6
        && unit
            .bytes()
            .all(|b| b"0123456789ABCDEFGHJKLMNPQRTUWXY".contains(&b));
    let owner = if fits {
        unit.to_string()
    } else {
        format!(
            "{:06}",
            unit.bytes()
                .fold(7_u32, |h, b| (h * 31 + u32::from(b)) % 1_000_000)
        )
    };
    let first = format!("{authority}{NOWHERE}{owner}{serial:03}");
    let check = credit_check_char(&first).unwrap_or_default(); // 17 characters of the alphabet always have one
    format!("{first}{check}")
}

/// 测试甲001 and so on: a stem for each ten units, a number for each person.
pub(super) fn name(unit: &str, number: usize) -> String {
    const STEMS: [char; 10] = ['甲', '乙', '丙', '丁', '戊', '己', '庚', '辛', '壬', '癸'];
    let stem = unit.bytes().fold(0_usize, |h, b| h * 3 + usize::from(b)) % STEMS.len();
    format!("测试{}{number:03}", STEMS[stem])
}

/// A day between two days, both included.
pub(super) fn between(from: NaiveDate, to: NaiveDate, random: &mut Random) -> NaiveDate {
    let days = (to - from).num_days().max(0);
    from + chrono::Days::new(random.below(usize::try_from(days).unwrap_or(0) + 1) as u64)
}

/// The year's end.
pub(super) fn year_end(year: i32) -> NaiveDate {
    date(year, 12, 28).with_day(31).unwrap_or_default() // December has 31 days
}
