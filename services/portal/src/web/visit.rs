use super::{failure::PageError, frame::Portal};
use crate::views::{StaffBadge, Template, Ui};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use onetrip_casework::{Casework, CaseworkError, Secret, SignedIn};
use onetrip_http_kit::{Csrf, Prefs, cookie_value};
use onetrip_i18n::Locale;
use onetrip_model::{
    CaseNumber,
    access::{Act, Actor, Role, authorize},
};

/// Names of our cookies.
pub(super) const SESSION: &str = "session";
const VISITOR: &str = "visitor";
/// Number and secret of the case that is being followed.
const FOLLOW: &str = "follow";

/// One request: who is asking, in which words, with which token.
pub(super) struct Visit {
    pub portal: Portal,
    pub prefs: Prefs,
    csrf: Csrf,
    path: String,
    headers: HeaderMap,
    pub staff: Option<SignedIn>,
}

impl FromRequestParts<Portal> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, PageError> {
        let Ok(prefs) = Prefs::from_request_parts(parts, portal).await;
        let csrf = Csrf::from_request_parts(parts, portal)
            .await
            .map_err(|_| CaseworkError::Internal("no csrf layer".to_owned()))?;
        let asked = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        // Links lead back to this address: never let it begin like another origin's.
        let path = format!("/{}", asked.trim_start_matches(['/', '\\']));
        let headers = parts.headers.clone();
        // Looked up for staff pages only: residents' pages know nothing of staff.
        let staff = match cookie_value(&headers, portal.cookies, SESSION) {
            Some(token) if path.starts_with("/staff") => portal.casework.session(&token).await?,
            _ => None,
        };
        Ok(Visit {
            portal: portal.clone(),
            prefs,
            csrf,
            path,
            headers,
            staff,
        })
    }
}

impl Visit {
    pub fn casework(&self) -> &Casework {
        &self.portal.casework
    }

    pub fn locale(&self) -> Locale {
        self.prefs.locale
    }

    /// The frame of the page at this address.
    pub fn ui(&self) -> Ui {
        self.ui_at(&self.path)
    }

    /// The frame of the page at `path`, for a form that comes back.
    pub fn ui_at(&self, path: &str) -> Ui {
        let staff = self.staff.as_ref().map(|staff| {
            let unit = staff
                .member
                .unit
                .as_ref()
                .and_then(|unit| self.casework().directory().unit(unit.as_str()));
            let area = || self.casework().directory().division(staff.member.area.as_str());
            let (name, office) = match self.locale() {
                Locale::ZhCn => (
                    &staff.name,
                    unit.map(|unit| unit.name)
                        .or_else(|| area().map(|area| area.name)),
                ),
                Locale::En => {
                    let unit = unit.map(|unit| unit.name_en);
                    (
                        &staff.name_en,
                        unit.or_else(|| area().map(|area| area.name_en.unwrap_or(area.name))),
                    )
                }
            };
            let actor = Actor::Staff(staff.member.clone());
            StaffBadge {
                name: name.clone(),
                office: office.unwrap_or_default(),
                queues: authorize(&actor, Act::ViewQueue, None).is_ok(),
                supervises: staff.member.role == Role::Supervisor,
                files: authorize(&actor, Act::FileForResident, None).is_ok(),
            }
        });
        Ui {
            prefs: self.prefs,
            csrf: self.csrf.token(),
            path: path.to_owned(),
            now: self.casework().now(),
            help: self.portal.help(self.locale()),
            staff,
        }
    }

    pub fn t(&self, key: &str) -> String {
        onetrip_i18n::t(self.locale(), key)
    }

    /// The signed-in member of staff, or the way to the sign-in page.
    pub fn member(&self) -> Result<Actor, PageError> {
        match &self.staff {
            Some(staff) => Ok(Actor::Staff(staff.member.clone())),
            None => Err(CaseworkError::NotSignedIn.into()),
        }
    }

    pub fn session_token(&self) -> Option<String> {
        cookie_value(&self.headers, self.portal.cookies, SESSION)
    }

    /// The resident who has shown number and secret of this case.
    pub async fn resident(&self, number: &CaseNumber) -> Result<Actor, PageError> {
        let shown = cookie_value(&self.headers, self.portal.cookies, FOLLOW).unwrap_or_default();
        let Some((digits, secret)) = shown.split_once('.') else {
            return Err(CaseworkError::NotSignedIn.into());
        };
        if digits != number.digits() {
            return Err(CaseworkError::NotSignedIn.into());
        }
        match self.casework().resident(number, &Secret::parse(secret)).await {
            Err(CaseworkError::NotFound) => Err(CaseworkError::NotSignedIn.into()),
            resident => Ok(resident?),
        }
    }

    /// Lets the visitor follow this case until they leave it or close the browser.
    pub fn follow_cookie(&self, number: &CaseNumber, secret: &Secret) -> HeaderValue {
        let value = format!("{}.{secret}", number.digits());
        header_value(&self.portal.cookies.cookie(FOLLOW, value, None).to_string())
    }

    pub fn unfollow_cookie(&self) -> HeaderValue {
        header_value(&self.portal.cookies.removal(FOLLOW).to_string())
    }

    pub fn cookie(&self, name: &str, value: String) -> HeaderValue {
        header_value(&self.portal.cookies.cookie(name, value, None).to_string())
    }

    pub fn removal(&self, name: &str) -> HeaderValue {
        header_value(&self.portal.cookies.removal(name).to_string())
    }

    /// Whose drafts and uploads these are; a visitor without a cookie gets one.
    pub fn owner(&self) -> Result<(String, Option<HeaderValue>), PageError> {
        if let Some(staff) = &self.staff {
            return Ok((format!("staff:{}", staff.member.id), None));
        }
        let kept = cookie_value(&self.headers, self.portal.cookies, VISITOR);
        // Only tokens as we make them: a guessable one would share somebody's drafts.
        if let Some(token) =
            kept.filter(|token| URL_SAFE_NO_PAD.decode(token).is_ok_and(|bytes| bytes.len() == 16))
        {
            return Ok((self.casework().owner_of_visitor(&token), None));
        }
        let mut token = [0_u8; 16];
        getrandom::fill(&mut token).map_err(|error| CaseworkError::Internal(error.to_string()))?;
        let token = URL_SAFE_NO_PAD.encode(token);
        let owner = self.casework().owner_of_visitor(&token);
        Ok((owner, Some(self.cookie(VISITOR, token))))
    }
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// Draws a page.
pub(super) fn page(view: &impl Template) -> Result<Response, PageError> {
    let html = view
        .render()
        .map_err(|error| CaseworkError::Internal(error.to_string()))?;
    Ok(Html(html).into_response())
}

/// The answer with a cookie.
pub(super) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// On to another page after a post.
pub(super) fn see(address: &str) -> Response {
    Redirect::to(address).into_response()
}
