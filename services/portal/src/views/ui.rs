//! What every page knows: who reads it, in which words, and where help is.

use chrono::{DateTime, NaiveDate, Utc};
use onetrip_http_kit::{FieldError, Prefs};
use onetrip_i18n::{self as i18n, Arg, Locale};

use crate::assets;

/// Frame of a page: language, type size, the visit's token, help. Every view has one in its field `ui`.
#[derive(Debug, Clone)]
pub struct Ui {
    pub prefs: Prefs,
    /// Token for the forms of this page, from `Csrf::token`.
    pub csrf: String,
    /// Address of this page with its query. The switches for language and type size come back to it, so after
    /// a refused post it must be the address of the form.
    pub path: String,
    /// When the page is drawn; "time left" counts from here.
    pub now: DateTime<Utc>,
    /// Where people help, shown in the same place on every page.
    pub help: Help,
    /// Who is signed in on a staff page.
    pub staff: Option<StaffBadge>,
}

/// Help given by people.
#[derive(Debug, Clone)]
pub struct Help {
    pub phone: String,
    pub phone_hours: String,
    pub counter: String,
}

/// The signed-in member of staff, for the header of staff pages.
#[derive(Debug, Clone)]
pub struct StaffBadge {
    pub name: String,
    pub office: String,
    /// May see a queue.
    pub queues: bool,
    /// Shows the way to the board.
    pub supervises: bool,
    /// May file for a resident.
    pub files: bool,
}

/// Which part of the staff pages is open, for the marked entry in their navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffPart {
    Queue,
    File,
    Board,
}

impl Ui {
    pub fn locale(&self) -> Locale {
        self.prefs.locale
    }

    /// Value of the `lang` attribute.
    pub fn lang(&self) -> &'static str {
        self.prefs.locale.tag()
    }

    pub fn t(&self, key: &str) -> String {
        i18n::t(self.prefs.locale, key)
    }

    pub fn t1(&self, key: &str, name: &'static str, value: impl Into<Arg>) -> String {
        i18n::t_args(self.prefs.locale, key, &[(name, value.into())])
    }

    pub fn t2(
        &self,
        key: &str,
        name: &'static str,
        value: impl Into<Arg>,
        name2: &'static str,
        value2: impl Into<Arg>,
    ) -> String {
        i18n::t_args(
            self.prefs.locale,
            key,
            &[(name, value.into()), (name2, value2.into())],
        )
    }

    /// Member of a dynamic family: `member("category", "street_lights")` reads `category-street-lights`.
    pub fn member(&self, family: &str, id: &str) -> String {
        i18n::t(self.prefs.locale, &format!("{family}-{}", id.replace('_', "-")))
    }

    pub fn date(&self, day: &NaiveDate) -> String {
        i18n::date_long(self.prefs.locale, *day)
    }

    pub fn day(&self, at: &DateTime<Utc>) -> String {
        i18n::date_long(self.prefs.locale, at.with_timezone(&i18n::CITY_TIME).date_naive())
    }

    pub fn date_time(&self, at: &DateTime<Utc>) -> String {
        i18n::date_time(self.prefs.locale, *at)
    }

    /// For `datetime` attributes.
    pub fn iso(&self, at: &DateTime<Utc>) -> String {
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    pub fn time_left(&self, due_at: &DateTime<Utc>) -> String {
        i18n::time_left(self.prefs.locale, self.now, *due_at)
    }

    pub fn int(&self, n: &u64) -> String {
        i18n::integer(*n)
    }

    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    /// The drawing of an icon; unknown names draw nothing. Safe to print: it holds none of anyone's words.
    pub fn icon(&self, name: &str) -> &'static str {
        super::icons::icon(name)
    }

    /// The language the switch in the header offers.
    pub fn other_lang(&self) -> &'static str {
        self.prefs.locale.other().tag()
    }

    /// This page's address with one more parameter.
    pub fn with_query(&self, name: &str, value: &str) -> String {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{separator}{name}={value}", self.path)
    }

    /// Singular and plural of a unit of time with `{n}` for the number, for the script that keeps "time left"
    /// current: `{n} day|{n} days`.
    pub fn unit_forms(&self, key: &str) -> String {
        let form = |n: i64| {
            let text = self.t1(key, "n", n);
            text.replace(&n.to_string(), "{n}")
        };
        format!("{}|{}", form(1), form(2))
    }

    /// The sentence `key` with `{length}` left in place, for the same script.
    pub fn length_form(&self, key: &str) -> String {
        self.t1(key, "length", "{length}")
    }
}

/// What is wrong with a form that came back. Field names are also the ids of their controls.
#[derive(Debug, Clone, Default)]
pub struct Errors(pub Vec<FieldError>);

impl Errors {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The message for `field`, to be shown beside it in the same words as in the summary.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|error| error.field == field)
            .map(|error| error.message.as_str())
    }

    pub fn has(&self, field: &str) -> bool {
        self.of(field).is_some()
    }

    /// One message per field, the first: two rules broken by one answer are mended by one answer.
    pub fn once(errors: impl IntoIterator<Item = FieldError>) -> Errors {
        let mut once = Errors::default();
        for error in errors {
            if !once.has(&error.field) {
                once.0.push(error);
            }
        }
        once
    }
}
