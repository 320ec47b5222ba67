//! A county's year: who is registered, hired, trained, supported and served.
//!
//! Within a month things happen in this order, and each step sees what the steps before have done:
//! registrations, status, certificates, hires, ends, verifications, trainings, support, services,
//! departures.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use protocol::ids::UnitId;

use super::model::CorrectionKind;
use super::person::{Job, Person, between, credit_code, name, some_age, some_category, year_end};
use super::planned::Planned;
use super::random::Random;
use super::sheet::{Pages, date};
use super::traits::Traits;

const NATURES: [(&str, &str); 6] = [
    ("organ", "11"),
    ("institution", "12"),
    ("soe", "91"),
    ("private", "91"),
    ("private", "91"),
    ("private", "92"),
];
/// Vocational sessions, month and kind: never two months in a row without any training.
const SESSIONS: [(u32, &str); 9] = [
    (2, "job"),
    (3, "newform"),
    (4, "job"),
    (5, "upskill"),
    (6, "domestic"),
    (8, "special"),
    (9, "innovate"),
    (10, "startup"),
    (11, "job"),
];

struct County<'a> {
    unit: &'a str,
    traits: Traits,
    year: i32,
    population: usize,
    random: &'a mut Random,
    numbers: &'a mut BTreeSet<String>,
    pages: &'a mut Pages,
    people: Vec<Person>,
    jobs: u32,
    sessions: u32,
    industry: BTreeSet<usize>,
    employers: Vec<(String, &'static str)>,
    planned: Vec<Planned>,
    /// A hire that turns out false in October.
    false_hire: Option<usize>,
}

/// Writes a county's year of persons and gives what is to be corrected.
pub(super) fn year(
    unit: &UnitId,
    traits: Traits,
    year: i32,
    random: &mut Random,
    numbers: &mut BTreeSet<String>,
    pages: &mut Pages,
) -> Vec<Planned> {
    let population = 150 + 10 * random.below(12);
    let mut county = County {
        unit: unit.as_str(),
        traits,
        year,
        population,
        random,
        numbers,
        pages,
        people: Vec::new(),
        jobs: 0,
        sessions: 0,
        industry: BTreeSet::new(),
        employers: Vec::new(),
        planned: Vec::new(),
        false_hire: None,
    };
    county.opening();
    for month in 1..=12 {
        county.registrations(month);
        county.status(month);
        county.certificates(month);
        county.hires(month);
        county.ends(month);
        county.verifications(month);
        county.trainings(month);
        county.support(month);
        county.services(month);
        county.departures(month);
    }
    county.planned
}

fn yes(b: bool) -> &'static str {
    if b { "true" } else { "false" }
}

