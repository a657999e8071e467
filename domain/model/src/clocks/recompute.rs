use super::{Clock, Deadline};
use crate::{
    calendar::{Calendar, ChangedDay, city_date},
    policy::Rules,
};
use serde::{Deserialize, Serialize};

/// A running deadline that a late notice moves, or settles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recomputed {
    pub before: Deadline,
    pub after: Deadline,
    /// The days between start and deadline that the notice made worked or free; empty where it only settles what was
    /// provisional.
    pub days: Vec<ChangedDay>,
}

impl Clock {
    /// What a later version of the calendar makes of the deadline that `rules` gave; None where it changes nothing. The term
    /// stays that of the policy under which the clock was started.
    ///
    /// Only for clocks that still run: what was decided in time stays in time.
    pub fn recomputed(&self, rules: &Rules, notice: &Calendar) -> Option<Recomputed> {
        let before = self.deadline(rules);
        let after = self.deadline_by(&rules.policy, notice);
        if (before.due_at, before.provisional) == (after.due_at, after.provisional) {
            return None;
        }
        let last = city_date(before.due_at.max(after.due_at));
        let days = rules
            .calendar
            .changed_within(notice, city_date(self.started_at)..=last);
        Some(Recomputed { before, after, days })
    }
}
