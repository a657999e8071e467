//! A case as staff work on it.

use super::{
    failure::PageError,
    staff_queue::{marks, row},
    visit::{Visit, page},
    words::{self, Side},
};
use crate::views::{
    Act as ActView, ActSection, Choice, Errors, QueueRow, ResidentContact, StaffCasePage, TypedValues,
};
use axum::{
    extract::{Path, Query},
    response::Response,
};
use onetrip_casework::{CaseView, CaseworkError};
use onetrip_model::{
    CaseNumber, Refusal,
    access::{Act, is_shared},
    case::{Filed, ReviewDecision, RunOnceLimit, Stage},
    clocks::ClockKind,
};
use serde::Deserialize;
use uuid::Uuid;

/// Last parts of the addresses of acts.
const ACTS: [&str; 24] = [
    "accept",
    "decline",
    "assign",
    "follow-up",
    "materials",
    "trip",
    "waive",
    "hand-over",
    "take-over",
    "return",
    "take-back",
    "result",
    "close",
    "law-pause",
    "law-pause-end",
    "extend",
    "joint",
    "contribute",
    "keep-promise",
    "own-rating",
    "decide-review",
    "merge",
    "unmerge",
    "urge",
];

#[derive(Deserialize)]
pub(super) struct CaseQuery {
    #[serde(default)]
    act: String,
    #[serde(default)]
    done: String,
    /// Number of the case that this one is to be handled with.
    #[serde(default)]
    into: String,
}

pub(super) async fn show(
    visit: Visit,
    Path(digits): Path<String>,
    Query(query): Query<CaseQuery>,
) -> Result<Response, PageError> {
    let member = visit.member()?;
    let number: CaseNumber = digits
        .parse()
        .map_err(|_| PageError::from(CaseworkError::NotFound))?;
    let case = visit.casework().case(&member, &number).await?;
    let duplicates = match visit.casework().possible_duplicates(&member, &number).await {
        Ok(duplicates) => duplicates,
        // They are a help: the case is shown without them too.
        Err(error) => {
            tracing::warn!(case.number = %number, %error, "possible duplicates could not be looked for");
            Vec::new()
        }
    };
    let mut view = case_page(
        &visit,
        &case,
        Errors::default(),
        TypedValues::of_one("merge-into", query.into),
        Some(query.act),
    );
    let mergeable = view
        .acts
        .iter()
        .any(|section| matches!(section.act, ActView::Merge));
    let merge_href = |number: &CaseNumber| {
        let (own, other) = (digits.as_str(), number.digits());
        format!("/staff/case/{own}?act=merge&into={other}#act-merge")
    };
    view.duplicates = duplicates
        .iter()
        // What is handled together already is named at the side.
        .filter(|item| {
            let together = &case.together;
            !together.members.contains(&item.number) && together.lead.as_ref() != Some(&item.number)
        })
        .map(|item| QueueRow {
            merge_href: (mergeable && item.filed.owes_result() && !item.filed.is_merged())
                .then(|| merge_href(&item.number)),
            ..row(&visit, item)
        })
        .collect();
    if let Some(act) = ACTS.iter().find(|act| **act == query.done) {
        let act = visit.t(&format!("act-{act}"));
        view.done = Some(view.ui.t1("done-act", "act", act));
    } else if query.done == "pending" {
        view.done = Some(visit.t("done-pending"));
    }
    page(&view)
}

/// The page, also for a form that came back.
pub(super) fn case_page(
    visit: &Visit,
    case: &CaseView,
    errors: Errors,
    typed: TypedValues,
    open_act: Option<String>,
) -> StaffCasePage {
    let (locale, directory) = (visit.locale(), visit.casework().directory());
    let ui = visit.ui_at(&format!("/staff/case/{}", case.number.digits()));
    let filed = &case.file.filed;
    let (status, tone) = words::status(locale, filed.stage.name(), filed.rounds);
    let place_words = case.place_words.as_ref().map(|place| words::text(locale, place));
    let submission_photos: Vec<Uuid> = case.file.attachments.iter().map(|photo| photo.id).collect();
    let cadre = filed.contact_cadre.and_then(|cadre| directory.staff(cadre));
    StaffCasePage {
        errors,
        number: case.number.to_string(),
        version: case.file.version,
        idempotency_key: Uuid::new_v4().to_string(),
        kind: words::kind(filed.kind),
        class: filed
            .class
            .map(|class| visit.t(&format!("class-{}", class.as_str()))),
        category: words::category(locale, &filed.category),
        place: words::place(directory, locale, filed.division.as_str(), place_words.as_deref()),
        words: words::text(locale, &case.words),
        photos: words::photos(&ui, Side::Staff, &case.number, &submission_photos),
        status,
        tone,
        marks: marks(visit, filed),
        holder: words::holder(directory, locale, &filed.stage),
        contact_cadre: cadre.map(|cadre| words::pick(locale, cadre.name, cadre.name_en)),
        unnamed: case.unnamed,
        contact: case.contact.as_ref().map(|contact| ResidentContact {
            name: contact.name.clone(),
            phone: contact.phone.clone(),
        }),
        clocks: words::clocks(locale, case),
        result: words::result(visit, &ui, Side::Staff, case),
        rating: words::rating(visit, case),
        duplicates: Vec::new(),
        members: case.together.members.iter().map(ToString::to_string).collect(),
        timeline: words::timeline(visit, &ui, Side::Staff, case),
        ledger: words::ledger(locale, &case.ledger, case),
        held: words::held(directory, locale, filed, ui.now, Side::Staff),
        acts: sections(visit, case, &typed),
        open_act,
        typed,
        done: None,
        ui,
    }
}

