//! The queue by time left.

use super::{
    failure::PageError,
    visit::{Visit, page, see},
    words,
};
use crate::views::{FilterChip, FilterGroup, Kind, Mark, QueuePage, QueueRow, StartPage, Tone};
use axum::{extract::Query, response::Response};
use chrono::{DateTime, Datelike, Utc};
use onetrip_casework::{CaseworkError, QueueItem, Text};
use onetrip_model::{
    access::{Act, Actor, Role, StaffMember, authorize},
    calendar::{city_date, end_of_city_day},
};
use onetrip_read_models::queue::{Mine, QueueCursor, QueueFilter};
use serde::Deserialize;

const ROWS: i64 = 30;
/// Characters of the resident's words shown on a row.
const WORDS_CHARS: usize = 60;
/// How far ahead "due soon" looks.
const SOON_WORKING_DAYS: u32 = 3;
/// Stages that can be filtered by, in the order of the road.
const STAGES: [&str; 11] = [
    "submitted",
    "declined",
    "accepted",
    "handling",
    "awaiting_resident",
    "law_pause",
    "merged",
    "result_given",
    "review",
    "final_review",
    // On which something is still owed.
    "closed",
];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct QueueQuery {
    q: String,
    /// `district`, `unit` or `area`; the role's own where it is empty.
    scope: String,
    stage: String,
    kind: String,
    /// `1`: only what was reported up.
    escalated: String,
    after: String,
}

impl QueueQuery {
    /// The address of this list with some parts changed.
    fn href(&self, change: impl FnOnce(&mut QueueQuery)) -> String {
        let mut query = QueueQuery {
            after: String::new(),
            q: String::new(),
            ..self.clone()
        };
        change(&mut query);
        let parts = [
            ("scope", &query.scope),
            ("stage", &query.stage),
            ("kind", &query.kind),
            ("escalated", &query.escalated),
            ("after", &query.after),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", words::in_query(value)))
            .collect();
        if parts.is_empty() {
            "/staff".to_owned()
        } else {
            format!("/staff?{}", parts.join("&"))
        }
    }
}

pub(super) async fn queue(visit: Visit, Query(query): Query<QueueQuery>) -> Result<Response, PageError> {
    let actor = visit.member()?;
    let Some(member) = actor.staff().cloned() else {
        return Err(CaseworkError::NotSignedIn.into());
    };
    // Who runs the service sees no case, and comes here after signing in all the same.
    if authorize(&actor, Act::ViewQueue, None).is_err() {
        return page(&StartPage { ui: visit.ui() });
    }
    if let Some(found) = find(&visit, &actor, query.q.trim()).await? {
        return Ok(see(&found));
    }
    let scope = chosen_scope(&member, &query.scope);
    let filter = filter(&member, scope, &query);
    let casework = visit.casework();
    let listed = casework
        .queue(&actor, &filter, cursor(&query.after), ROWS)
        .await?;
    let now = casework.now();
    let calendar = &casework.rules().calendar;
    let soon = end_of_city_day(calendar.add_working_days(city_date(now), SOON_WORKING_DAYS));
    let soon_filter = QueueFilter {
        due_by: Some(soon),
        ..filter.clone()
    };
    let due_by_soon = casework.queue_count(&actor, &soon_filter).await?;
    let view = QueuePage {
        ui: visit.ui(),
        scopes: scopes(&visit, &member, scope, &query),
        filters: filters(&visit, &query),
        q: query.q.clone(),
        rows: listed.page.items.iter().map(|item| row(&visit, item)).collect(),
        total: listed.count,
        overdue: listed.overdue,
        due_soon: due_by_soon.saturating_sub(listed.overdue),
        first_href: (!query.after.is_empty()).then(|| query.href(|_| {})),
        next_href: listed
            .page
            .next
            .map(|next| query.href(|query| query.after = cursor_text(next))),
    };
    page(&view)
}

/// The address of the case that was searched for by number, ours or another system's.
async fn find(visit: &Visit, actor: &Actor, q: &str) -> Result<Option<String>, PageError> {
    let found = visit.casework().find(actor, q).await?;
    Ok(found.map(|number| format!("/staff/case/{}", number.digits())))
}

/// The scopes a role can choose between, its own first.
fn choices(member: &StaffMember) -> Vec<&'static str> {
    match member.role {
        Role::ContactCadre => vec!["district", "unit", "area"],
        Role::HandlingUnit => vec!["unit"],
        Role::Clerk => vec!["unit", "area"],
        Role::Supervisor => vec!["area"],
        Role::Administrator => vec![],
    }
}

fn chosen_scope(member: &StaffMember, asked: &str) -> &'static str {
    let choices = choices(member);
    choices
        .iter()
        .find(|choice| **choice == asked)
        .or(choices.first())
        .copied()
        .unwrap_or("area")
}

fn filter(member: &StaffMember, scope: &str, query: &QueueQuery) -> QueueFilter {
    let mine = match (scope, &member.unit) {
        ("district", _) => Some(Mine::districts(member)),
        ("unit", Some(unit)) => Some(Mine::Unit(unit.0.clone())),
        _ => None,
    };
    let known = |value: &String, among: &[&str]| among.contains(&value.as_str()).then(|| value.clone());
    QueueFilter {
        mine,
        stage: known(&query.stage, &STAGES),
        kind: known(&query.kind, &Kind::ALL.map(Kind::id)),
        escalated: query.escalated == "1",
        ..QueueFilter::default()
    }
}

