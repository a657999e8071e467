//! Words of the pages in every language the city serves.
//!
//! The crate knows nothing of Cases: it maps a [`Locale`] and a key to a sentence, and writes dates, lengths
//! of time and numbers the way that locale's readers expect. The catalogues lie in `locales/<locale>/*.ftl`
//! and are built into the binary, so a running server can't lose them.
//!
//! Chinese is the source locale; the English catalogue also carries the notes for translators.

mod format;
mod locale;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::HashMap};

use fluent_templates::{Loader as _, fluent_bundle::FluentValue, static_loader};

pub use format::{
    CITY_TIME, date, date_long, date_time, integer, month, per_cent, share, span, span_hours, time_left,
    time_of_day,
};
pub use locale::Locale;

static_loader! {
    static CATALOGUES = {
        locales: "./locales",
        fallback_language: "zh-CN",
        // Isolation marks are invisible characters around every argument. They help bidirectional text, which
        // we have none of, and break copying a case number out of a sentence.
        customise: |bundle| {
            bundle.set_use_isolating(false);
            bundle.set_formatter(Some(grouped));
        },
    };
}

/// Writes whole numbers in sentences the way [`integer`] does.
fn grouped<M>(value: &FluentValue, _memoizer: &M) -> Option<String> {
    let FluentValue::Number(number) = value else {
        return None;
    };
    let whole = number.value.fract() == 0.0 && (1e3..1e15).contains(&number.value);
    whole.then(|| integer(number.value as u64))
}

/// What goes into a sentence. Numbers choose the plural form, texts don't.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    Text(String),
    Number(i64),
}

macro_rules! arg_from_integer {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Arg {
            fn from(value: $kind) -> Self {
                Self::Number(i64::try_from(value).unwrap_or(i64::MAX))
            }
        }
    )*};
}
arg_from_integer!(u8, u16, u32, u64, usize, i32, i64);

impl From<String> for Arg {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// Templates hand over references, sometimes to references.
impl<T: Clone + Into<Arg>> From<&T> for Arg {
    fn from(value: &T) -> Self {
        value.clone().into()
    }
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// Begins every text that stands in for a missing key, so that tests and eyes find it.
pub const MISSING_MARK: &str = "\u{27e6}";

/// The sentence of `key` in `locale`. A missing key gives `⟦key⟧`, never a panic.
pub fn t(locale: Locale, key: &str) -> String {
    CATALOGUES
        .try_lookup(locale.language(), key)
        .unwrap_or_else(|| missing(key))
}

/// The sentence of `key` in `locale` with its arguments filled in.
pub fn t_args(locale: Locale, key: &str, args: &[(&'static str, Arg)]) -> String {
    let args: HashMap<Cow<'static, str>, FluentValue> = args
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Arg::Text(text) => FluentValue::from(text.clone()),
                Arg::Number(number) => FluentValue::from(*number),
            };
            (Cow::Borrowed(*name), value)
        })
        .collect();
    CATALOGUES
        .try_lookup_with_args(locale.language(), key, &args)
        .unwrap_or_else(|| missing(key))
}

/// Whether the catalogue of `locale` knows `key`, for callers that have a plainer sentence to fall back on.
pub fn has(locale: Locale, key: &str) -> bool {
    CATALOGUES.try_lookup(locale.language(), key).is_some()
}

fn missing(key: &str) -> String {
    format!("{MISSING_MARK}{key}\u{27e7}")
}