/// The acts this person may do at this stage, each with what its form needs or the rule that stands in the way.
fn sections(visit: &Visit, case: &CaseView, typed: &TypedValues) -> Vec<ActSection> {
    let filed = &case.file.filed;
    let may = |act| case.allowed.contains(&act);
    let mut sections = Vec::new();
    let working = matches!(filed.stage, Stage::Handling { offered: None, .. });
    let assign = || ActView::Assign {
        cadres: cadres(visit, filed),
        units: assignable(visit, filed, typed),
    };
    match &filed.stage {
        // Only the supervisor says whose it is.
        Stage::Submitted { offered: None, .. } if filed.with_supervisor => {
            sections.extend(may(Act::Assign).then(|| free(assign())));
        }
        Stage::Submitted { offered: None, .. } => {
            if may(Act::Accept) {
                sections.push(free(ActView::Accept));
            }
            if may(Act::Decline) {
                sections.push(free(ActView::Decline {
                    owners: units(visit, filed, "decline-next_owner", typed, true),
                }));
            }
        }
        Stage::Submitted { offered: Some(_), .. } | Stage::Handling { offered: Some(_), .. }
            if may(Act::TakeOver) =>
        {
            let from = words::holder(visit.casework().directory(), visit.locale(), &filed.stage);
            sections.push(free(ActView::TakeOver { from }));
            sections.push(free(ActView::Return));
        }
        // The holder, or the supervisor: without them nobody could move a case whose offer is never answered.
        Stage::Submitted {
            offered: Some(to), ..
        }
        | Stage::Handling {
            offered: Some(to), ..
        } if may(Act::ReturnHandOver) => {
            let to = words::unit(visit.casework().directory(), visit.locale(), to.as_str());
            sections.push(free(ActView::TakeBack { to }));
        }
        Stage::Accepted { .. } if may(Act::Assign) => {
            sections.push(free(assign()));
        }
        _ => {}
    }
    sections.extend(duties(visit, case, typed));
    if working && may(Act::GiveResult) {
        sections.push(free(ActView::Result {
            place_bound: filed.place_bound,
            shared: told_to_others(visit, case),
        }));
    }
    if may(Act::FollowUp) && !matches!(filed.stage, Stage::Withdrawn { .. }) {
        sections.push(free(ActView::FollowUp {
            kinds: follow_ups(visit, filed),
        }));
    }
    if working && may(Act::RequestMaterials) {
        let refused = filed.request_refused(visit.casework().rules(), visit.casework().now());
        sections.push(ActSection {
            refused: refused.map(|refusal| words::refusal(visit, &refusal)),
            act: materials(visit, filed, typed),
        });
    }
    if matches!(filed.stage, Stage::Accepted { .. } | Stage::Handling { .. }) && may(Act::AskTrip) {
        let refused = filed.trip_refused(visit.casework().rules());
        let refused = refused.map(|refusal| words::refusal(visit, &refusal));
        sections.push(ActSection {
            act: ActView::Trip,
            refused,
        });
    }
    if working && may(Act::OfferHandOver) {
        sections.push(free(ActView::HandOver {
            units: units(visit, filed, "hand-over-unit", typed, false),
        }));
    }
    // The supervisor moves it where a hand-over finds no taker.
    if working && may(Act::Assign) {
        sections.push(free(assign()));
    }
    if !filed.stage.has_ended() && may(Act::WaiveLimit) {
        let chosen = |limit: &RunOnceLimit| typed.is("waive-limit", limit.as_str());
        let limit = |limit: RunOnceLimit| {
            let label = visit.t(&format!("waive-{}", limit.as_str().replace('_', "-")));
            Choice::new(limit.as_str(), label, chosen(&limit))
        };
        sections.push(free(ActView::Waive {
            limits: RunOnceLimit::ALL.into_iter().map(limit).collect(),
        }));
    }
    if let (Stage::ResultGiven { .. }, Some(until)) = (&filed.stage, filed.verdict_until())
        && may(Act::CloseUnrated)
    {
        let refusal = Refusal::WindowOpen { until };
        let refused = (visit.casework().now() <= until).then(|| words::refusal(visit, &refusal));
        sections.push(ActSection {
            act: ActView::Close,
            refused,
        });
    }
    sections.extend(special(visit, case, typed));
    sections
}

