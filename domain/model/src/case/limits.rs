//! The limits of the run-once rule as they stand for one case: for the decisions, and for pages that say beforehand what
//! would be refused.

use super::{error::Refusal, event::RunOnceLimit, state::Filed};
use crate::{
    calendar::{city_date, end_of_city_day},
    policy::Rules,
};
use chrono::{DateTime, Utc};

impl Filed {
    /// Why the resident may not be asked for another trip; None while they may.
    pub fn trip_refused(&self, rules: &Rules) -> Option<Refusal> {
        let allowed = rules.policy.run_once.trips_max + self.tally.trip_waivers;
        (self.tally.trips >= allowed).then_some(Refusal::RunOnceLimitReached {
            limit: RunOnceLimit::Trip,
        })
    }

    /// Why materials may not be requested at `at`: asked for already, or too late; None while they may. Of papers that are
    /// held it says nothing.
    pub fn request_refused(&self, rules: &Rules, at: DateTime<Utc>) -> Option<Refusal> {
        let waivers = self.tally.material_request_waivers;
        if self.tally.material_requests >= rules.policy.run_once.material_requests_max + waivers {
            return Some(Refusal::RunOnceLimitReached {
                limit: RunOnceLimit::MaterialRequest,
            });
        }
        let until = self.request_until(rules)?;
        (at > until && waivers == 0).then_some(Refusal::RequestTooLate { until })
    }

    /// The last instant at which materials may be requested without a waiver [LIC 32]; None before acceptance.
    pub fn request_until(&self, rules: &Rules) -> Option<DateTime<Utc>> {
        let days = rules.policy.run_once.material_request_working_days;
        let accepted_on = city_date(self.accepted_at?);
        Some(end_of_city_day(
            rules.calendar.add_working_days(accepted_on, days),
        ))
    }
}
