//! Reference data: divisions, units, categories, kinds of papers.

use crate::{
    Api,
    caller::Caller,
    extract::{Params, checked_code},
    problem::Failure,
    values::{Always, AppealClass, SignInNeeded, UnknownCode},
};
use axum::{Json, extract::State};
use onetrip_casework::Fault;
use onetrip_i18n::{Locale, t};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Inside {
    /// Code of the division around them; the cities if left out.
    #[param(min_length = 1, max_length = 64)]
    parent: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Area {
    /// Code of a division; one's own if left out.
    #[param(min_length = 1, max_length = 64)]
    area: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Divisions {
    items: Vec<Division>,
}

#[derive(Serialize, ToSchema)]
struct Division {
    /// The national statistical code: one lies inside another exactly when its code starts with the other's.
    code: String,
    /// `city`, `district`, `street` or `community`.
    level: String,
    name: String,
    name_en: Option<String>,
    parent: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Units {
    items: Vec<Unit>,
}

#[derive(Serialize, ToSchema)]
struct Unit {
    code: String,
    name: String,
    name_en: String,
    division: String,
    /// The kind of office; `desk` is a division's own desk.
    office: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ContactCadres {
    items: Vec<ContactCadre>,
}

#[derive(Serialize, ToSchema)]
struct ContactCadre {
    id: Uuid,
    name: String,
    name_en: String,
    /// The division they work for.
    area: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Categories {
    /// Version of the policy they come from.
    policy: String,
    items: Vec<Category>,
}

#[derive(Serialize, ToSchema)]
struct Category {
    id: String,
    name: String,
    name_en: String,
    class: AppealClass,
    /// The kind of office that handles it.
    office: String,
    /// Closed with an after-photo or the reason why there is none.
    place_bound: bool,
    /// Whoever is about to report the same may be told that there is an open case.
    shared: bool,
    /// Set where life or supply is in danger: hours round the clock to the result.
    hours: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Materials {
    /// Version of the policy they come from.
    policy: String,
    items: Vec<Material>,
}

#[derive(Serialize, ToSchema)]
struct Material {
    id: String,
    name: String,
    name_en: String,
    /// Has to be described in words each time.
    described: bool,
}

/// Both names of a family member of the catalogues, such as `category-street-lights`.
fn names(family: &str, id: &str) -> (String, String) {
    let key = format!("{family}-{}", id.replace('_', "-"));
    (t(Locale::ZhCn, &key), t(Locale::En, &key))
}

/// Divisions
#[utoipa::path(
    get, path = "/api/v1/divisions", tag = "reference", security(()), params(Inside),
    responses((status = 200, description = "The divisions directly inside.", body = Divisions), Always, UnknownCode),
)]
pub(crate) async fn divisions(
    State(api): State<Api>,
    Params(inside): Params<Inside>,
) -> Result<Json<Divisions>, Failure> {
    let directory = api.casework.directory();
    let found = match &checked_code("parent", inside.parent)? {
        None => directory.cities(),
        Some(parent) if directory.division(parent).is_none() => {
            return Err(Failure::field("parent", Fault::Unknown));
        }
        Some(parent) => directory.children(parent),
    };
    let items = found.into_iter().map(|division| Division {
        code: division.code,
        level: division.level,
        name: division.name,
        name_en: division.name_en,
        parent: division.parent_code,
    });
    Ok(Json(Divisions {
        items: items.collect(),
    }))
}

/// Units
///
/// The desks and offices inside a division, to assign and hand over to.
#[utoipa::path(
    get, path = "/api/v1/units", tag = "reference", security(("bearer" = [])), params(Area),
    responses((status = 200, description = "The units inside.", body = Units), Always, SignInNeeded, UnknownCode),
)]
pub(crate) async fn units(
    State(api): State<Api>,
    caller: Caller,
    Params(area): Params<Area>,
) -> Result<Json<Units>, Failure> {
    let area = known_area(&api, &caller, area)?;
    let items = api
        .casework
        .directory()
        .units_in(&area)
        .into_iter()
        .map(|unit| Unit {
            code: unit.code,
            name: unit.name,
            name_en: unit.name_en,
            division: unit.division,
            office: unit.office,
        });
    Ok(Json(Units {
        items: items.collect(),
    }))
}

/// Contact cadres
///
/// Who can be named in `contact_cadre` when a case is assigned.
#[utoipa::path(
    get, path = "/api/v1/contact-cadres", tag = "reference", security(("bearer" = [])), params(Area),
    responses(
        (status = 200, description = "The contact cadres inside.", body = ContactCadres),
        Always, SignInNeeded, UnknownCode,
    ),
)]
pub(crate) async fn contact_cadres(
    State(api): State<Api>,
    caller: Caller,
    Params(area): Params<Area>,
) -> Result<Json<ContactCadres>, Failure> {
    let area = known_area(&api, &caller, area)?;
    let items = api
        .casework
        .directory()
        .contact_cadres_in(&area)
        .into_iter()
        .map(|cadre| ContactCadre {
            id: cadre.id,
            name: cadre.name,
            name_en: cadre.name_en,
            area: cadre.area,
        });
    Ok(Json(ContactCadres {
        items: items.collect(),
    }))
}

fn known_area(api: &Api, caller: &Caller, area: Area) -> Result<String, Failure> {
    let member = &caller.signed_in()?.member;
    match checked_code("area", area.area)? {
        None => Ok(member.area.0.clone()),
        Some(area) if api.casework.directory().division(&area).is_some() => Ok(area),
        Some(_) => Err(Failure::field("area", Fault::Unknown)),
    }
}

/// Categories
#[utoipa::path(
    get, path = "/api/v1/categories", tag = "reference", security(()),
    responses((status = 200, description = "The categories of the policy in force.", body = Categories), Always),
)]
pub(crate) async fn categories(State(api): State<Api>) -> Json<Categories> {
    let policy = &api.casework.rules().policy;
    let items = policy.categories.iter().map(|category| {
        let (name, name_en) = names("category", &category.id);
        Category {
            id: category.id.clone(),
            name,
            name_en,
            class: category.class.into(),
            office: category.office.clone(),
            place_bound: category.place_bound,
            shared: category.shared,
            hours: category.hours,
        }
    });
    Json(Categories {
        policy: policy.version.clone(),
        items: items.collect(),
    })
}

/// Kinds of papers that can be asked for
#[utoipa::path(
    get, path = "/api/v1/materials", tag = "reference", security(()),
    responses((status = 200, description = "The kinds of papers of the policy in force.", body = Materials), Always),
)]
pub(crate) async fn materials(State(api): State<Api>) -> Json<Materials> {
    let policy = &api.casework.rules().policy;
    let items = policy.materials.iter().map(|material| {
        let (name, name_en) = names("material", &material.id);
        Material {
            id: material.id.clone(),
            name,
            name_en,
            described: material.described,
        }
    });
    Json(Materials {
        policy: policy.version.clone(),
        items: items.collect(),
    })
}
