//! What is peculiar to a county.

/// What is peculiar to a county, by its place among its siblings: so that a city of five shows
/// every case once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traits {
    /// From 0 to 4.
    pub(super) place: usize,
}

impl Traits {
    /// Of the county at this place among its siblings, counted from 0.
    pub(super) fn of_place(place: usize) -> Traits {
        Traits { place: place % 5 }
    }
    /// All four services done for everybody by the end of the year.
    pub(super) fn all_served(self) -> bool {
        matches!(self.place, 0 | 2 | 3)
    }
    /// Has a demonstration sheltered organisation, from this month on (0: since before the year).
    pub(super) fn demonstration(self) -> Option<u32> {
        [Some(0), Some(4), Some(6), Some(9), None][self.place]
    }
    /// Its agency is standardised from this month on.
    pub(super) fn standardised(self) -> u32 {
        [0, 0, 5, 8, 11][self.place]
    }
    /// Rounds of inspection and evaluation in the year; the plan asks for two.
    pub(super) fn rounds(self) -> u32 {
        if self.place == 2 { 1 } else { 2 }
    }
    /// Reserves fewer than 10 % of the new outlets.
    pub(super) fn few_outlets(self) -> bool {
        self.place == 1
    }
    /// Gives fewer than 5 % of the new welfare posts to disabled persons.
    pub(super) fn few_posts(self) -> bool {
        self.place == 3
    }
    /// Leaves one blind person who wants massage training without it.
    pub(super) fn massage_gap(self) -> bool {
        self.place == 1
    }
    /// Declares a part of its opening stock as numbers (E66).
    pub(super) fn baseline(self) -> bool {
        self.place == 3
    }
    /// Vocational trainings of the year, 人次: five counties together 412.
    pub(super) fn vocational(self) -> usize {
        [100, 89, 79, 71, 73][self.place]
    }
    /// Rural practical trainings, 人次: together 74.
    pub(super) fn rural(self) -> usize {
        [17, 15, 14, 12, 16][self.place]
    }
    /// Persons with industry support: together 126.
    pub(super) fn industry(self) -> usize {
        [28, 23, 29, 22, 24][self.place]
    }
}
