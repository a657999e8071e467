//! The body of a case: what its asker may see of it, as `onetrip_casework::CaseView` gives it.

use crate::{
    case_names::{ActName, VerdictName, act_name},
    timeline::{Entry, entry},
    values::{AppealClass, Deadline, FreeText, Kind, Stage, UnitRef},
};
use chrono::{DateTime, Utc};
use onetrip_casework::{CaseView, Casework};
use onetrip_model::{
    access::Actor,
    case::{Holder, Stage as CaseStage, Verdict},
};
use onetrip_read_models::run_once;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A case as its asker may see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Case {
    #[schema(pattern = r"^\d{4}-\d{4}-\d{4}$")]
    number: String,
    /// The same as the ETag.
    #[schema(minimum = 1)]
    version: u64,
    kind: Kind,
    /// Only appeals have a class.
    class: Option<AppealClass>,
    category: String,
    stage: Stage,
    /// Who has the case now: exactly one, until it has ended.
    holder: HolderNow,
    /// The unit it has been offered to and that has not taken it over yet.
    offered_to: Option<UnitRef>,
    /// Code of the division it is about.
    division: String,
    contact_district: Option<String>,
    /// For staff only.
    contact_cadre: Option<Uuid>,
    words: FreeText,
    place_words: Option<FreeText>,
    /// Closed with an after-photo or the reason why there is none.
    place_bound: bool,
    /// The resident left no way to be reached.
    unnamed: bool,
    /// How to reach the resident; null for who may not know.
    contact: Option<Contact>,
    submitted_at: DateTime<Utc>,
    accepted_at: Option<DateTime<Utc>>,
    contacted_at: Option<DateTime<Utc>>,
    resulted_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    contact_due: Option<Deadline>,
    result_due: Option<Deadline>,
    legal_due: Option<Deadline>,
    /// What the resident has been asked for and has not answered.
    open_request: Option<OpenRequest>,
    /// Until when the resident can rate the result or have it redone.
    rate_until: Option<DateTime<Utc>>,
    /// How many results have been given.
    rounds: u32,
    /// The newest verdict.
    verdict: Option<VerdictName>,
    #[schema(minimum = 1, maximum = 5)]
    score: Option<i16>,
    run_once: RunOnce,
    /// Number of the earlier case of the same matter; for staff, as phone numbers are not verified.
    previous: Option<String>,
    /// Where an imported case came from.
    source: Option<Source>,
    /// The acts that the asker is authorized for; whether the stage allows them shows when they are tried.
    allowed: Vec<ActName>,
    /// Oldest first.
    timeline: Vec<Entry>,
}

