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
    case::{CaseClock, Holder, Stage as CaseStage},
    clocks::ClockKind,
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
    score: Option<u8>,
    run_once: RunOnce,
    /// Number of the earlier case of the same matter; for staff, as phone numbers are not verified.
    previous: Option<String>,
    /// For staff, the number of the case that it was merged into.
    merged_into: Option<String>,
    /// For staff, the numbers of cases that were merged into it, at most 50.
    members: Vec<String>,
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
    /// A statutory hearing or an expert.
    Law,
    /// Who reviews it, a tier up.
    Reviewer,
    /// Whoever has the case that it is merged into.
    Lead,
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
    /// What the resident has handed over and is not asked for again; for residents what this case holds.
    held_papers: Vec<HeldPaper>,
    breaches: Vec<Breach>,
}

#[derive(Serialize, ToSchema)]
struct HeldPaper {
    /// Id of a kind of paper, from `GET /api/v1/materials`.
    kind: String,
    /// The number of the case that holds it.
    held_in: String,
    held_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
struct Breach {
    /// `trip`, `material_request`, `held_paper` (each waived by a supervisor), `hand_over` (offered without a taker) or, for
    /// staff, `refiling`.
    row: String,
    /// The event of the timeline that is the breach; for a re-filing, of the later case.
    sequence: i64,
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
        let open_request = match &filed.stage {
            CaseStage::AwaitingResident { request, .. } => Some(OpenRequest {
                materials: request.kinds.clone(),
                asked_at: request.asked_at,
                answer_due: filed.due_at(ClockKind::Materials).unwrap_or(request.asked_at),
            }),
            _ => None,
        };
        let rate_until = filed.verdict_until().filter(|_| filed.has_result());
        let due = |clock: Option<&CaseClock>| clock.map(|clock| Deadline::from(&clock.deadline));
        let contact_due = due(filed.clocks.get(ClockKind::Contact));
        let result_due = due(filed.result_clock());
        let legal_due = due(filed.clocks.get(ClockKind::Legal));
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
            resulted_at: file.outcome.resulted_at,
            closed_at: file.outcome.closed_at,
            contact_due,
            result_due,
            legal_due,
            open_request,
            rate_until,
            rounds: filed.rounds,
            verdict: file.outcome.verdict.map(VerdictName::from),
            score: file.outcome.score,
            run_once: run_once(casework, &view.ledger, view.held, view.breaches),
            previous: view.previous.map(|number| number.to_string()),
            merged_into: view.together.lead.map(|number| number.to_string()),
            members: view.together.members.iter().map(ToString::to_string).collect(),
            source: file.source.map(|source| Source {
                system: source.system,
                id: Some(source.id),
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
    let (who, unit) = match stage.holder() {
        Holder::Unit(unit) => (HolderKind::Unit, Some(UnitRef::of(casework, unit.as_str()))),
        Holder::Resident => (HolderKind::Resident, None),
        Holder::Law => (HolderKind::Law, None),
        Holder::Reviewer => (HolderKind::Reviewer, None),
        Holder::Lead(_) => (HolderKind::Lead, None),
        Holder::Nobody => (HolderKind::Nobody, None),
    };
    HolderNow { who, unit }
}

fn run_once(
    casework: &Casework,
    ledger: &run_once::Ledger,
    held: Vec<run_once::Held>,
    breaches: Vec<run_once::Breach>,
) -> RunOnce {
    let number = |digits: String| {
        digits
            .parse()
            .map_or(digits, |number: onetrip_model::CaseNumber| number.to_string())
    };
    let held = held.into_iter().map(|held| HeldPaper {
        kind: held.paper.kind,
        held_in: held.paper.held_in.to_string(),
        held_at: held.held_at,
    });
    let breaches = breaches.into_iter().map(|breach| Breach {
        row: breach.row,
        sequence: breach.sequence,
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
        held_papers: held.collect(),
        breaches: breaches.collect(),
    }
}