/// Whether what is written here is read by others than its resident: those whose cases are handled with it, now or by the
/// time it is sent.
fn told_to_others(visit: &Visit, case: &CaseView) -> bool {
    !case.together.members.is_empty() || is_shared(&visit.casework().rules().policy, &case.file.filed)
}

/// What somebody waits for, beside the plain road: it comes first in the bar.
fn duties(visit: &Visit, case: &CaseView, typed: &TypedValues) -> Vec<ActSection> {
    let filed = &case.file.filed;
    let may = |act| case.allowed.contains(&act);
    let runs = |kind| filed.clocks.running(kind).is_some();
    let mut acts = Vec::new();
    if matches!(filed.stage, Stage::UnderReview { .. }) && may(Act::DecideReview) {
        let decisions = ReviewDecision::ALL.map(ReviewDecision::as_str);
        acts.push(ActView::DecideReview {
            decisions: choices(visit, typed, "decide-review-decision", "decision", &decisions),
        });
    }
    if matches!(filed.stage, Stage::LawPause { .. }) && may(Act::EndLawPause) {
        acts.push(ActView::LawPauseEnd);
    }
    if runs(ClockKind::Promise) && may(Act::KeepPromise) {
        acts.push(ActView::KeepPromise {
            promised: words::promised(visit, case).unwrap_or_default(),
        });
    }
    if runs(ClockKind::RatingOwner) && may(Act::OwnRating) {
        acts.push(ActView::OwnRating);
    }
    acts.into_iter().map(free).collect()
}

/// Acts beside the plain road: pauses, units and cases that go together, supervision.
fn special(visit: &Visit, case: &CaseView, typed: &TypedValues) -> Vec<ActSection> {
    let filed = &case.file.filed;
    let may = |act| case.allowed.contains(&act);
    let ended = filed.stage.has_ended();
    let handling = matches!(filed.stage, Stage::Handling { offered: None, .. });
    let mergeable = handling
        || matches!(
            filed.stage,
            Stage::Submitted { offered: None, .. } | Stage::Accepted { .. }
        ) && !filed.with_supervisor;
    let mut acts = Vec::new();
    if !ended && !filed.joint_units.is_empty() && may(Act::Contribute) {
        acts.push(ActView::Contribute);
    }
    if (handling || matches!(filed.stage, Stage::UnderReview { .. })) && may(Act::BeginLawPause) {
        acts.push(ActView::LawPause {
            kinds: choices(
                visit,
                typed,
                "law-pause-kind",
                "law-pause",
                &["hearing", "expert"],
            ),
        });
    }
    if handling && may(Act::OrderJointHandling) {
        let mut units = units(visit, filed, "joint-units", typed, false);
        for unit in &mut units {
            let is_joint = |joint: &onetrip_model::UnitCode| joint.as_str() == unit.value;
            unit.chosen |= filed.joint_units.iter().any(is_joint);
        }
        acts.push(ActView::Joint { units });
    }
    if mergeable && !filed.is_redo && may(Act::Merge) {
        acts.push(ActView::Merge);
    }
    if let (Stage::Merged { into_number, .. }, true) = (&filed.stage, may(Act::Unmerge)) {
        acts.push(ActView::Unmerge {
            into: into_number.to_string(),
        });
    }
    let legal = filed.clocks.running(ClockKind::Legal);
    if legal.is_some_and(|clock| clock.extended == 0) && may(Act::ExtendLegalLimit) {
        acts.push(ActView::Extend {
            max: visit.casework().rules().policy.legal.extension_days_max,
        });
    }
    if !ended && may(Act::Urge) {
        acts.push(ActView::Urge);
    }
    acts.into_iter().map(free).collect()
}

fn free(act: ActView) -> ActSection {
    ActSection { act, refused: None }
}

