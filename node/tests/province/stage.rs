//! Who has which bad luck, what is planted, and what everybody has therefore to do.

use std::collections::BTreeSet;

use chrono::{TimeZone, Utc};
use node::config::Accept;
use protocol::ids::Tier;
use protocol::period::Month;
use protocol::receipt::Decision;

use crate::plan::{Cell, Planted};
use crate::round::{Roles, Round};
use crate::script::Task;
use crate::support::id_born;

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
            self.plant_county(k, unit, jan, feb);
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
    fn task(&mut self, unit: usize, phase: usize, task: Task) {
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
        self.task(unit, phase, Task::Import { event: "E06", csv });
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

    fn plant_county(&mut self, k: usize, unit: usize, jan: Month, feb: Month) {
        // Three people of this county and, in some, one who turns sixty in February.
        let person = |i: usize| {
            let n = k * 3 + i;
            (
                id_born(
                    &format!("1970{:02}15", 1 + n / 490),
                    (2 * (n % 490) + (n % 2)) as u32,
                ),
                1 - n % 2,
            )
        };
        // Digit 17 is odd for men, who are the first cell.
        let people: Vec<(String, usize)> = (0..3).map(person).collect();
        let old = (id_born("19660210", (2 * k + 1) as u32), 0);
        let register: Vec<&(String, usize)> = people
            .iter()
            .chain(k.is_multiple_of(4).then_some(&old))
            .collect();
        let csv = register
            .iter()
            .fold("id_no,occurred_on\n".to_string(), |t, (id, _)| {
                t + &format!("{id},2026-01-03\n")
            });
        self.task(unit, 0, Task::Import { event: "E01", csv });
        for (n, (_, sex)) in register
            .iter()
            .map(|p| (p.0.clone(), p.1))
            .enumerate()
            .collect::<Vec<_>>()
        {
            self.put(unit, jan, format!("registration {n}"), &[(("I9", sex), 1)]);
        }
        if k.is_multiple_of(4) {
            self.put(
                unit,
                feb,
                "a sixtieth birthday".into(),
                &[(("I9", old.1), -1)],
            );
        }

        // Two placements, each with a wage of its own.
        let (first, second) = (self.weight(), self.weight());
        let hire = |id: &str, employer: &str, wage: i64, day: &str| {
            format!("id_no,employer,wage,occurred_on\n{id},{employer},{wage},{day}\n")
        };
        let hires = hire(&people[0].0, "甲厂", first, "2026-01-05")
            + &format!("{},乙厂,{second},2026-01-06\n", people[1].0);
        self.task(
            unit,
            0,
            Task::Import {
                event: "E02",
                csv: hires,
            },
        );
        self.put(
            unit,
            jan,
            format!("placement at {first}"),
            &Self::hired(people[0].1, first, 1),
        );
        self.put(
            unit,
            jan,
            format!("placement at {second}"),
            &Self::hired(people[1].1, second, 1),
        );
        let attended = self.train(unit, 0, jan, k as u32);
        if !k.is_multiple_of(3) {
            let kind = k % 2;
            let csv = format!(
                "ref,kind,occurred_on\nc1,{},2026-01-09\n",
                ["workshop", "station"][kind]
            );
            self.task(unit, 0, Task::Import { event: "E04", csv });
            self.put(unit, jan, "a carrier".into(), &[(("I4", kind), 1)]);
            if k % 5 == 3 {
                self.task(
                    unit,
                    2,
                    Task::Import {
                        event: "E05",
                        csv: "ref,occurred_on\nc1,2026-02-10\n".into(),
                    },
                );
                self.put(
                    unit,
                    feb,
                    "the end of a carrier".into(),
                    &[(("I4", kind), -1)],
                );
            }
        }
        if k.is_multiple_of(6) {
            let csv = format!(
                "cert_no,name,occurred_on\n{}43,某人,2026-01-12\n",
                people[2].0
            );
            self.task(unit, 0, Task::Import { event: "E20", csv });
            self.put(
                unit,
                jan,
                "an assessment".into(),
                &[(("I8", people[2].1), 1)],
            );
        }
        let started = "employment.started";
        match k % 7 {
            // Recorded and taken back in one month: as if it had not been.
            1 => {
                let wage = self.weight();
                self.task(
                    unit,
                    0,
                    Task::Import {
                        event: "E02",
                        csv: hire(&people[2].0, "丙厂", wage, "2026-01-14"),
                    },
                );
                self.task(
                    unit,
                    0,
                    Task::Void {
                        name: started,
                        field: ("wage", wage.to_string()),
                    },
                );
            }
            2 => {
                let wage = self.weight();
                let line = format!(
                    r#"{{"id_no":"{}","employer":"乙厂","wage":{wage},"occurred_on":"2026-01-06"}}"#,
                    people[1].0
                );
                self.task(
                    unit,
                    0,
                    Task::Correct {
                        event: "E02",
                        name: started,
                        field: ("wage", second.to_string()),
                        line,
                    },
                );
                self.put(
                    unit,
                    jan,
                    format!("correction of {second} to {wage}"),
                    &[(("I3", 0), wage - second)],
                );
            }
            _ => {}
        }

        // The second month.
        match k % 5 {
            0 => {
                self.task(
                    unit,
                    2,
                    Task::Void {
                        name: started,
                        field: ("wage", first.to_string()),
                    },
                );
                self.put(
                    unit,
                    feb,
                    format!("void of {first}"),
                    &Self::hired(people[0].1, first, -1),
                );
            }
            1 => {
                let csv = format!(
                    "id_no,employer,occurred_on\n{},甲厂,2026-02-04\n",
                    people[0].0
                );
                self.task(unit, 2, Task::Import { event: "E03", csv });
                self.put(
                    unit,
                    feb,
                    "an end of employment".into(),
                    &[(("I2", people[0].1), -1)],
                );
            }
            2 => {
                // A late entry counts in the open month.
                let wage = self.weight();
                self.task(
                    unit,
                    2,
                    Task::Import {
                        event: "E02",
                        csv: hire(&people[2].0, "丁厂", wage, "2026-01-20"),
                    },
                );
                self.put(
                    unit,
                    feb,
                    format!("late placement at {wage}"),
                    &Self::hired(people[2].1, wage, 1),
                );
            }
            4 => {
                let wage = self.weight();
                let line = format!(
                    r#"{{"id_no":"{}","employer":"甲厂","wage":{wage},"occurred_on":"2026-01-05"}}"#,
                    people[0].0
                );
                self.task(
                    unit,
                    2,
                    Task::Correct {
                        event: "E02",
                        name: started,
                        field: ("wage", first.to_string()),
                        line,
                    },
                );
                self.put(
                    unit,
                    feb,
                    format!("later correction of {first} to {wage}"),
                    &[(("I3", 0), wage - first)],
                );
            }
            _ => {}
        }
        self.train(unit, 2, feb, 3 + k as u32);

        // What is found when a month comes back.
        if unit == self.roles.returned || unit == self.roles.reopened {
            let right = self.weight();
            let decision = if unit == self.roles.returned {
                Decision::Returned
            } else {
                Decision::Reopened
            };
            self.units[unit].script.report(1, jan, 1, &[]);
            self.task(
                unit,
                1,
                Task::Answered {
                    month: jan,
                    revision: 1,
                    decision,
                },
            );
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
            self.units[unit].script.report(3, feb, 1, &[]);
            self.task(
                unit,
                3,
                Task::Answered {
                    month: feb,
                    revision: 1,
                    decision: Decision::Returned,
                },
            );
            self.train(unit, 3, feb, 17);
        }
    }

    /// Who closes when, and who decides what.
    pub fn direct(&mut self) {
        let [jan, feb] = self.months;
        let name = |round: &Round, u: usize| round.units[u].id.to_string();
        let top = 0;
        let opened_again = self.units[self.roles.absent].parent.expect("a city");
        for unit in self.of_tier(Tier::County) {
            let r = &self.roles;
            let twice = unit == r.returned || unit == r.reopened;
            if unit == r.absent {
                let task = Task::Elsewhere {
                    at: name(self, top),
                    child: name(self, opened_again),
                    month: jan,
                    revision: 1,
                };
                self.task(unit, 1, task);
            } else if unit == r.late {
                self.task(
                    unit,
                    1,
                    Task::Since(Utc.with_ymd_and_hms(2026, 2, 8, 2, 0, 0).unwrap()),
                );
            }
            self.units[unit]
                .script
                .report(1, jan, if twice { 2 } else { 1 }, &[]);
            let revision = if unit == self.roles.returned_later {
                2
            } else {
                1
            };
            self.units[unit].script.report(3, feb, revision, &[]);
        }
        for city in self.of_tier(Tier::City) {
            let mut missing: Vec<String> = Vec::new();
            let children = self.children(city);
            let person = self.units[city].accept == Accept::Person;
            let accept = |child: String, month, revision| Task::Decide {
                child,
                month,
                revision,
                decision: Decision::Accepted,
            };
            for child in children.iter().copied() {
                let id = name(self, child);
                let r = &self.roles;
                if child == r.absent || child == r.cut_off {
                    missing.push(id);
                } else if child == r.returned {
                    self.task(
                        city,
                        1,
                        Task::Decide {
                            child: id.clone(),
                            month: jan,
                            revision: 1,
                            decision: Decision::Returned,
                        },
                    );
                    self.task(city, 1, accept(id, jan, 2));
                } else if child == r.reopened {
                    if person {
                        self.task(city, 1, accept(id.clone(), jan, 1));
                    }
                    self.task(
                        city,
                        1,
                        Task::Holds {
                            child: id.clone(),
                            month: jan,
                            revision: 1,
                        },
                    );
                    self.task(
                        city,
                        1,
                        Task::Decide {
                            child: id.clone(),
                            month: jan,
                            revision: 1,
                            decision: Decision::Reopened,
                        },
                    );
                    if person {
                        self.task(city, 1, accept(id, jan, 2));
                    }
                } else if person {
                    self.task(city, 1, accept(id, jan, 1));
                }
            }
            self.units[city].script.report(1, jan, 1, &missing);
            if city == opened_again {
                let absent = name(self, self.roles.absent);
                self.task(
                    city,
                    1,
                    Task::Answered {
                        month: jan,
                        revision: 1,
                        decision: Decision::Reopened,
                    },
                );
                if person {
                    self.task(city, 1, accept(absent.clone(), jan, 1));
                }
                self.task(
                    city,
                    1,
                    Task::Holds {
                        child: absent.clone(),
                        month: jan,
                        revision: 1,
                    },
                );
                missing.retain(|m| *m != absent);
                self.units[city].script.report(1, jan, 2, &missing);
            }
            if person {
                for child in children {
                    let id = name(self, child);
                    if child == self.roles.cut_off {
                        self.task(city, 3, accept(id.clone(), jan, 1));
                    }
                    let again = child == self.roles.returned_later;
                    if again {
                        self.task(
                            city,
                            3,
                            Task::Decide {
                                child: id.clone(),
                                month: feb,
                                revision: 1,
                                decision: Decision::Returned,
                            },
                        );
                    }
                    self.task(city, 3, accept(id, feb, if again { 2 } else { 1 }));
                }
            }
            self.units[city].script.report(3, feb, 1, &[]);
        }
        let city = name(self, opened_again);
        let absent = name(self, self.roles.absent);
        self.task(
            top,
            1,
            Task::Holds {
                child: city.clone(),
                month: jan,
                revision: 1,
            },
        );
        self.task(
            top,
            1,
            Task::Decide {
                child: city.clone(),
                month: jan,
                revision: 1,
                decision: Decision::Reopened,
            },
        );
        self.task(
            top,
            1,
            Task::Elsewhere {
                at: city.clone(),
                child: absent,
                month: jan,
                revision: 1,
            },
        );
        self.task(
            top,
            1,
            Task::Holds {
                child: city,
                month: jan,
                revision: 2,
            },
        );
        self.units[top].script.report(1, jan, 1, &[]);
        self.units[top].script.report(3, feb, 1, &[]);
        for unit in &mut self.units {
            unit.script
                .tasks
                .make_contiguous()
                .sort_by_key(|(phase, _)| *phase);
        }
    }
}
