//! Who has which bad luck, and what is planted: who closes and decides what is in `direction`.

use std::collections::BTreeSet;

use node::config::Accept;
use protocol::ids::Tier;
use protocol::period::Month;
use protocol::receipt::Decision;

use crate::plan::{Cell, Planted};
use crate::round::{Roles, Round};
use crate::script::Task;
use kit::on_disk::id_born;

/// The system's name of a placement.
const PLACEMENT: &str = "employment.started";

/// Somebody who is planted.
struct Person {
    id: String,
    /// Which cell of a figure by sex: men are the first.
    sex: usize,
}

impl Person {
    fn hired_csv(&self, employer: &str, wage: i64, day: &str) -> String {
        format!(
            "id_no,employer,wage_fen,occurred_on\n{},{employer},{wage},{day}\n",
            self.id
        )
    }

    fn hired_line(&self, employer: &str, wage: i64, day: &str) -> String {
        format!(
            r#"{{"id_no":"{}","employer":"{employer}","wage":{wage},"occurred_on":"{day}"}}"#,
            self.id
        )
    }
}

/// A county while it is planted.
struct County {
    /// Its place among the counties: it decides what is planted here.
    k: usize,
    unit: usize,
    people: [Person; 3],
    /// Turns sixty in February; registered in some counties only.
    old: Person,
}

impl County {
    fn new(k: usize, unit: usize) -> County {
        let person = |i: usize| {
            let n = k * 3 + i;
            let birth = format!("1970{:02}15", 1 + n / 490);
            Person {
                // Digit 17 is odd for men.
                id: id_born(&birth, (2 * (n % 490) + (n % 2)) as u32),
                sex: 1 - n % 2,
            }
        };
        let old = Person {
            id: id_born("19660210", (2 * k + 1) as u32),
            sex: 0,
        };
        County {
            k,
            unit,
            people: [0, 1, 2].map(person),
            old,
        }
    }

    fn has_a_sixty_year_old(&self) -> bool {
        self.k.is_multiple_of(4)
    }

    fn registered(&self) -> Vec<&Person> {
        let old = self.has_a_sixty_year_old().then_some(&self.old);
        self.people.iter().chain(old).collect()
    }
}

/// What the two planted placements of a county's first month pay, in fen.
#[derive(Clone, Copy)]
struct Wages {
    first: i64,
    second: i64,
}

impl Round {
    /// Draws who has which bad luck.
    pub fn cast(&mut self) {
        let mut cities = self.of_tier(Tier::City);
        self.chance.shuffle(&mut cities);
        let mut taken = BTreeSet::new();
        let mut one_of = |round: &mut Round, n: usize| {
            let mut counties = round.children(cities[n % cities.len()]);
            round.chance.shuffle(&mut counties);
            let county = *counties
                .iter()
                .find(|c| !taken.contains(*c))
                .expect("enough counties");
            taken.insert(county);
            county
        };
        // The returned ones are in a city whose people decide themselves.
        self.roles = Roles {
            returned: one_of(self, 0),
            returned_later: one_of(self, 0),
            reopened: one_of(self, 1),
            absent: one_of(self, 2),
            cut_off: one_of(self, 3),
            late: one_of(self, 4),
        };
        let city = self.units[self.roles.returned]
            .parent
            .expect("a county has a city");
        self.units[city].accept = Accept::Person;
        let cut_off = self.units[self.roles.cut_off].id.to_string();
        self.missing
            .get_mut(&self.months[0])
            .expect("planned")
            .insert(cut_off);
    }

    pub fn plant(&mut self) {
        let [jan, feb] = self.months;
        for (k, unit) in self.of_tier(Tier::City).into_iter().enumerate() {
            for (phase, m) in [(0, jan), (2, feb)] {
                self.train(unit, phase, m, 1 + k as u32);
            }
        }
        for (k, unit) in self.of_tier(Tier::County).into_iter().enumerate() {
            self.plant_county(k, unit);
        }
    }

    fn put(&mut self, unit: usize, month: Month, what: String, adds: &[(Cell, i64)]) {
        let unit = self.units[unit].id.to_string();
        self.planted.push(Planted {
            unit,
            month,
            what,
            adds: adds.to_vec(),
        });
    }
    pub fn task(&mut self, unit: usize, phase: usize, task: Task) {
        self.units[unit].script.add(phase, task);
    }
    /// A weight that nobody else has.
    fn weight(&mut self) -> i64 {
        1 + self.chance.below(1 << 24) as i64
    }