#[derive(Serialize, ToSchema)]
struct HolderNow {
    who: HolderKind,
    /// Set where a unit has it.
    unit: Option<UnitRef>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum HolderKind {
    Unit,
    Resident,
    /// It has ended.
    Nobody,
}

#[derive(Serialize, ToSchema)]
struct Contact {
    name: Option<String>,
    phone: String,
}

#[derive(Serialize, ToSchema)]
struct OpenRequest {
    /// Ids of kinds of papers, from `GET /api/v1/materials`.
    materials: Vec<String>,
    asked_at: DateTime<Utc>,
    answer_due: DateTime<Utc>,
}

/// The case's account under the run-once rule.
#[derive(Serialize, ToSchema)]
struct RunOnce {
    trips: i32,
    trips_max: i32,
    material_requests: i32,
    material_requests_max: i32,
    held_paper_waivers: i32,
    breaches: Vec<Breach>,
}

#[derive(Serialize, ToSchema)]
struct Breach {
    /// `trip`, `material_request`, `held_paper` or, for staff, `refiling`.
    row: String,
    unit: Option<UnitRef>,
    at: DateTime<Utc>,
    /// For a re-filing, the later case.
    other_number: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Source {
    system: String,
    id: Option<String>,
}

impl Case {
    pub fn of(casework: &Casework, actor: &Actor, view: CaseView) -> Case {
        let file = view.file;
        let filed = file.filed;
        let by_staff = matches!(actor, Actor::Staff(_));
        let (open_request, rate_until) = match &filed.stage {
            CaseStage::AwaitingResident { request, .. } => {
                let (asked_at, answer_due) = (request.asked_at, request.answer_due);
                (
                    Some(OpenRequest {
                        materials: request.kinds.clone(),
                        asked_at,
                        answer_due,
                    }),
                    None,
                )
            }
            CaseStage::ResultGiven { rate_until, .. } => (None, Some(*rate_until)),
            CaseStage::Closed { reopen_until, .. } => (None, *reopen_until),
            _ => (None, None),
        };
        let verdict = file.verdict.as_deref();
        let verdict = Verdict::ALL
            .into_iter()
            .find(|known| Some(known.as_str()) == verdict);
        Case {
            number: view.number.to_string(),
            version: file.version,
            kind: filed.kind.into(),
            class: filed.class.map(AppealClass::from),
            stage: Stage::named(filed.stage.name()),
            holder: holder(casework, &filed.stage),
            offered_to: UnitRef::of_code(casework, filed.stage.offered_to()),
            division: filed.division.0,
            contact_district: filed.contact_district.map(|district| district.0),
            contact_cadre: filed.contact_cadre.filter(|_| by_staff).map(|cadre| cadre.0),
            category: filed.category,
            words: view.words.into(),
            place_words: view.place_words.map(FreeText::from),
            place_bound: filed.place_bound,
            unnamed: view.unnamed,
            contact: view.contact.map(|contact| Contact {
                name: contact.name,
                phone: contact.phone,
            }),
            submitted_at: file.submitted_at,
            accepted_at: filed.accepted_at,
            contacted_at: filed.contacted_at,
            resulted_at: file.resulted_at,
            closed_at: file.closed_at,
            contact_due: file.contact_due.as_ref().map(Deadline::from),
            result_due: filed.result_due.as_ref().map(Deadline::from),
            legal_due: file.legal_due.as_ref().map(Deadline::from),
            open_request,
            rate_until,
            rounds: filed.rounds,
            verdict: verdict.map(VerdictName::from),
            score: file.score,
            run_once: run_once(
                casework,
                &view.ledger,
                view.breaches
                    .into_iter()
                    .filter(|breach| by_staff || breach.row != "refiling"),
            ),
            previous: view
                .previous
                .filter(|_| by_staff)
                .map(|number| number.to_string()),
            source: file.source_system.map(|system| Source {
                system,
                id: file.source_id,
            }),
            allowed: view.allowed.into_iter().filter_map(act_name).collect(),
            timeline: view
                .happenings
                .into_iter()
                .map(|happening| entry(casework, happening))
                .collect(),
        }
    }
}

fn holder(casework: &Casework, stage: &CaseStage) -> HolderNow {
    match stage.holder() {
        Holder::Unit(unit) => HolderNow {
            who: HolderKind::Unit,
            unit: Some(UnitRef::of(casework, unit.as_str())),
        },
        Holder::Resident => HolderNow {
            who: HolderKind::Resident,
            unit: None,
        },
        Holder::Nobody => HolderNow {
            who: HolderKind::Nobody,
            unit: None,
        },
    }
}

fn run_once(
    casework: &Casework,
    ledger: &run_once::Ledger,
    breaches: impl Iterator<Item = run_once::Breach>,
) -> RunOnce {
    let number = |digits: String| {
        digits
            .parse()
            .map_or(digits, |number: onetrip_model::CaseNumber| number.to_string())
    };
    let breaches = breaches.map(|breach| Breach {
        row: breach.row,
        unit: breach.unit.map(|unit| UnitRef::of(casework, &unit)),
        at: breach.at,
        other_number: breach.other_number.map(number),
    });
    RunOnce {
        trips: ledger.trips,
        trips_max: ledger.trips_max,
        material_requests: ledger.material_requests,
        material_requests_max: ledger.material_requests_max,
        held_paper_waivers: ledger.held_paper_waivers,
        breaches: breaches.collect(),
    }
}