impl County<'_> {
    fn day(&mut self, month: u32, lo: u32, hi: u32) -> NaiveDate {
        let day = self.random.range(lo, hi);
        self.pages.day(month, day)
    }

    /// The last day that matters for a month's choices: nobody changes age bracket before it.
    fn until(&self, month: u32) -> NaiveDate {
        if month == 12 {
            year_end(self.year)
        } else {
            date(self.year, month + 1, 1)
        }
    }

    fn chosen(&self, fits: impl Fn(&Person) -> bool) -> Vec<usize> {
        (0..self.people.len())
            .filter(|&i| !self.people[i].gone && !self.people[i].locked && fits(&self.people[i]))
            .collect()
    }

    // ---- the opening population

    fn opening(&mut self) {
        for (n, (nature, authority)) in NATURES.iter().enumerate() {
            let serial = u32::try_from(n).unwrap_or(0) + 1;
            let code = credit_code(authority, self.unit, serial);
            let on = between(
                date(self.year - 4, 1, 5),
                date(self.year - 1, 12, 20),
                self.random,
            );
            let title = format!("测试{}单位{serial}", &name(self.unit, 0)[6..9]);
            self.pages.put(
                "E23",
                on,
                &[&code, &title, nature, "false", yes(*nature == "organ")],
            );
            self.employers.push((code, nature));
        }
        for n in 0..self.population {
            // The first four are blind, of working age, and want massage training.
            let massage = n < 4;
            let age = if massage {
                self.random.range(22, 48)
            } else {
                some_age(self.random)
            };
            let category = if massage {
                1
            } else {
                some_category(self.random)
            };
            let mut p = Person::new(self.year, age, category, self.random, self.numbers);
            if massage {
                (p.massage, p.capable, p.wants, p.student) = (true, true, true, false);
            }
            let first = date(self.year - 12, 1, 5).max(p.birth + chrono::Days::new(400));
            let on = between(first, date(self.year - 2, 12, 20), self.random);
            self.register(&p, on);
            self.people.push(p);
            if (16..=62).contains(&age) {
                let on = between(
                    date(self.year - 1, 2, 1),
                    date(self.year - 1, 8, 28),
                    self.random,
                );
                self.record_status(n, on);
            }
            self.opening_state(n);
        }
        if self.traits.baseline() {
            // Holders without a file in the system: old people of remote villages, declared as
            // numbers.
            for (value, sex, category, grade) in [
                ("14", "1", "4", "3"),
                ("9", "2", "4", "4"),
                ("8", "1", "2", "2"),
                ("7", "2", "1", "1"),
            ] {
                let as_of = date(self.year - 1, 12, 28).to_string();
                self.pages.put(
                    "E66",
                    date(self.year - 1, 12, 28),
                    &[
                        "I001", value, &as_of, "ledger", sex, category, grade, "rural", "60+", "",
                    ],
                );
            }
        }
    }

    fn register(&mut self, p: &Person, on: NaiveDate) {
        let education = self.random.weighted(&[
            ("none", 10),
            ("primary", 28),
            ("middle", 38),
            ("high", 16),
            ("college", 8),
        ]);
        let phone = format!("000{:08}", self.random.below(100_000_000));
        let who = name(self.unit, self.people.len() + 1);
        self.pages.put(
            "E01",
            on,
            &[
                &p.certificate(),
                &who,
                if p.rural { "rural" } else { "urban" },
                education,
                "",
                &phone,
            ],
        );
    }

    fn record_status(&mut self, i: usize, on: NaiveDate) -> Vec<String> {
        let p = &self.people[i];
        let reason = if p.wants || p.student {
            ""
        } else {
            self.random.pick(&["health", "care", "other"])
        };
        let hard = p.grade <= 2 && p.capable;
        self.pages.put(
            "E04",
            on,
            &[
                &p.id,
                yes(p.capable),
                yes(p.wants),
                yes(p.student),
                yes(hard),
                yes(p.massage),
                reason,
            ],
        )
    }

    /// What was so before the year: employments, and services given already.
    fn opening_state(&mut self, i: usize) {
        let before = self.year - 1;
        let p = &self.people[i];
        let end = year_end(self.year);
        let (capable, working) = (
            p.capable,
            p.working_age(end) || p.working_age(date(self.year, 1, 1)),
        );
        if !working || p.student {
            return;
        }
        if capable && !p.massage && self.random.chance(38) {
            let on = between(date(before, 1, 5), date(before, 11, 28), self.random);
            self.hire(i, on, 0);
        }
        if self.random.chance(45) {
            let on = between(date(before, 3, 1), date(before, 12, 20), self.random);
            self.verify(i, on);
        }
        if self.people[i].seeking(end) && self.random.chance(20) {
            let on = between(date(before, 9, 1), date(before, 12, 1), self.random);
            self.serve(i, on);
        }
        self.people[i].busy = 0;
    }

    // ---- steps of a month

    fn registrations(&mut self, month: u32) {
        for _ in 0..1 + self.random.below(2) {
            let age = some_age(self.random);
            let category = some_category(self.random);
            let p = Person::new(self.year, age, category, self.random, self.numbers);
            let on = self.day(month, 1, 8);
            self.register(&p, on);
            let i = self.people.len();
            self.people.push(p);
            self.people[i].busy = month;
            if (16..=60).contains(&age) {
                let on = self.day(month, 9, 12);
                self.record_status(i, on);
            }
        }
    }

    /// Somebody changes their mind about work; in October one is typed wrongly.
    fn status(&mut self, month: u32) {
        let t = self.until(month);
        let fits = |p: &Person| {
            p.capable && !p.wants && p.job.is_none() && p.busy < month && p.working_age(t)
        };
        for i in self.random.sample(self.chosen(fits), 1) {
            self.people[i].wants = true;
            self.people[i].busy = month;
            let on = self.day(month, 5, 12);
            self.record_status(i, on);
        }
        if self.traits.place == 4 && month == 10 {
            let fits = |p: &Person| p.seeking(t) && p.busy < month && !p.massage && p.verified;
            if let Some(&i) = self.random.sample(self.chosen(fits), 1).first() {
                let on = self.day(month, 5, 12);
                self.people[i].busy = month;
                self.people[i].locked = true;
                self.people[i].capable = false;
                let row = self.record_status(i, on);
                self.people[i].capable = true;
                let mut right = row.clone();
                right[2] = "true".into();
                self.plan(
                    month + 1,
                    month,
                    "E04",
                    row,
                    CorrectionKind::Correct(right),
                    "typing",
                );
            }
        }
    }

    fn certificates(&mut self, month: u32) {
        if !month.is_multiple_of(3) {
            return;
        }
        for i in self
            .random
            .sample(self.chosen(|p| p.busy < month && !p.massage), 1)
        {
            let p = &mut self.people[i];
            p.grade = if p.grade == 4 { 3 } else { p.grade + 1 };
            p.busy = month;
            let certificate = p.certificate();
            let on = self.day(month, 6, 24);
            self.pages.put("E02", on, &[&certificate, "", "false", ""]);
        }
    }

    fn hire(&mut self, i: usize, on: NaiveDate, month: u32) -> Vec<String> {
        self.jobs += 1;
        let reference = format!("J{}-{:04}", self.unit, self.jobs);
        let p = &self.people[i];
        let form = match (p.rural, p.category) {
            (_, 5 | 6) => self.random.weighted(&[
                ("sheltered", 55),
                ("home", 20),
                ("conc", 15),
                ("welfare", 10),
            ]),
            (_, 1) => self
                .random
                .weighted(&[("conc", 40), ("self", 35), ("flex", 25)]),
            (true, _) => self.random.weighted(&[
                ("farm", 42),
                ("welfare", 14),
                ("flex", 14),
                ("quota", 10),
                ("home", 8),
                ("away", 7),
                ("self", 5),
            ]),
            (false, _) => self.random.weighted(&[
                ("quota", 32),
                ("flex", 24),
                ("self", 14),
                ("conc", 12),
                ("welfare", 12),
                ("home", 6),
            ]),
        };
        let (employer, nature) = match form {
            "quota" | "conc" => self.employers[self.random.below(self.employers.len())].clone(),
            "welfare" => self.employers[1].clone(),
            _ => (String::new(), ""),
        };
        let wage = match form {
            "farm" | "self" | "home" => String::new(),
            "sheltered" => (self.random.range(60, 120) * 1000).to_string(),
            _ => (self.random.range(188, 420) * 1000).to_string(),
        };
        let insured = matches!(form, "quota" | "conc" | "welfare");
        self.people[i].job = Some(Job {
            reference: reference.clone(),
            since: month,
        });
        self.people[i].busy = month;
        self.pages.put(
            "E16",
            on,
            &[
                &self.people[i].id,
                &reference,
                form,
                &employer,
                nature,
                &wage,
                yes(insured),
            ],
        )
    }

    fn hires(&mut self, month: u32) {
        let t = self.until(month);
        let many = self.population / 60 + self.random.below(2);
        let fits =
            |p: &Person| p.seeking(t) && p.capable && p.busy < month && p.ended + 1 < month.max(2);
        let chosen = self.random.sample(self.chosen(fits), many);
        for (n, &i) in chosen.iter().enumerate() {
            let on = self.day(month, 4, 25);
            let row = self.hire(i, on, month);
            if n > 0 || self.people[i].massage {
                continue;
            }
            if self.traits.place == 1 && month == 6 {
                // The form was read wrongly from the contract.
                let mut right = row.clone();
                right[3] = if row[3] == "flex" { "self" } else { "flex" }.into();
                (right[4], right[5]) = (String::new(), String::new());
                self.people[i].locked = true;
                self.plan(7, 6, "E16", row, CorrectionKind::Correct(right), "typing");
            } else if self.traits.place == 2 && month == 9 {
                // An inspection finds that this person never worked there.
                self.people[i].locked = true;
                self.false_hire = Some(i);
                self.plan(10, 9, "E16", row, CorrectionKind::Void, "false_placement");
            }
        }
        if let Some(i) = self.false_hire.take_if(|_| month == 10) {
            // Locked against other events until the void; from now on unemployed again, and served
            // like the others.
            (self.people[i].job, self.people[i].locked) = (None, false);
            self.people[i].ended = month;
            self.people[i].busy = month;
        }
        // A change of job: a placement, but nobody newly employed.
        if month.is_multiple_of(3) {
            let fits = |p: &Person| {
                p.busy < month
                    && p.working_age(t)
                    && p.job.as_ref().is_some_and(|j| j.since + 2 < month)
            };
            for i in self.random.sample(self.chosen(fits), 1) {
                let Some(old) = self.people[i].job.clone() else {
                    continue;
                };
                let on = self.day(month, 4, 14);
                self.hire(i, on, month);
                let on = self.day(month, 16, 27);
                self.pages
                    .put("E18", on, &[&self.people[i].id, &old.reference, "resigned"]);
            }
        }
    }

    fn ends(&mut self, month: u32) {
        let fits =
            |p: &Person| p.busy < month && p.job.as_ref().is_some_and(|j| j.since + 2 < month);
        let many = 1 + usize::from(month.is_multiple_of(4));
        for i in self.random.sample(self.chosen(fits), many) {
            let Some(job) = self.people[i].job.take() else {
                continue;
            };
            (self.people[i].ended, self.people[i].busy) = (month, month);
            let reason = self.random.weighted(&[
                ("expired", 40),
                ("resigned", 35),
                ("dismissed", 10),
                ("closed", 10),
                ("other", 5),
            ]);
            let on = self.day(month, 6, 27);
            self.pages
                .put("E18", on, &[&self.people[i].id, &job.reference, reason]);
        }
    }

    fn verifications(&mut self, month: u32) {
        if !month.is_multiple_of(6) {
            return;
        }
        let fits = |p: &Person| p.busy < month && p.job.as_ref().is_some_and(|j| j.since < month);
        for i in self.random.sample(self.chosen(fits), 6) {
            let Some(job) = self.people[i].job.clone() else {
                continue;
            };
            self.people[i].busy = month;
            let method = self.random.pick(&["insurance", "wage", "site", "video"]);
            let insured = self.random.chance(80);
            let on = self.day(month, 5, 27);
            self.pages.put(
                "E17",
                on,
                &[
                    &self.people[i].id,
                    &job.reference,
                    method,
                    "true",
                    "true",
                    yes(insured),
                ],
            );
        }
    }

    // ---- trainings

    fn trainings(&mut self, month: u32) {
        let t = self.until(month);
        if let Some(n) = SESSIONS.iter().position(|(m, _)| *m == month) {
            let size = share(self.traits.vocational(), SESSIONS.len(), n);
            let people = self.chosen(|p| p.working_age(t) && !p.student && !p.massage);
            let last = self.session(month, SESSIONS[n].1, people, size, 0);
            if self.traits.place == 0
                && month == 3
                && let Some(row) = last
            {
                // The same participant, recorded again from a second list, one day later.
                let mut again = row;
                again[0] = self.pages.day(month, 28).to_string();
                let fields: Vec<&str> = again[1..].iter().map(String::as_str).collect();
                let row = self.pages.put("E32", self.pages.day(month, 28), &fields);
                self.plan(4, 3, "E32", row, CorrectionKind::Void, "duplicate");
            }
        }
        if let Some(n) = [3, 7, 12].iter().position(|m| *m == month) {
            let size = share(self.traits.rural(), 3, n);
            let people = self.chosen(|p| p.rural && p.working_age(t) && !p.student);
            self.session(month, ["rural", "farmer", "agritech"][n], people, size, 2);
        }
        if month == 5 || month == 9 {
            let wanting = self.chosen(|p| p.massage);
            let half = wanting.len() / 2;
            let mut now = if month == 5 {
                wanting[..half].to_vec()
            } else {
                wanting[half..].to_vec()
            };
            if month == 9 && self.traits.massage_gap() {
                now.pop();
            }
            let size = now.len();
            self.session(month, "massage", now, size, 0);
        }
    }

    /// A session with `size` holders and `family` members of the families of others; gives the last
    /// holder's row.
    fn session(
        &mut self,
        month: u32,
        kind: &str,
        people: Vec<usize>,
        size: usize,
        family: usize,
    ) -> Option<Vec<String>> {
        self.sessions += 1;
        let number = (self.year.unsigned_abs() * 1000 + self.sessions).to_string();
        let hours = (self.random.range(2, 10) * 8).to_string();
        let mode = self.random.pick(&["class", "master", "online", "offline"]);
        let on = self.day(month, 9, 13);
        self.pages
            .put("E31", on, &[&number, kind, mode, &hours, "true"]);
        let done = self.day(month, 20, 27);
        let mut last = None;
        let chosen = self.random.sample(people, size + family);
        for (n, &i) in chosen.iter().enumerate() {
            self.people[i].busy = month;
            let relative = n >= size;
            let passed = yes(self.random.chance(92));
            let row = self.pages.put(
                "E32",
                done,
                &[
                    &self.people[i].id,
                    &number,
                    kind,
                    yes(relative),
                    &hours,
                    passed,
                ],
            );
            if !relative {
                last = Some(row);
            }
        }
        last
    }

    // ---- support

    fn support(&mut self, month: u32) {
        let t = self.until(month);
        if (4..=10).contains(&month) {
            let size = share(self.traits.industry(), 7, month as usize - 4);
            let people: Vec<usize> = self.chosen(|p| p.rural && p.working_age(t) && !p.student);
            let people = people
                .into_iter()
                .filter(|i| !self.industry.contains(i))
                .collect();
            for i in self.random.sample(people, size) {
                self.industry.insert(i);
                let amount = self.random.range(20, 50) * 10_000;
                self.pay(i, month, "industry", amount, false, "budget");
            }
        }
        if matches!(month, 6 | 10) {
            // A second payment to persons who have one already: times, but no further persons.
            let again: Vec<usize> = self
                .industry
                .iter()
                .copied()
                .filter(|&i| !self.people[i].gone && !self.people[i].locked)
                .collect();
            for (n, i) in self.random.sample(again, 3).into_iter().enumerate() {
                self.pay(
                    i,
                    month,
                    ["breeding", "planting", "industry"][n],
                    120_000,
                    n == 1,
                    "levy",
                );
            }
        }
        let employed = self.chosen(|p| p.job.as_ref().is_some_and(|j| j.since < month));
        for (n, i) in self.random.sample(employed, 2).into_iter().enumerate() {
            let amount = self.random.range(8, 24) * 10_000;
            let row = self.pay(
                i,
                month,
                ["insurance", "post"][n],
                amount,
                false,
                "employment",
            );
            if self.traits.place == 3 && month == 4 && n == 1 {
                // One nought too many.
                let mut wrong = row.clone();
                wrong[3] = (amount * 10).to_string();
                self.pages.replace("E36", month, &row, wrong.clone());
                self.plan(5, 4, "E36", wrong, CorrectionKind::Correct(row), "typing");
            }
        }
        if matches!(month, 5 | 11) {
            let fits = |p: &Person| p.job.is_some() && p.working_age(t);
            for i in self.random.sample(self.chosen(fits), 1) {
                self.pay(i, month, "startup", 500_000, false, "levy");
            }
        }
        if month == 9 {
            for i in self.random.sample(self.chosen(|p| p.student), 3) {
                self.pay(i, month, "scholarship", 300_000, false, "donation");
            }
        }
    }

    fn pay(
        &mut self,
        i: usize,
        month: u32,
        scheme: &str,
        amount: u32,
        relative: bool,
        fund: &str,
    ) -> Vec<String> {
        self.people[i].busy = month;
        let on = self.day(month, 12, 27);
        self.pages.put(
            "E36",
            on,
            &[
                &self.people[i].id,
                scheme,
                &amount.to_string(),
                yes(relative),
                fund,
            ],
        )
    }

    // ---- the four services

    fn verify(&mut self, i: usize, on: NaiveDate) {
        let method =
            self.random
                .weighted(&[("visit", 45), ("phone", 35), ("office", 12), ("data", 8)]);
        self.pages.put("E10", on, &[&self.people[i].id, method]);
        self.people[i].verified = true;
    }

    /// Assessment, demand and service, within a few days.
    fn serve(&mut self, i: usize, on: NaiveDate) {
        let after = |days| on + chrono::Days::new(days);
        let tool = self.random.pick(&["interview", "scale", "trial"]);
        let band = self.random.pick(&["a", "b", "c"]);
        self.pages.put("E11", on, &[&self.people[i].id, tool, band]);
        let trade = self
            .random
            .pick(&["保洁", "缝纫", "种植", "客服", "按摩", "包装", ""]);
        let wants = self
            .random
            .weighted(&[("job", 75), ("training", 17), ("startup", 8)]);
        self.pages
            .put("E12", after(1), &[&self.people[i].id, wants, trade]);
        let service = self.random.pick(&[
            "policy",
            "placement",
            "info",
            "guidance",
            "recommend",
            "one_to_one",
        ]);
        let purchased = self.random.chance(20);
        self.pages.put(
            "E13",
            after(3),
            &[&self.people[i].id, service, yes(purchased)],
        );
        self.people[i].served = true;
    }

    fn services(&mut self, month: u32) {
        let t = self.until(month);
        let all = self.traits.all_served();
        if all || month <= 9 {
            let share = if all && month >= 11 { 100 } else { 13 };
            for i in self.chosen(|p| !p.verified && !p.student && p.working_age(t)) {
                if self.random.chance(share) {
                    let on = self.day(month, 14, 27);
                    self.verify(i, on);
                    self.people[i].busy = month;
                }
            }
            let share = if all && month >= 10 { 100 } else { 16 };
            for i in self.chosen(|p| !p.served && p.seeking(t)) {
                if self.random.chance(share) {
                    let on = self.day(month, 14, 24);
                    self.serve(i, on);
                    self.people[i].busy = month;
                }
            }
        }
    }

    /// Last of all, and only for whom nothing else was recorded this month.
    fn departures(&mut self, month: u32) {
        let fits = |p: &Person| p.busy < month && !p.massage;
        if month % 3 == 2 {
            let reason = self
                .random
                .weighted(&[("death", 60), ("cancelled", 25), ("left", 15)]);
            for i in self.random.sample(self.chosen(fits), 1) {
                self.people[i].gone = true;
                let on = self.day(month, 8, 27);
                self.pages.put("E05", on, &[&self.people[i].id, reason]);
            }
        }
        if matches!(month, 4 | 10) {
            for i in self.random.sample(self.chosen(fits), 1) {
                self.people[i].gone = true;
                let on = self.day(month, 8, 27);
                self.pages.put("E03", on, &[&self.people[i].id, "其他县"]);
            }
        }
    }

    fn plan(
        &mut self,
        month: u32,
        target_month: u32,
        event: &'static str,
        row: Vec<String>,
        kind: CorrectionKind,
        reason: &'static str,
    ) {
        self.planned.push(Planned {
            month,
            target_month,
            event,
            row,
            kind,
            reason,
        });
    }
}

/// The n-th of `parts` shares of a whole number, which add up to it.
fn share(whole: usize, parts: usize, n: usize) -> usize {
    whole * (n + 1) / parts - whole * n / parts
}