    /// A training with a planted number of people.
    fn train(&mut self, unit: usize, phase: usize, m: Month, day: u32) -> i64 {
        let attended = self.weight();
        let csv = format!("attended,occurred_on\n{attended},{m}-{:02}\n", 1 + day % 20);
        self.import(unit, phase, "E06", csv);
        self.put(
            unit,
            m,
            format!("training of {attended}"),
            &[(("I7", 0), attended)],
        );
        attended
    }

    /// What one placement adds.
    fn hired(sex: usize, wage: i64, sign: i64) -> Vec<(Cell, i64)> {
        let cells = [("I1", sex), ("I1@plan", sex), ("I2", sex), ("I10", 0)];
        cells
            .into_iter()
            .map(|c| (c, sign))
            .chain([(("I3", 0), sign * wage)])
            .collect()
    }

    /// Everything that a county's people will record, and what it adds to which figure. The order of
    /// the draws is part of what a seed repeats: a step that moves changes every planted number.
    fn plant_county(&mut self, k: usize, unit: usize) {
        let county = County::new(k, unit);
        self.plant_registrations(&county);
        let wages = self.plant_placements(&county);
        let [jan, feb] = self.months;
        let attended = self.train(unit, 0, jan, k as u32);
        self.plant_carrier(&county);
        self.plant_assessment(&county);
        self.plant_mending_at_once(&county, wages);
        self.plant_second_month(&county, wages);
        self.train(unit, 2, feb, 3 + k as u32);
        self.plant_mending_of_a_report(unit, attended);
    }

    fn plant_registrations(&mut self, county: &County) {
        let [jan, feb] = self.months;
        let registered = county.registered();
        let csv = registered
            .iter()
            .fold("id_no,occurred_on\n".to_string(), |text, person| {
                text + &format!("{},2026-01-03\n", person.id)
            });
        self.import(county.unit, 0, "E01", csv);
        for (n, person) in registered.into_iter().enumerate() {
            let adds = [(("I9", person.sex), 1)];
            self.put(county.unit, jan, format!("registration {n}"), &adds);
        }
        if county.has_a_sixty_year_old() {
            let adds = [(("I9", county.old.sex), -1)];
            self.put(county.unit, feb, "a sixtieth birthday".into(), &adds);
        }
    }

    /// Two placements, each with a wage of its own.
    fn plant_placements(&mut self, county: &County) -> Wages {
        let [jan, _] = self.months;
        let (first, second) = (self.weight(), self.weight());
        let [one, two, _] = &county.people;
        let csv = one.hired_csv("甲厂", first, "2026-01-05")
            + &format!("{},乙厂,{second},2026-01-06\n", two.id);
        self.import(county.unit, 0, "E02", csv);
        for (person, wage) in [(one, first), (two, second)] {
            let adds = Self::hired(person.sex, wage, 1);
            self.put(county.unit, jan, format!("placement at {wage}"), &adds);
        }
        Wages { first, second }
    }

    /// A carrier in two counties of three; some of them end in the second month.
    fn plant_carrier(&mut self, county: &County) {
        let [jan, feb] = self.months;
        let (k, unit) = (county.k, county.unit);
        if k.is_multiple_of(3) {
            return;
        }
        let kind = k % 2;
        let csv = format!(
            "ref,kind,occurred_on\nc1,{},2026-01-09\n",
            ["workshop", "station"][kind]
        );
        self.import(unit, 0, "E04", csv);
        self.put(unit, jan, "a carrier".into(), &[(("I4", kind), 1)]);
        if k % 5 == 3 {
            self.import(unit, 2, "E05", "ref,occurred_on\nc1,2026-02-10\n".into());
            let adds = [(("I4", kind), -1)];
            self.put(unit, feb, "the end of a carrier".into(), &adds);
        }
    }

    fn plant_assessment(&mut self, county: &County) {
        let [jan, _] = self.months;
        if !county.k.is_multiple_of(6) {
            return;
        }
        let person = &county.people[2];
        let csv = format!(
            "cert_no,name,occurred_on\n{}43,某人,2026-01-12\n",
            person.id
        );
        self.import(county.unit, 0, "E20", csv);
        let adds = [(("I8", person.sex), 1)];
        self.put(county.unit, jan, "an assessment".into(), &adds);
    }

