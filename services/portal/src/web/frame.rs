use super::{
    failure, home, photos, resident, resident_acts, staff_acts, staff_board, staff_case, staff_file,
    staff_queue, staff_sign_in, submit,
};
use crate::{
    assets,
    views::{ErrorKind, ErrorPage, Help, Template, Ui},
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use chrono::Utc;
use onetrip_casework::{Casework, PAPERS_MAX, PHOTO_BYTES_MAX};
use onetrip_http_kit::{CookiePolicy, FailureDetails, FailurePage, HttpMetrics, KitConfig, Prefs, stack};
use onetrip_i18n::Locale;
use std::time::Duration;

/// Four photos of the largest size and what is typed around them, in bytes.
const FORM_BYTES_MAX: usize = 52 * 1024 * 1024;

/// A photo of every paper that can be asked for, and what is typed around them, in bytes.
const PAPERS_BYTES_MAX: usize = PAPERS_MAX * PHOTO_BYTES_MAX + TYPED_BYTES_MAX;

/// A form without files, in bytes.
const TYPED_BYTES_MAX: usize = 512 * 1024;

/// Where people help.
#[derive(Clone, Debug)]
pub struct HelpText {
    pub phone: String,
    pub counter: String,
    pub counter_en: String,
}

/// What the endpoints share.
#[derive(Clone)]
pub struct Portal {
    pub casework: Casework,
    pub cookies: CookiePolicy,
    pub help: HelpText,
    /// How long a page may take.
    pub patience: Duration,
}

impl Portal {
    pub(super) fn help(&self, locale: Locale) -> Help {
        Help {
            phone: self.help.phone.clone(),
            phone_hours: onetrip_i18n::t(locale, "help-hours"),
            counter: match locale {
                Locale::ZhCn => self.help.counter.clone(),
                Locale::En => self.help.counter_en.clone(),
            },
        }
    }
}

/// All pages, with the layers of the kit around them.
pub fn router(portal: Portal, metrics: HttpMetrics) -> Router {
    let kit = KitConfig {
        cookies: portal.cookies,
        metrics,
        failure_page: failure_page(&portal),
    };
    let routes = Router::new()
        .route("/", get(home::home))
        .route("/privacy", get(home::privacy))
        .route("/static/{name}", get(assets::serve))
        .route("/submit/communities", get(submit::communities))
        .route("/submit/photo/{id}", get(photos::waiting))
        .route("/submit/{kind}", get(submit::start))
        .route(
            "/submit/{kind}/what",
            get(submit::what)
                .post(submit::post_what)
                .layer(DefaultBodyLimit::max(FORM_BYTES_MAX)),
        )
        .route(
            "/submit/{kind}/where",
            get(submit::place).post(submit::post_place),
        )
        .route(
            "/submit/{kind}/contact",
            get(submit::contact).post(submit::post_contact),
        )
        .route(
            "/submit/{kind}/check",
            get(submit::check).post(submit::post_check),
        )
        .route("/submitted/{number}", get(submit::submitted))
        .route("/case", get(resident::lookup).post(resident::post_lookup))
        .route("/case/leave", post(resident::leave))
        .route("/case/{number}", get(resident::case))
        .route("/case/{number}/photo/{id}", get(photos::of_own_case))
        .route("/case/{number}/receipt", get(resident::receipt))
        .route(
            "/case/{number}/materials",
            post(resident_acts::materials).layer(DefaultBodyLimit::max(PAPERS_BYTES_MAX)),
        )
        .route("/case/{number}/rate", post(resident_acts::rate))
        .route("/case/{number}/reopen", post(resident_acts::reopen))
        .route("/case/{number}/review", post(resident_acts::review))
        .route(
            "/case/{number}/supplement",
            post(resident_acts::supplement).layer(DefaultBodyLimit::max(FORM_BYTES_MAX)),
        )
        .route("/case/{number}/withdraw", post(resident_acts::withdraw))
        .route("/staff", get(staff_queue::queue))
        .route(
            "/staff/sign-in",
            get(staff_sign_in::show).post(staff_sign_in::post),
        )
        .route("/staff/sign-out", post(staff_sign_in::sign_out))
        .route(
            "/staff/file/{kind}",
            get(staff_file::show)
                .post(staff_file::post)
                .layer(DefaultBodyLimit::max(FORM_BYTES_MAX)),
        )
        .route("/staff/photo/{id}", get(photos::waiting))
        .route("/staff/case/{number}", get(staff_case::show))
        .route("/staff/case/{number}/photo/{id}", get(photos::of_case))
        .route(
            "/staff/case/{number}/{act}",
            post(staff_acts::post).layer(DefaultBodyLimit::max(FORM_BYTES_MAX)),
        )
        .route("/staff/board", get(staff_board::board))
        .route("/staff/board/cases", get(staff_board::cases))
        .fallback(failure::not_found)
        .method_not_allowed_fallback(failure::not_found)
        .layer(DefaultBodyLimit::max(TYPED_BYTES_MAX))
        .layer(middleware::from_fn_with_state(portal.clone(), failure::draw))
        .with_state(portal);
    stack(routes, &kit)
}

/// The page after a panic: no token, no staff, nothing that could fail again.
fn failure_page(portal: &Portal) -> FailurePage {
    let drawing = portal.clone();
    FailurePage::new(portal.cookies, move |details: &FailureDetails| {
        let page = ErrorPage {
            ui: bare_ui(&drawing, details.prefs, "/"),
            kind: ErrorKind::Internal,
            detail: None,
            request_id: details.request_id.map(|id| id.0.to_string()),
            kept_href: None,
        };
        page.render().unwrap_or_default()
    })
}

/// The frame of a page drawn after a failure of which not even the visitor is known.
pub(super) fn bare_ui(portal: &Portal, prefs: Prefs, path: &str) -> Ui {
    Ui {
        prefs,
        csrf: String::new(),
        path: path.to_owned(),
        now: Utc::now(),
        help: portal.help(prefs.locale),
        staff: None,
    }
}