fn scopes(visit: &Visit, member: &StaffMember, scope: &str, query: &QueueQuery) -> Vec<FilterChip> {
    let own = choices(member);
    let chip = |choice: &&str| FilterChip {
        label: visit.t(&format!("scope-{choice}")),
        href: query.href(|query| {
            query.scope = if own.first() == Some(choice) {
                String::new()
            } else {
                (*choice).to_owned()
            }
        }),
        on: *choice == scope,
        count: None,
    };
    own.iter().map(chip).collect()
}

fn filters(visit: &Visit, query: &QueueQuery) -> Vec<FilterGroup> {
    let locale = visit.locale();
    let stage = |stage: &&str| {
        let on = query.stage == *stage;
        FilterChip {
            label: words::status(locale, stage, 0).0,
            href: query.href(|query| query.stage = if on { String::new() } else { (*stage).to_owned() }),
            on,
            count: None,
        }
    };
    let kind = |kind: &Kind| {
        let on = query.kind == kind.id();
        FilterChip {
            label: visit.t(&format!("kind-{}", kind.slug())),
            href: query.href(|query| query.kind = if on { String::new() } else { kind.id().to_owned() }),
            on,
            count: None,
        }
    };
    let on = query.escalated == "1";
    let escalated = FilterChip {
        label: visit.t("mark-escalated"),
        href: query.href(|query| query.escalated = if on { String::new() } else { "1".to_owned() }),
        on,
        count: None,
    };
    vec![
        FilterGroup {
            label: visit.t("filter-marks"),
            chips: vec![escalated],
        },
        FilterGroup {
            label: visit.t("filter-status"),
            chips: STAGES.iter().map(stage).collect(),
        },
        FilterGroup {
            label: visit.t("filter-kind"),
            chips: Kind::ALL.iter().map(kind).collect(),
        },
    ]
}

pub(super) fn row(visit: &Visit, item: &QueueItem) -> QueueRow {
    let (locale, directory) = (visit.locale(), visit.casework().directory());
    let filed = &item.filed;
    let (status, tone) = words::status(locale, &item.entry.standing.stage, filed.rounds);
    let words = match &item.words {
        Text::Words(words) if words.chars().count() > WORDS_CHARS => {
            format!("{}…", words.chars().take(WORDS_CHARS).collect::<String>())
        }
        text => words::text(locale, text),
    };
    QueueRow {
        number: item.number.to_string(),
        href: format!("/staff/case/{}", item.number.digits()),
        kind: words::kind(filed.kind),
        category: words::category(locale, &filed.category),
        place: words::place(directory, locale, filed.division.as_str(), item.place_words()),
        words,
        status,
        tone,
        due: words::next_due(
            locale,
            item.entry.due_what.as_deref(),
            item.entry.submitted_at,
            item.entry.due_at,
        ),
        marks: marks(visit, filed),
        merge_href: None,
    }
}

/// Short marks of what the run-once rule has counted, and of what stands out.
pub(super) fn marks(visit: &Visit, filed: &onetrip_model::case::Filed) -> Vec<Mark> {
    let tally = filed.tally;
    let waived = tally.trip_waivers + tally.material_request_waivers + tally.held_paper_waivers;
    [
        (filed.escalated_to().is_some(), "mark-escalated", Tone::Bad),
        (waived > 0, "mark-breach", Tone::Bad),
        (
            // Elsewhere the status says so.
            filed.rounds > 0 && filed.stage.name() == "awaiting_resident",
            "mark-reopened",
            Tone::Warn,
        ),
        (filed.stage.offered_to().is_some(), "mark-offered", Tone::Warn),
        (tally.trips > 0, "mark-trip", Tone::Plain),
        (tally.material_requests > 0, "mark-requested", Tone::Plain),
    ]
    .into_iter()
    .filter(|(there, _, _)| *there)
    .map(|(_, key, tone)| Mark {
        label: visit.t(key),
        tone,
    })
    .collect()
}

fn cursor(text: &str) -> Option<QueueCursor> {
    let (due, case) = text.split_once('_')?;
    let due_at = match due {
        "never" => None,
        micros => Some(
            DateTime::<Utc>::from_timestamp_micros(micros.parse().ok()?)
                // What the database can hold; anything else was made up.
                .filter(|due| (1..=9999).contains(&due.year()))?,
        ),
    };
    Some(QueueCursor {
        due_at,
        case: case.parse().ok()?,
    })
}

fn cursor_text(cursor: QueueCursor) -> String {
    let due = cursor
        .due_at
        .map_or("never".to_owned(), |due| due.timestamp_micros().to_string());
    format!("{due}_{}", cursor.case)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_nobody_was_given_starts_at_the_beginning() {
        let case = uuid::Uuid::from_u128(1);
        for due in ["1790000000000000", "never"] {
            let text = format!("{due}_{case}");
            assert_eq!(cursor(&text).map(cursor_text), Some(text));
        }
        for text in [
            "-8000000000000000000",
            "8000000000000000000",
            "9223372036854775808",
            "",
        ] {
            assert_eq!(cursor(&format!("{text}_{case}")), None, "{text}");
        }
    }
}