    /// What is found while the month is still open.
    fn plant_mending_at_once(&mut self, county: &County, wages: Wages) {
        let [jan, _] = self.months;
        let unit = county.unit;
        match county.k % 7 {
            // Recorded and taken back in one month: as if it had not been.
            1 => {
                let wage = self.weight();
                let csv = county.people[2].hired_csv("丙厂", wage, "2026-01-14");
                self.import(unit, 0, "E02", csv);
                self.void_placement(unit, 0, wage);
            }
            2 => {
                let wage = self.weight();
                let line = county.people[1].hired_line("乙厂", wage, "2026-01-06");
                self.correct_placement(unit, 0, wages.second, line);
                self.put(
                    unit,
                    jan,
                    format!("correction of {} to {wage}", wages.second),
                    &[(("I3", 0), wage - wages.second)],
                );
            }
            _ => {}
        }
    }

    fn plant_second_month(&mut self, county: &County, wages: Wages) {
        let [_, feb] = self.months;
        let unit = county.unit;
        let [one, _, three] = &county.people;
        match county.k % 5 {
            0 => {
                self.void_placement(unit, 2, wages.first);
                let adds = Self::hired(one.sex, wages.first, -1);
                self.put(unit, feb, format!("void of {}", wages.first), &adds);
            }
            1 => {
                let csv = format!("id_no,employer,occurred_on\n{},甲厂,2026-02-04\n", one.id);
                self.import(unit, 2, "E03", csv);
                let adds = [(("I2", one.sex), -1)];
                self.put(unit, feb, "an end of employment".into(), &adds);
            }
            2 => {
                // A late entry counts in the open month.
                let wage = self.weight();
                self.import(unit, 2, "E02", three.hired_csv("丁厂", wage, "2026-01-20"));
                let adds = Self::hired(three.sex, wage, 1);
                self.put(unit, feb, format!("late placement at {wage}"), &adds);
            }
            4 => {
                let wage = self.weight();
                let line = one.hired_line("甲厂", wage, "2026-01-05");
                self.correct_placement(unit, 2, wages.first, line);
                self.put(
                    unit,
                    feb,
                    format!("later correction of {} to {wage}", wages.first),
                    &[(("I3", 0), wage - wages.first)],
                );
            }
            _ => {}
        }
    }

    /// What is found when a month comes back.
    fn plant_mending_of_a_report(&mut self, unit: usize, attended: i64) {
        let [jan, feb] = self.months;
        if unit == self.roles.returned || unit == self.roles.reopened {
            let right = self.weight();
            let decision = if unit == self.roles.returned {
                Decision::Returned
            } else {
                Decision::Reopened
            };
            self.report_and_hear(unit, 1, jan, decision);
            let line = format!(r#"{{"attended":{right},"occurred_on":"2026-01-21"}}"#);
            self.task(
                unit,
                1,
                Task::Correct {
                    event: "E06",
                    name: "training.held",
                    field: ("attended", attended.to_string()),
                    line,
                },
            );
            self.put(
                unit,
                jan,
                format!("correction of the training of {attended} to {right}"),
                &[(("I7", 0), right - attended)],
            );
        }
        if unit == self.roles.returned_later {
            self.report_and_hear(unit, 3, feb, Decision::Returned);
            self.train(unit, 3, feb, 17);
        }
    }

    /// The first report of a month, and what the parent says to it.
    fn report_and_hear(&mut self, unit: usize, phase: usize, month: Month, decision: Decision) {
        self.units[unit].script.report(phase, month, 1, &[]);
        self.task(
            unit,
            phase,
            Task::Answered {
                month,
                revision: 1,
                decision,
            },
        );
    }

    fn import(&mut self, unit: usize, phase: usize, event: &'static str, csv: String) {
        self.task(unit, phase, Task::Import { event, csv });
    }

    /// Takes the placement with this wage back.
    fn void_placement(&mut self, unit: usize, phase: usize, wage: i64) {
        self.task(
            unit,
            phase,
            Task::Void {
                name: PLACEMENT,
                field: ("wage", wage.to_string()),
            },
        );
    }

    /// Puts a line in the place of the placement with this wage.
    fn correct_placement(&mut self, unit: usize, phase: usize, wage: i64, line: String) {
        self.task(
            unit,
            phase,
            Task::Correct {
                event: "E02",
                name: PLACEMENT,
                field: ("wage", wage.to_string()),
                line,
            },
        );
    }
}