/// What a field can be chosen to be, what was chosen before a form came back marked.
fn choices(
    visit: &Visit,
    typed: &TypedValues,
    field: &str,
    key: &str,
    values: &[&'static str],
) -> Vec<Choice> {
    let choice = |value: &&'static str| {
        let label = visit.t(&format!("{key}-{}", value.replace('_', "-")));
        Choice::new(*value, label, typed.is(field, value))
    };
    values.iter().map(choice).collect()
}

/// Units inside the case's city, the nearest first.
fn units(visit: &Visit, filed: &Filed, field: &str, typed: &TypedValues, outside: bool) -> Vec<Choice> {
    let (directory, locale) = (visit.casework().directory(), visit.locale());
    let path = directory.path(filed.division.as_str());
    let mut choices = Vec::new();
    // The street's own units, then the district's, then the city's desk; other streets by way of their district.
    for around in path.iter().rev() {
        for unit in directory
            .units_in(&around.code)
            .into_iter()
            .filter(|unit| unit.division == around.code)
        {
            if filed.stage.unit().as_str() != unit.code {
                choices.push(Choice::new(
                    &unit.code,
                    words::pick(locale, unit.name, unit.name_en),
                    typed.is(field, &unit.code),
                ));
            }
        }
    }
    if outside {
        choices.push(Choice::new(
            "outside",
            visit.t("field-next-owner-outside"),
            typed.is(field, "outside"),
        ));
    }
    choices
}

/// Units to assign to, the category's own office chosen beforehand.
fn assignable(visit: &Visit, filed: &Filed, typed: &TypedValues) -> Vec<Choice> {
    let (casework, locale) = (visit.casework(), visit.locale());
    let directory = casework.directory();
    let office = casework
        .rules()
        .policy
        .category(&filed.category)
        .map_or("services", |category| &category.office);
    let proposed = directory.office_for(filed.division.as_str(), office);
    let typed_unit = typed.of("assign-unit");
    let mut choices = units(visit, filed, "assign-unit", typed, false);
    let own = filed.stage.unit().as_str();
    choices.insert(
        0,
        Choice::new(own, words::unit(directory, locale, own), typed_unit == own),
    );
    if typed_unit.is_empty() {
        for choice in &mut choices {
            choice.chosen = proposed
                .as_ref()
                .is_some_and(|unit| unit.as_str() == choice.value);
        }
    }
    choices
}

/// The contact cadres of the street, the contact district's own chosen beforehand.
fn cadres(visit: &Visit, filed: &Filed) -> Vec<Choice> {
    let (directory, locale) = (visit.casework().directory(), visit.locale());
    let path = directory.path(filed.division.as_str());
    let street = path.iter().find(|division| division.level == "street");
    let own = filed
        .contact_district
        .as_ref()
        .and_then(|district| directory.contact_district(district.as_str()));
    let own = own
        .map(|district| district.cadre)
        .or(filed.contact_cadre.map(|cadre| cadre.0));
    let cadres = street
        .map(|street| directory.contact_cadres_in(&street.code))
        .unwrap_or_default();
    cadres
        .into_iter()
        .map(|cadre| {
            Choice::new(
                cadre.id.to_string(),
                words::pick(locale, cadre.name, cadre.name_en),
                Some(cadre.id) == own,
            )
        })
        .collect()
}

fn follow_ups(visit: &Visit, filed: &Filed) -> Vec<Choice> {
    let after_result =
        filed.rounds > 0 && !matches!(filed.stage, Stage::Handling { .. } | Stage::Accepted { .. });
    let likely = match (filed.contacted_at, after_result) {
        (None, false) => "contact",
        (_, true) => "call_back",
        _ => "progress",
    };
    ["contact", "progress", "call_back"]
        .into_iter()
        .map(|kind| {
            Choice::new(
                kind,
                visit.t(&format!("follow-up-{}", kind.replace('_', "-"))),
                kind == likely,
            )
        })
        .collect()
}

fn materials(visit: &Visit, filed: &Filed, typed: &TypedValues) -> ActView {
    let policy = &visit.casework().rules().policy;
    let chosen = typed
        .of("materials-items")
        .split(',')
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let kind = |material: &onetrip_model::policy::MaterialKind| {
        let label = visit.t(&format!("material-{}", material.id.replace('_', "-")));
        Choice::new(&material.id, label, chosen.contains(&material.id))
    };
    ActView::Materials {
        kinds: policy.materials.iter().map(kind).collect(),
        until: filed.request_until(visit.casework().rules()),
    }
}
