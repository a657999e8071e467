use super::{failure::PageError, frame::Portal};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Multipart, Request},
    http::header,
};
use onetrip_casework::{CaseworkError, PHOTO_BYTES_MAX, PhotoFault, RequestKey};
use onetrip_http_kit::Csrf;
use sha2::{Digest, Sha256};

/// Fields one form may have, and bytes one field may hold.
const FIELDS_MAX: usize = 100;
const FIELD_BYTES_MAX: usize = 64 * 1024;
const FORM_BYTES_MAX: usize = 512 * 1024;
const FILES_MAX: usize = 24;

/// What a form posted, in either encoding, its token already checked.
#[derive(Debug, Default)]
pub(super) struct Posted {
    fields: Vec<(String, String)>,
    files: Vec<(String, Bytes)>,
}

impl FromRequest<Portal> for Posted {
    type Rejection = PageError;

    async fn from_request(request: Request, portal: &Portal) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let csrf = Csrf::from_request_parts(&mut parts, portal)
            .await
            .map_err(|_| PageError::FormExpired)?;
        let request = Request::from_parts(parts, body);
        let multipart = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("multipart/form-data"));
        let posted = if multipart {
            Self::multipart(request, portal, &csrf).await?
        } else {
            Self::plain(request).await?
        };
        csrf.verify(posted.get("csrf"))
            .map_err(|_| PageError::FormExpired)?;
        Ok(posted)
    }
}

impl Posted {
    async fn plain(request: Request) -> Result<Self, PageError> {
        let body = axum::body::to_bytes(request.into_body(), FORM_BYTES_MAX)
            .await
            .map_err(|_| PageError::TooLarge)?;
        let fields: Vec<(String, String)> =
            serde_html_form::from_bytes(&body).map_err(|_| PageError::Unreadable)?;
        if fields.len() > FIELDS_MAX {
            return Err(PageError::Unreadable);
        }
        Ok(Posted {
            fields,
            files: Vec::new(),
        })
    }

    async fn multipart(request: Request, portal: &Portal, csrf: &Csrf) -> Result<Self, PageError> {
        let mut multipart = Multipart::from_request(request, portal)
            .await
            .map_err(|_| PageError::Unreadable)?;
        let mut posted = Posted::default();
        while let Some(field) = multipart.next_field().await.map_err(unreadable)? {
            if posted.fields.len() >= FIELDS_MAX || posted.files.len() >= FILES_MAX {
                return Err(PageError::Unreadable);
            }
            let name = field.name().unwrap_or_default().to_owned();
            if field.file_name().is_some() {
                // The token comes first in every form: no stranger's files are read.
                csrf.verify(posted.get("csrf"))
                    .map_err(|_| PageError::FormExpired)?;
                let named = field.file_name().is_some_and(|name| !name.is_empty());
                let bytes = field.bytes().await.map_err(unreadable)?;
                // A file input that was left alone sends an empty file without a name.
                if named || !bytes.is_empty() {
                    posted.files.push((name, bytes));
                }
            } else {
                let text = field.text().await.map_err(unreadable)?;
                if text.len() > FIELD_BYTES_MAX {
                    return Err(PageError::TooLarge);
                }
                posted.fields.push((name, text));
            }
        }
        Ok(posted)
    }

    /// The first field of this name, without the spaces around it; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, value)| value.trim())
    }

    pub fn text(&self, name: &str) -> String {
        // Browsers send line ends as CRLF.
        self.get(name).replace("\r\n", "\n")
    }

    pub fn optional(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The form had a field of this name, filled in or not.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    pub fn all(&self, name: &str) -> Vec<String> {
        self.fields
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.trim().to_owned())
            .collect()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == "1"
    }

    /// The field says `value` where a name is given by several buttons.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    /// All fields but the ones of the frame, for a form that comes back.
    pub fn typed(&self) -> impl Iterator<Item = (&str, &str)> {
        let frame = |name: &str| ["csrf", "version", "idempotency_key"].contains(&name);
        self.fields
            .iter()
            .filter(move |(name, _)| !frame(name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn files<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> {
        self.files
            .iter()
            .filter(move |(field, _)| field == name)
            .map(|(_, bytes)| bytes)
    }

    /// Files of all fields whose name fits.
    pub fn files_where<'a>(&'a self, fits: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = &'a Bytes> {
        self.files
            .iter()
            .filter(move |(field, _)| fits(field))
            .map(|(_, bytes)| bytes)
    }

    /// The key that makes a second tap the same request. Photos are not part of its digest: they are uploaded anew
    /// each time, and the first answer stands.
    ///
    /// `address` says which form of which case it is: a key that turns up at another is another request.
    pub fn request(&self, owner: &str, address: &str) -> Result<RequestKey, PageError> {
        let mut digest = Sha256::new();
        digest.update(address.as_bytes());
        digest.update([0]);
        for (name, value) in self.typed() {
            digest.update(name.as_bytes());
            digest.update([0]);
            digest.update(value.as_bytes());
            digest.update([0]);
        }
        let key: String = self.get("idempotency_key").chars().take(100).collect();
        if key.is_empty() {
            return Err(PageError::Unreadable);
        }
        Ok(RequestKey {
            actor: owner.to_owned(),
            key: format!("form:{key}"),
            body_hash: digest.finalize().into(),
        })
    }
}

fn unreadable(error: axum::extract::multipart::MultipartError) -> PageError {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        PageError::TooLarge
    } else {
        PageError::Unreadable
    }
}

/// Whether a file is too large to be a photo, before it is decoded.
pub(super) fn check_size(bytes: &Bytes) -> Result<(), CaseworkError> {
    if bytes.len() > PHOTO_BYTES_MAX {
        Err(PhotoFault::TooLarge.into())
    } else {
        Ok(())
    }
}
