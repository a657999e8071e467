//! Staff signing in and out. A session lasts twelve hours.

use crate::{
    Api,
    caller::Caller,
    extract::Input,
    problem::Failure,
    values::{Always, Body, SignInNeeded, TooMany, UnitRef},
};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use onetrip_casework::{Casework, SignedIn};
use onetrip_model::access;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    #[schema(min_length = 1, max_length = 200)]
    sign_in: String,
    #[schema(min_length = 1, max_length = 200, format = Password)]
    password: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    /// For `Authorization: Bearer`. Only a digest of it is kept.
    #[schema(min_length = 43, max_length = 43)]
    token: String,
    staff: Staff,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Role {
    Clerk,
    ContactCadre,
    HandlingUnit,
    Supervisor,
    Administrator,
}

impl From<access::Role> for Role {
    fn from(role: access::Role) -> Self {
        match role {
            access::Role::Clerk => Role::Clerk,
            access::Role::ContactCadre => Role::ContactCadre,
            access::Role::HandlingUnit => Role::HandlingUnit,
            access::Role::Supervisor => Role::Supervisor,
            access::Role::Administrator => Role::Administrator,
        }
    }
}

/// Who is signed in, and for where.
#[derive(Serialize, ToSchema)]
pub(crate) struct Staff {
    id: Uuid,
    name: String,
    name_en: String,
    role: Role,
    /// The division this person works for; nothing outside it is visible. Empty for everything.
    area: String,
    unit: Option<UnitRef>,
    /// The contact districts this person is fixed contact for.
    contact_districts: Vec<String>,
}

impl Staff {
    fn of(casework: &Casework, signed_in: &SignedIn) -> Staff {
        let member = &signed_in.member;
        Staff {
            id: member.id.0,
            name: signed_in.name.clone(),
            name_en: signed_in.name_en.clone(),
            role: member.role.into(),
            area: member.area.0.clone(),
            unit: UnitRef::of_code(casework, member.unit.as_ref()),
            contact_districts: member
                .contact_districts
                .iter()
                .map(|district| district.0.clone())
                .collect(),
        }
    }
}

/// Sign in
///
/// A wrong name and a wrong password are answered alike. Five wrong tries for a name within five minutes make it wait.
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "sessions", security(()),
    request_body = SignIn,
    responses(
        (status = 201, description = "Signed in.", body = Session),
        (status = 401, description = "The name or the password is wrong.", body = crate::values::Problem,
         content_type = "application/problem+json"),
        Always, Body, TooMany,
    ),
)]
pub(crate) async fn sign_in(State(api): State<Api>, input: Input<SignIn>) -> Result<Response, Failure> {
    let SignIn { sign_in, password } = input.value;
    let token = api.casework.sign_in(&sign_in, &password).await?;
    let signed_in = api
        .casework
        .session(&token)
        .await?
        .ok_or_else(Failure::not_signed_in)?;
    let staff = Staff::of(&api.casework, &signed_in);
    Ok((StatusCode::CREATED, Json(Session { token, staff })).into_response())
}

/// Sign out
#[utoipa::path(
    delete, path = "/api/v1/sessions/current", tag = "sessions", security(("bearer" = [])),
    responses((status = 204, description = "The token has ended."), Always, SignInNeeded),
)]
pub(crate) async fn sign_out(State(api): State<Api>, caller: Caller) -> Result<StatusCode, Failure> {
    let token = caller.token.ok_or_else(Failure::not_signed_in)?;
    api.casework.sign_out(&token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is signed in
#[utoipa::path(
    get, path = "/api/v1/me", tag = "sessions", security(("bearer" = [])),
    responses((status = 200, description = "The account as it stands now.", body = Staff), Always, SignInNeeded),
)]
pub(crate) async fn me(State(api): State<Api>, caller: Caller) -> Result<Json<Staff>, Failure> {
    Ok(Json(Staff::of(&api.casework, caller.signed_in()?)))
}
