//! Who closes when, and who decides what.

use chrono::{TimeZone, Utc};
use node::config::Accept;
use protocol::ids::Tier;
use protocol::period::Month;
use protocol::receipt::Decision;

use crate::round::Round;
use crate::script::Task;

/// The unit above all others.
const TOP: usize = 0;

impl Round {
    /// Writes everybody's script, in the order of its phases.
    pub fn direct(&mut self) {
        for unit in self.of_tier(Tier::County) {
            self.direct_county(unit);
        }
        for city in self.of_tier(Tier::City) {
            self.direct_city(city);
        }
        self.direct_province();
        for unit in &mut self.units {
            unit.script
                .tasks
                .make_contiguous()
                .sort_by_key(|(phase, _)| *phase);
        }
    }

    fn name(&self, unit: usize) -> String {
        self.units[unit].id.to_string()
    }

    /// The city whose report the province opens again, as one of its counties was absent.
    fn opened_again(&self) -> usize {
        self.units[self.roles.absent].parent.expect("a city")
    }

    fn by_hand(&self, city: usize) -> bool {
        self.units[city].accept == Accept::Person
    }

    fn direct_county(&mut self, unit: usize) {
        let [jan, feb] = self.months;
        let roles = &self.roles;
        let twice = unit == roles.returned || unit == roles.reopened;
        if unit == roles.absent {
            let task = Task::Elsewhere {
                at: self.name(TOP),
                child: self.name(self.opened_again()),
                month: jan,
                revision: 1,
            };
            self.task(unit, 1, task);
        } else if unit == roles.late {
            let opening = Utc.with_ymd_and_hms(2026, 2, 8, 2, 0, 0).unwrap();
            self.task(unit, 1, Task::Since(opening));
        }
        let script = &mut self.units[unit].script;
        script.report(1, jan, if twice { 2 } else { 1 }, &[]);
        let returned_later = unit == self.roles.returned_later;
        script.report(3, feb, if returned_later { 2 } else { 1 }, &[]);
    }

    fn direct_city(&mut self, city: usize) {
        let [jan, feb] = self.months;
        let mut missing: Vec<String> = Vec::new();
        for child in self.children(city) {
            if child == self.roles.absent || child == self.roles.cut_off {
                missing.push(self.name(child));
            } else {
                self.decide_first_month(city, child);
            }
        }
        self.units[city].script.report(1, jan, 1, &missing);
        if city == self.opened_again() {
            self.report_with_the_absent(city, missing);
        }
        if self.by_hand(city) {
            for child in self.children(city) {
                self.decide_second_month(city, child);
            }
        }
        self.units[city].script.report(3, feb, 1, &[]);
    }

    fn decide_first_month(&mut self, city: usize, child: usize) {
        let [jan, _] = self.months;
        let (id, by_hand) = (self.name(child), self.by_hand(city));
        if child == self.roles.returned {
            self.task(city, 1, decide(&id, jan, 1, Decision::Returned));
            self.task(city, 1, decide(&id, jan, 2, Decision::Accepted));
        } else if child == self.roles.reopened {
            if by_hand {
                self.task(city, 1, decide(&id, jan, 1, Decision::Accepted));
            }
            self.task(city, 1, holds(&id, jan, 1));
            self.task(city, 1, decide(&id, jan, 1, Decision::Reopened));
            if by_hand {
                self.task(city, 1, decide(&id, jan, 2, Decision::Accepted));
            }
        } else if by_hand {
            self.task(city, 1, decide(&id, jan, 1, Decision::Accepted));
        }
    }

    /// The second revision of the first month, with the county that was absent from the first one.
    fn report_with_the_absent(&mut self, city: usize, mut missing: Vec<String>) {
        let [jan, _] = self.months;
        let absent = self.name(self.roles.absent);
        self.task(
            city,
            1,
            Task::Answered {
                month: jan,
                revision: 1,
                decision: Decision::Reopened,
            },
        );
        if self.by_hand(city) {
            self.task(city, 1, decide(&absent, jan, 1, Decision::Accepted));
        }
        self.task(city, 1, holds(&absent, jan, 1));
        missing.retain(|m| *m != absent);
        self.units[city].script.report(1, jan, 2, &missing);
    }

    fn decide_second_month(&mut self, city: usize, child: usize) {
        let [jan, feb] = self.months;
        let id = self.name(child);
        if child == self.roles.cut_off {
            self.task(city, 3, decide(&id, jan, 1, Decision::Accepted));
        }
        let again = child == self.roles.returned_later;
        if again {
            self.task(city, 3, decide(&id, feb, 1, Decision::Returned));
        }
        let revision = if again { 2 } else { 1 };
        self.task(city, 3, decide(&id, feb, revision, Decision::Accepted));
    }

    fn direct_province(&mut self) {
        let [jan, feb] = self.months;
        let city = self.name(self.opened_again());
        let absent = self.name(self.roles.absent);
        self.task(TOP, 1, holds(&city, jan, 1));
        self.task(TOP, 1, decide(&city, jan, 1, Decision::Reopened));
        self.task(
            TOP,
            1,
            Task::Elsewhere {
                at: city.clone(),
                child: absent,
                month: jan,
                revision: 1,
            },
        );
        self.task(TOP, 1, holds(&city, jan, 2));
        self.units[TOP].script.report(1, jan, 1, &[]);
        self.units[TOP].script.report(3, feb, 1, &[]);
    }
}

fn decide(child: &str, month: Month, revision: u32, decision: Decision) -> Task {
    Task::Decide {
        child: child.to_string(),
        month,
        revision,
        decision,
    }
}

fn holds(child: &str, month: Month, revision: u32) -> Task {
    Task::Holds {
        child: child.to_string(),
        month,
        revision,
    }
}
