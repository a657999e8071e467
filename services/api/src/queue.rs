//! The queue: open cases by time left.

use crate::{
    Api,
    caller::Caller,
    extract::{Params, after, checked_instant, limit},
    problem::Failure,
    values::{Always, AppealClass, Deadline, Forbidden, FreeText, Kind, SignInNeeded, Stage, UnitRef},
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use onetrip_casework::{Casework, QueueItem};
use onetrip_http_kit::Cursor;
use onetrip_model::access::StaffMember;
use onetrip_read_models::queue::{self, QueueCursor, QueueFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    stage: Option<Stage>,
    kind: Option<Kind>,
    /// Of what one may see, only one's own: of one's contact districts, or what one's unit holds or is offered.
    #[param(inline)]
    mine: Option<Mine>,
    /// Only what was escalated for the result that is owed.
    #[serde(default)]
    escalated: bool,
    /// `next` of the page before.
    #[param(max_length = 512)]
    after: Option<String>,
    /// Rows of a page; 25 if left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Mine {
    ContactDistrict,
    Unit,
}

impl Mine {
    fn filter(self, member: &StaffMember) -> queue::Mine {
        match (self, &member.unit) {
            (Mine::Unit, Some(unit)) => queue::Mine::Unit(unit.0.clone()),
            // Without a unit there is nothing that it holds.
            (Mine::Unit, None) => queue::Mine::ContactDistricts(Vec::new()),
            (Mine::ContactDistrict, _) => queue::Mine::districts(member),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct QueuePage {
    /// Shortest time left first; with nothing due last.
    items: Vec<QueueLine>,
    /// `after` of the next page; null on the last.
    next: Option<String>,
    /// Cases that the filter leaves.
    count: u64,
    /// Of these, how many are past their limit.
    overdue: u64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct QueueLine {
    #[schema(pattern = r"^\d{4}-\d{4}-\d{4}$")]
    number: String,
    #[schema(minimum = 1)]
    version: u64,
    kind: Kind,
    class: Option<AppealClass>,
    category: String,
    stage: Stage,
    unit: Option<UnitRef>,
    offered_to: Option<UnitRef>,
    /// The redo has gone to the supervisor, who alone may assign it again.
    with_supervisor: bool,
    division: String,
    contact_district: Option<String>,
    words: FreeText,
    place_words: Option<String>,
    submitted_at: DateTime<Utc>,
    /// What is due next, and when; null where nothing is.
    due: Option<Due>,
    result_due: Option<Deadline>,
    /// The tier that it was escalated to: `city`, `district` or `street`.
    escalated_to: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Due {
    at: DateTime<Utc>,
    what: DueWhat,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DueWhat {
    /// First real contact with the resident.
    Contact,
    Result,
    /// The resident's answer to a request.
    Answer,
    /// The resident's verdict.
    Verdict,
    /// The decision of a review.
    Review,
    /// What a reply has promised.
    Promise,
    /// An owner for a bad rating.
    RatingOwner,
}

impl QueueLine {
    pub fn of(casework: &Casework, item: QueueItem) -> QueueLine {
        let place_words = item.place_words().map(str::to_owned);
        let (entry, filed) = (item.entry, item.filed);
        let due = entry.due_at.map(|at| {
            let what = match entry.due_what.as_deref() {
                Some("contact") => DueWhat::Contact,
                Some("answer") => DueWhat::Answer,
                Some("verdict") => DueWhat::Verdict,
                Some("review") => DueWhat::Review,
                Some("promise") => DueWhat::Promise,
                Some("rating_owner") => DueWhat::RatingOwner,
                _ => DueWhat::Result,
            };
            Due { at, what }
        });
        let result_clock = filed.result_clock();
        let result_due = result_clock.map(|clock| Deadline::from(&clock.deadline));
        QueueLine {
            number: item.number.to_string(),
            version: entry.version,
            kind: filed.kind.into(),
            class: filed.class.map(AppealClass::from),
            stage: Stage::named(filed.stage.name()),
            unit: entry.standing.unit.map(|unit| UnitRef::of(casework, &unit)),
            offered_to: entry.standing.offered_to.map(|unit| UnitRef::of(casework, &unit)),
            with_supervisor: entry.standing.with_supervisor,
            division: filed.division.0,
            contact_district: filed.contact_district.map(|district| district.0),
            category: filed.category,
            place_words,
            words: item.words.into(),
            submitted_at: entry.submitted_at,
            due,
            result_due,
            escalated_to: entry.escalated_to,
        }
    }
}

/// The queue
///
/// Open cases inside what the signed-in person may see, and ended ones on which something is still owed: what the reply
/// promised, or an owner for a bad rating.
#[utoipa::path(
    get, path = "/api/v1/queue", tag = "cases", security(("bearer" = [])), params(Filter),
    responses((status = 200, description = "A page of the queue.", body = QueuePage), Always, SignInNeeded, Forbidden),
)]
pub(crate) async fn queue(
    State(api): State<Api>,
    caller: Caller,
    Params(filter): Params<Filter>,
) -> Result<Json<QueuePage>, Failure> {
    let member = &caller.signed_in()?.member;
    let limit = limit(filter.limit)?;
    let after: Option<(Option<DateTime<Utc>>, Uuid)> = after(filter.after.as_deref())?;
    let after = match after {
        None => None,
        Some((due_at, case)) => Some(QueueCursor {
            due_at: due_at.map(checked_instant).transpose()?,
            case,
        }),
    };
    let wanted = QueueFilter {
        mine: filter.mine.map(|mine| mine.filter(member)),
        stage: filter.stage.map(|stage| stage.as_str().to_owned()),
        kind: filter.kind.map(|kind| kind.as_str().to_owned()),
        escalated: filter.escalated,
        ..QueueFilter::default()
    };
    let found = api
        .casework
        .queue(&caller.actor(), &wanted, after, limit.into())
        .await?;
    Ok(Json(QueuePage {
        items: found
            .page
            .items
            .into_iter()
            .map(|item| QueueLine::of(&api.casework, item))
            .collect(),
        next: found
            .page
            .next
            .map(|cursor| Cursor((cursor.due_at, cursor.case)).to_string()),
        count: found.count,
        overdue: found.overdue,
    }))
}
