//! Paging by cursor: a page continues after the last row seen, so rows that arrive meanwhile shift nothing.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The `after` and `limit` of a list's address.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PageQuery {
    /// An opaque [`Cursor`] from the page before.
    pub after: Option<String>,
    /// How many rows the caller would like.
    pub limit: Option<u32>,
}

impl PageQuery {
    pub const LIMIT_DEFAULT: u32 = 25;
    pub const LIMIT_MAX: u32 = 100;

    /// The number of rows to give: at least one, at most [`PageQuery::LIMIT_MAX`].
    pub fn limit(&self) -> u32 {
        self.limit
            .unwrap_or(Self::LIMIT_DEFAULT)
            .clamp(1, Self::LIMIT_MAX)
    }

    /// Where to continue, or `None` for the first page.
    pub fn cursor<K: DeserializeOwned>(&self) -> Result<Option<Cursor<K>>, BadCursor> {
        self.after
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(Cursor::decode)
            .transpose()
    }
}

/// The sort key of the last row of a page, such as `(due_at, number)`. Callers can't read it on purpose:
/// nobody should build one, so its shape may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor<K>(pub K);

/// The cursor was not made by us, or by a version that sorted differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct BadCursor;

impl<K: DeserializeOwned> Cursor<K> {
    const TEXT_BYTES_MAX: usize = 512;

    pub fn decode(text: &str) -> Result<Self, BadCursor> {
        if text.len() > Self::TEXT_BYTES_MAX {
            return Err(BadCursor);
        }
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        serde_json::from_slice(&json).map(Self).map_err(|_| BadCursor)
    }
}

impl<K: Serialize> fmt::Display for Cursor<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(&self.0).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

/// A page of rows and where the next one starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The `after` of the next page; `None` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page from up to `limit + 1` rows: the extra row only tells that there is more.
    pub fn from_overfetch<K: Serialize>(mut rows: Vec<T>, limit: u32, key: impl Fn(&T) -> K) -> Self {
        let limit = limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more {
            rows.last().map(|row| Cursor(key(row)).to_string())
        } else {
            None
        };
        Self { items: rows, next }
    }

    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
        }
    }
}
