//! Who is calling: staff by bearer token, a visitor by a token of their own making, a resident by number and secret.

use crate::{Api, problem::Failure};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use onetrip_casework::{Secret, SignedIn};
use onetrip_model::{CaseNumber, access::Actor};

pub(crate) const VISITOR_HEADER: &str = "x-onetrip-visitor";
pub(crate) const SECRET_HEADER: &str = "x-onetrip-secret";

/// Fewest characters of a visitor's token: 22 of base 64 are 128 bits.
pub(crate) const VISITOR_CHARS_MIN: usize = 22;
pub(crate) const VISITOR_CHARS_MAX: usize = 128;
const TOKEN_CHARS_MAX: usize = 256;
/// Under which retries of callers without any token are remembered.
const ANONYMOUS: &str = "api:anonymous";

/// What the headers of a request say about its sender, checked.
pub(crate) struct Caller {
    pub staff: Option<SignedIn>,
    /// The bearer token, where `staff` is set.
    pub token: Option<String>,
    visitor: Option<String>,
    secret: Option<Secret>,
}

impl Caller {
    /// Whose uploads and idempotency keys these are.
    pub fn owner(&self) -> String {
        self.known_owner().unwrap_or_else(|| ANONYMOUS.to_owned())
    }

    /// As [`Caller::owner`], for what nobody without a token has.
    pub fn known_owner(&self) -> Option<String> {
        match &self.staff {
            Some(staff) => Some(format!("staff:{}", staff.member.id)),
            None => self.visitor.clone(),
        }
    }

    pub fn signed_in(&self) -> Result<&SignedIn, Failure> {
        self.staff.as_ref().ok_or_else(Failure::not_signed_in)
    }

    /// The caller where no case is in question.
    pub fn actor(&self) -> Actor {
        match &self.staff {
            Some(staff) => Actor::Staff(staff.member.clone()),
            None => Actor::Visitor,
        }
    }

    /// The caller towards one case: staff, or its resident. Nobody in particular has to say who they are first.
    pub async fn actor_for(&self, api: &Api, number: &CaseNumber) -> Result<Actor, Failure> {
        match (&self.staff, &self.secret) {
            (Some(staff), _) => Ok(Actor::Staff(staff.member.clone())),
            (None, Some(secret)) => Ok(api.casework.resident(number, secret).await?),
            (None, None) => Err(Failure::not_signed_in()),
        }
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Failure;

    /// A token that is there and wrong is an error, also where none would be needed.
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        let token = bearer(&parts.headers)?;
        let staff = match &token {
            None => None,
            Some(token) => Some(
                api.casework
                    .session(token)
                    .await?
                    .ok_or_else(Failure::not_signed_in)?,
            ),
        };
        let visitor = visitor(&parts.headers)?.map(|token| api.casework.owner_of_visitor(token));
        let secret = parts
            .headers
            .get(SECRET_HEADER)
            .map(|value| Secret::parse(value.to_str().unwrap_or_default()));
        Ok(Caller {
            staff,
            token,
            visitor,
            secret,
        })
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .ok_or_else(Failure::not_signed_in)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.len() > TOKEN_CHARS_MAX {
        return Err(Failure::not_signed_in());
    }
    Ok(Some(token.to_owned()))
}

fn visitor(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let Some(value) = headers.get(VISITOR_HEADER) else {
        return Ok(None);
    };
    let token = value.to_str().unwrap_or_default();
    let is_opaque = token
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_opaque && (VISITOR_CHARS_MIN..=VISITOR_CHARS_MAX).contains(&token.len()) {
        Ok(Some(token))
    } else {
        Err(Failure::new(StatusCode::BAD_REQUEST, "visitor-malformed"))
    }
}
