use super::{
    failure::PageError,
    visit::{Visit, page},
};
use crate::views::{Errors, HomePage, Kind, Limits, PrivacyPage};
use axum::response::Response;

pub(super) async fn home(visit: Visit) -> Result<Response, PageError> {
    page(&home_page(&visit, Errors::default(), String::new()))
}

/// The start page, also for a lookup from it that came back.
pub(super) fn home_page(visit: &Visit, errors: Errors, number: String) -> HomePage {
    let policy = &visit.casework().rules().policy;
    HomePage {
        ui: visit.ui_at("/"),
        limits: Limits {
            contact_hours: policy.contact.hours_max,
            consultation_days: policy.result.consultation_working_days,
            help_days: policy.result.help_working_days,
            complaint_days: policy.result.complaint_working_days,
            rating_days: policy.rating.days,
        },
        kinds: Kind::ALL,
        errors,
        number,
    }
}

pub(super) async fn privacy(visit: Visit) -> Result<Response, PageError> {
    page(&PrivacyPage { ui: visit.ui() })
}
