//! What happened, in words: events, statuses, places, offices and refusals of one case for one reader.

use super::visit::Visit;
use crate::proof::{clock_name, sentences};
use crate::views::{
    Choice, ChoiceGroup, Due, Errors, HeldRow, Kind, LedgerRow, Photo, RatingView, ResultView, TimelineEntry,
    Tone, Ui,
};
use chrono::{DateTime, TimeDelta, Utc};
use onetrip_casework::{
    CaseView, Casework, CaseworkError, Directory, Fault, Happening, PhotoFault, Progress, Text,
};
use onetrip_http_kit::FieldError;
use onetrip_i18n::{Arg, Locale, t, t_args};
use onetrip_model::{
    By, CaseFact, CaseKind, CaseNumber, Refusal, Tier,
    calendar::ChangedDay,
    case::{
        CaseClock, CloseReason, Filed, FollowUpKind, Holder, LawPause, PlaceEvidence, ReviewDecision,
        ReviewLevel, Stage,
    },
    clocks::ClockKind,
};
use onetrip_read_models::run_once::Ledger;

pub(super) fn kind(kind: CaseKind) -> Kind {
    match kind {
        CaseKind::Appeal => Kind::Appeal,
        CaseKind::Suggestion => Kind::Suggestion,
        CaseKind::HearingRequest => Kind::HearingRequest,
    }
}

pub(super) fn case_kind(kind: Kind) -> CaseKind {
    match kind {
        Kind::Appeal => CaseKind::Appeal,
        Kind::Suggestion => CaseKind::Suggestion,
        Kind::HearingRequest => CaseKind::HearingRequest,
    }
}

/// A name in the reader's language.
pub(super) fn pick(locale: Locale, zh: String, en: String) -> String {
    match locale {
        Locale::ZhCn => zh,
        Locale::En => en,
    }
}

pub(super) fn unit(directory: &Directory, locale: Locale, code: &str) -> String {
    directory
        .unit(code)
        .map_or_else(|| code.to_owned(), |unit| pick(locale, unit.name, unit.name_en))
}

pub(super) fn division(directory: &Directory, locale: Locale, code: &str) -> String {
    directory.division(code).map_or_else(
        || code.to_owned(),
        |division| {
            pick(
                locale,
                division.name.clone(),
                division.name_en.unwrap_or(division.name),
            )
        },
    )
}

/// Street and community, the city left out: everybody here knows it.
pub(super) fn division_path(directory: &Directory, locale: Locale, code: &str) -> String {
    let path = directory.path(code);
    let names: Vec<String> = path
        .iter()
        .skip(usize::from(path.len() > 1))
        .map(|part| {
            pick(
                locale,
                part.name.clone(),
                part.name_en.clone().unwrap_or_else(|| part.name.clone()),
            )
        })
        .collect();
    match locale {
        Locale::ZhCn => names.concat(),
        Locale::En => names.into_iter().rev().collect::<Vec<_>>().join(", "),
    }
}

pub(super) fn place(directory: &Directory, locale: Locale, code: &str, words: Option<&str>) -> String {
    let around = division_path(directory, locale, code);
    match words {
        Some(words) if !words.is_empty() => format!("{around} · {words}"),
        _ => around,
    }
}

/// A category's name; that of another system's stands for itself.
pub(super) fn category(locale: Locale, id: &str) -> String {
    let key = format!("category-{}", id.replace('_', "-"));
    if onetrip_i18n::has(locale, &key) {
        t(locale, &key)
    } else {
        id.to_owned()
    }
}

/// The categories under the offices that handle them.
pub(super) fn categories(casework: &Casework, locale: Locale, chosen: &str) -> Vec<ChoiceGroup> {
    let mut groups: Vec<(String, ChoiceGroup)> = Vec::new();
    for found in &casework.rules().policy.categories {
        let choice = Choice::new(&found.id, category(locale, &found.id), found.id == chosen);
        match groups.iter_mut().find(|(office, _)| *office == found.office) {
            Some((_, group)) => group.choices.push(choice),
            None => {
                let label = t(locale, &format!("category-group-{}", found.office));
                groups.push((
                    found.office.clone(),
                    ChoiceGroup {
                        label,
                        choices: vec![choice],
                    },
                ));
            }
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Where a case stands, in words and colour.
pub(super) fn status(locale: Locale, stage: &str, rounds: u32) -> (String, Tone) {
    let (key, tone) = match stage {
        "submitted" => ("status-submitted", Tone::Plain),
        "declined" => ("status-offered", Tone::Warn),
        "accepted" | "handling" if rounds > 0 => ("status-reopened", Tone::Warn),
        "accepted" => ("status-accepted", Tone::Active),
        "handling" => ("status-handling", Tone::Active),
        "awaiting_resident" => ("status-awaiting-resident", Tone::Warn),
        "law_pause" => ("status-law-pause", Tone::Warn),
        "result_given" => ("status-result-given", Tone::Good),
        "review" => ("status-review", Tone::Active),
        "final_review" => ("status-final-review", Tone::Active),
        "merged" => ("status-merged", Tone::Active),
        "closed" => ("status-closed", Tone::Good),
        _ => ("status-withdrawn", Tone::Plain),
    };
    (t(locale, key), tone)
}

pub(super) fn progress_key(progress: Progress) -> &'static str {
    match progress {
        Progress::Received => "progress-received",
        Progress::Handling => "progress-handling",
    }
}

/// Who has it now, told to the resident.
pub(super) fn holder_told(directory: &Directory, locale: Locale, stage: &Stage) -> String {
    match stage.holder() {
        Holder::Resident => t(locale, "holder-you"),
        _ => holder(directory, locale, stage),
    }
}

/// Who has it now, and whom to ask where that is nobody who can be asked.
pub(super) fn holder(directory: &Directory, locale: Locale, stage: &Stage) -> String {
    let holder = stage.holder();
    let name = holder_name(directory, locale, &holder);
    match holder {
        Holder::Law | Holder::Reviewer | Holder::Lead(_) => {
            let unit = unit(directory, locale, stage.unit().as_str());
            t_args(
                locale,
                "holder-and-unit",
                &[("holder", name.into()), ("unit", unit.into())],
            )
        }
        Holder::Unit(_) | Holder::Resident | Holder::Nobody => name,
    }
}

fn holder_name(directory: &Directory, locale: Locale, holder: &Holder) -> String {
    match holder {
        Holder::Unit(code) => unit(directory, locale, code.as_str()),
        Holder::Resident => t(locale, "holder-resident"),
        Holder::Law => t(locale, "holder-law"),
        Holder::Reviewer => t(locale, "holder-reviewer"),
        Holder::Lead(_) => t(locale, "holder-lead"),
        Holder::Nobody => t(locale, "holder-nobody"),
    }
}

/// Free text, or the sentence that says it was erased. What the service itself wrote, in the reader's language.
pub(super) fn text(locale: Locale, text: &Text) -> String {
    match text {
        Text::Words(words) => {
            onetrip_casework::by_the_service(words, locale).unwrap_or_else(|| words.clone())
        }
        Text::Erased => t(locale, "text-erased"),
    }
}

/// Where photos of this case are shown from.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Resident,
    Staff,
}

pub(super) fn photos(ui: &Ui, side: Side, number: &CaseNumber, ids: &[uuid::Uuid]) -> Vec<Photo> {
    let base = match side {
        Side::Resident => format!("/case/{}/photo/", number.digits()),
        Side::Staff => format!("/staff/case/{}/photo/", number.digits()),
    };
    ids.iter()
        .zip(1_u64..)
        .map(|(id, n)| Photo {
            id: id.to_string(),
            url: format!("{base}{id}"),
            alt: ui.t1("photo-n", "n", n),
        })
        .collect()
}

fn event_key(fact: &CaseFact) -> (&'static str, Tone) {
    match fact {
        CaseFact::CaseSubmitted(_) => ("event-submitted", Tone::Plain),
        CaseFact::SupplementAdded {
            from_filing: true, ..
        } => ("event-joined", Tone::Plain),
        CaseFact::SupplementAdded { .. } => ("event-supplement", Tone::Plain),
        CaseFact::CaseAccepted { .. } => ("event-accepted", Tone::Active),
        CaseFact::CaseDeclined { .. } => ("event-declined", Tone::Warn),
        CaseFact::CaseAssigned { .. } => ("event-assigned", Tone::Active),
        CaseFact::HandOverOffered { .. } => ("event-hand-over-offered", Tone::Plain),
        CaseFact::HandOverTaken { .. } => ("event-hand-over-taken", Tone::Active),
        CaseFact::HandOverReturned { .. } => ("event-hand-over-returned", Tone::Warn),
        CaseFact::FollowUpRecorded { kind, reached, .. } => match (kind, reached) {
            (FollowUpKind::Contact, true) => ("event-follow-up-contact", Tone::Active),
            (FollowUpKind::Contact, false) => ("event-follow-up-contact-missed", Tone::Warn),
            (FollowUpKind::Progress, _) => ("event-follow-up-progress", Tone::Plain),
            (FollowUpKind::CallBack, true) => ("event-follow-up-call-back", Tone::Active),
            (FollowUpKind::CallBack, false) => ("event-follow-up-call-back-missed", Tone::Warn),
        },
        CaseFact::TripAsked { .. } => ("event-trip-asked", Tone::Warn),
        CaseFact::MaterialsRequested { .. } => ("event-materials-requested", Tone::Warn),
        CaseFact::MaterialsAnswered { .. } => ("event-materials-answered", Tone::Active),
        CaseFact::SilenceRecorded { .. } => ("event-silence-recorded", Tone::Warn),
        CaseFact::LimitWaived { .. } => ("event-limit-waived", Tone::Bad),
        CaseFact::ResultGiven { .. } => ("event-result-given", Tone::Good),
        CaseFact::ResultRated { verdict, .. } => match verdict.as_str() {
            "solved" => ("event-rated-solved", Tone::Good),
            "partly" => ("event-rated-partly", Tone::Warn),
            _ => ("event-rated-not-solved", Tone::Bad),
        },
        CaseFact::CaseReopened { .. } => ("event-reopened", Tone::Warn),
        CaseFact::CaseWithdrawn { .. } => ("event-withdrawn", Tone::Plain),
        CaseFact::CaseClosed { reason, .. } => match reason {
            CloseReason::Rated => ("event-closed-rated", Tone::Good),
            CloseReason::Unrated => ("event-closed-unrated", Tone::Plain),
            CloseReason::Outside { .. } => ("event-closed-outside", Tone::Warn),
            CloseReason::Reviewed => ("event-closed-reviewed", Tone::Plain),
            CloseReason::Source { .. } => ("event-closed-source", Tone::Plain),
        },
        CaseFact::HandOverReferred { .. } => ("event-hand-over-referred", Tone::Warn),
        CaseFact::JointHandlingOrdered { units, .. } if units.is_empty() => {
            ("event-joint-handling-ended", Tone::Plain)
        }
        CaseFact::JointHandlingOrdered { .. } => ("event-joint-handling", Tone::Active),
        CaseFact::ContributionGiven { .. } => ("event-contribution", Tone::Active),
        CaseFact::LawPauseBegun {
            kind: LawPause::Hearing,
            ..
        } => ("event-law-pause-hearing", Tone::Warn),
        CaseFact::LawPauseBegun {
            kind: LawPause::Expert,
            ..
        } => ("event-law-pause-expert", Tone::Warn),
        CaseFact::LawPauseEnded {} => ("event-law-pause-ended", Tone::Active),
        CaseFact::LegalLimitExtended { .. } => ("event-limit-extended", Tone::Warn),
        CaseFact::PromiseMade { .. } => ("event-promise-made", Tone::Active),
        CaseFact::PromiseKept { .. } => ("event-promise-kept", Tone::Good),
        CaseFact::RatingOwned {} => ("event-rating-owned", Tone::Active),
        CaseFact::ReviewAsked {
            level: ReviewLevel::Review,
            ..
        } => ("event-review-asked", Tone::Warn),
        CaseFact::ReviewAsked {
            level: ReviewLevel::FinalReview,
            ..
        } => ("event-final-review-asked", Tone::Warn),
        CaseFact::ReviewDecided { decision, .. } => match decision {
            ReviewDecision::Upheld => ("event-review-upheld", Tone::Plain),
            ReviewDecision::Changed => ("event-review-changed", Tone::Good),
            ReviewDecision::SentBack => ("event-review-sent-back", Tone::Warn),
        },
        CaseFact::CaseMerged { .. } => ("event-merged", Tone::Active),
        CaseFact::CaseUnmerged { .. } => ("event-unmerged", Tone::Plain),
        CaseFact::CaseUrged { .. } => ("event-urged", Tone::Warn),
        CaseFact::WarningRaised { .. } => ("event-warning", Tone::Warn),
        CaseFact::LimitBreached { .. } => ("event-breach", Tone::Bad),
        CaseFact::CaseEscalated { .. } => ("event-escalated", Tone::Bad),
        CaseFact::RaisingWithdrawn { .. } => ("event-raising-withdrawn", Tone::Plain),
        CaseFact::DeadlinesRecomputed { .. } => ("event-deadlines-recomputed", Tone::Plain),
    }
}

/// Names that belong to an event and are nobody's words: units, papers, the next owner.
fn names(directory: &Directory, locale: Locale, happening: &Happening) -> Option<String> {
    let material = |kind: &str| t(locale, &format!("material-{}", kind.replace('_', "-")));
    let list = |names: Vec<String>| names.join(if locale == Locale::ZhCn { "、" } else { ", " });
    match &happening.fact {
        CaseFact::CaseDeclined { next_owner: to, .. }
        | CaseFact::HandOverOffered { to, .. }
        | CaseFact::HandOverTaken { unit: to }
        | CaseFact::HandOverReferred { to, .. }
        | CaseFact::ContributionGiven { unit: to, .. }
        | CaseFact::CaseAssigned { unit: to, .. } => Some(unit(directory, locale, to.as_str())),
        CaseFact::JointHandlingOrdered { units, .. } if !units.is_empty() => {
            let names = units.iter().map(|code| unit(directory, locale, code.as_str()));
            Some(list(names.collect()))
        }
        CaseFact::LegalLimitExtended { days, .. } => Some(onetrip_i18n::t_args(
            locale,
            "days-n",
            &[("n", u64::from(*days).into())],
        )),
        CaseFact::PromiseMade { by, .. } => Some(onetrip_i18n::date(locale, *by)),
        CaseFact::CaseMerged { .. } => happening.merged_into.as_ref().map(ToString::to_string),
        CaseFact::WarningRaised { clock, percent } => {
            let clock = clock_name(locale, *clock);
            Some(format!("{clock}{}{percent}%", colon(locale)))
        }
        CaseFact::LimitBreached { clock } | CaseFact::RaisingWithdrawn { clock, .. } => {
            Some(clock_name(locale, *clock))
        }
        CaseFact::CaseEscalated { clock, to, .. } => {
            let (clock, tier) = (clock_name(locale, *clock), t(locale, tier_key(*to)));
            Some(format!("{tier}{}{clock}", colon(locale)))
        }
        CaseFact::DeadlinesRecomputed { .. } if !happening.changed_days.is_empty() => {
            let day = |day: &ChangedDay| {
                let key = match day.after.is_worked() {
                    true => "day-now-worked",
                    false => "day-now-free",
                };
                let date = onetrip_i18n::date(locale, day.date);
                t_args(locale, key, &[("day", Arg::from(date.as_str()))])
            };
            Some(list(happening.changed_days.iter().map(day).collect()))
        }
        CaseFact::MaterialsRequested { items, .. } => {
            Some(list(items.iter().map(|item| material(&item.kind)).collect()))
        }
        CaseFact::MaterialsAnswered { handed_over, .. } if !handed_over.is_empty() => {
            Some(list(handed_over.iter().map(|kind| material(kind)).collect()))
        }
        CaseFact::LimitWaived { limit, .. } => {
            Some(t(locale, &format!("waive-{}", limit.as_str().replace('_', "-"))))
        }
        CaseFact::CaseClosed {
            reason: CloseReason::Outside { next_owner },
            ..
        } => Some(next_owner.clone()),
        CaseFact::CaseClosed {
            reason: CloseReason::Source { outcome },
            ..
        } => Some(outcome.clone()),
        _ => None,
    }
}

fn tier_key(tier: Tier) -> &'static str {
    match tier {
        Tier::City => "tier-city",
        Tier::District => "tier-district",
        Tier::Street => "tier-street",
        Tier::Community => "tier-community",
    }
}

/// Between a thing and what it is made up of.
pub(super) fn colon(locale: Locale) -> &'static str {
    match locale {
        Locale::ZhCn => "：",
        Locale::En => ": ",
    }
}

fn entry(visit: &Visit, ui: &Ui, side: Side, number: &CaseNumber, happening: &Happening) -> TimelineEntry {
    let (locale, directory) = (visit.locale(), visit.casework().directory());
    let (key, tone) = match (&happening.fact, &happening.by) {
        (CaseFact::HandOverReturned { unit, .. }, By::Staff { unit: own, .. })
            if own.as_ref() != Some(unit) =>
        {
            ("event-hand-over-taken-back", Tone::Plain)
        }
        (fact, _) => event_key(fact),
    };
    let mut sentence = t(locale, key);
    if let Some(names) = names(directory, locale, happening) {
        sentence.push_str(colon(locale));
        sentence.push_str(&names);
    }
    let office = match &happening.by {
        By::Resident(_) => Some(t(locale, "by-resident")),
        By::Unit(code) => Some(unit(directory, locale, code.as_str())),
        By::Service => Some(t(locale, "by-service")),
        By::Staff { id, unit: own } => {
            let office = own.as_ref().map(|code| unit(directory, locale, code.as_str()));
            let name = directory
                .staff(*id)
                .map(|staff| pick(locale, staff.name, staff.name_en));
            match (side, office, name) {
                // Residents see offices, never private names.
                (Side::Resident, office, _) => office.or_else(|| Some(t(locale, "by-supervisor"))),
                (Side::Staff, Some(office), Some(name)) => Some(format!("{office} · {name}")),
                (Side::Staff, office, name) => office.or(name),
            }
        }
    };
    let words: Vec<String> = happening
        .texts
        .iter()
        .map(|(_, words)| text(locale, words))
        .filter(|text| !text.is_empty())
        .collect();
    TimelineEntry {
        at: happening.at,
        sentence,
        office,
        words: (!words.is_empty()).then(|| words.join("\n")),
        photos: photos(ui, side, number, &happening.photos),
        tone,
    }
}

/// Newest first: what changed last is what people come to see.
pub(super) fn timeline(visit: &Visit, ui: &Ui, side: Side, case: &CaseView) -> Vec<TimelineEntry> {
    case.happenings
        .iter()
        .rev()
        .map(|happening| entry(visit, ui, side, &case.number, happening))
        .collect()
}

/// What happened after version `since`, oldest first.
pub(super) fn since(visit: &Visit, ui: &Ui, case: &CaseView, since: u64) -> Vec<TimelineEntry> {
    let newer = case
        .happenings
        .iter()
        .filter(|happening| happening.sequence > since);
    newer
        .map(|happening| entry(visit, ui, Side::Staff, &case.number, happening))
        .collect()
}

fn text_of(locale: Locale, happening: &Happening, name: &str) -> Option<String> {
    happening
        .texts
        .iter()
        .find(|(field, _)| field == name)
        .map(|(_, words)| text(locale, words))
}

/// What was promised last, and by when.
pub(super) fn promised(visit: &Visit, case: &CaseView) -> Option<String> {
    let locale = visit.locale();
    let made = case.happenings.iter().rev();
    let (by, words) = made
        .filter_map(|happening| match &happening.fact {
            CaseFact::PromiseMade { by, .. } => Some((*by, text_of(locale, happening, "promise")?)),
            _ => None,
        })
        .next()?;
    Some(format!(
        "{words}{}{}",
        colon(locale),
        onetrip_i18n::date_long(locale, by)
    ))
}

/// The result that stands, unless it was reopened since.
pub(super) fn result(visit: &Visit, ui: &Ui, side: Side, case: &CaseView) -> Option<ResultView> {
    case.file.outcome.resulted_at?;
    // Where a review has changed the result, its words stand in that place.
    let stands = |happening: &&Happening| {
        matches!(
            happening.fact,
            CaseFact::ResultGiven { .. }
                | CaseFact::ReviewDecided {
                    decision: ReviewDecision::Changed,
                    ..
                }
        )
    };
    let happening = case.happenings.iter().rev().find(stands)?;
    let locale = visit.locale();
    let office = |code: &onetrip_model::UnitCode| unit(visit.casework().directory(), locale, code.as_str());
    let office = match &happening.by {
        By::Staff { unit: Some(unit), .. } => office(unit),
        By::Staff { unit: None, .. } => t(locale, "by-supervisor"),
        By::Unit(code) => office(code),
        // The answer of the case that this one was handled with.
        By::Service => t(locale, "holder-lead"),
        By::Resident(_) => String::new(),
    };
    Some(ResultView {
        at: happening.at,
        office,
        words: text_of(locale, happening, "words").unwrap_or_default(),
        photos: photos(ui, side, &case.number, &happening.photos),
        why_no_photo: match &happening.fact {
            CaseFact::ResultGiven {
                place_evidence: PlaceEvidence::WhyNot(_),
                ..
            } => text_of(locale, happening, "why_no_photo"),
            _ => None,
        },
    })
}

/// The newest verdict.
pub(super) fn rating(visit: &Visit, case: &CaseView) -> Option<RatingView> {
    let locale = visit.locale();
    case.happenings
        .iter()
        .rev()
        .find_map(|happening| match &happening.fact {
            CaseFact::ResultRated { verdict, score, .. } => Some(RatingView {
                verdict: t(locale, &format!("verdict-{}", verdict.as_str().replace('_', "-"))),
                score: *score,
                score_words: t(locale, &format!("score-{score}")),
                reason: text_of(locale, happening, "reason"),
            }),
            _ => None,
        })
}

/// The deadlines of a case as they stand: what runs, and what was done, in the order in which they fell due.
pub(super) fn clocks(locale: Locale, case: &CaseView) -> Vec<Due> {
    let filed = &case.file.filed;
    let is_shown = |clock: &&CaseClock| match clock.kind {
        // Windows are told where they can be used, and an objection is no duty.
        ClockKind::Objection | ClockKind::AskReview | ClockKind::AskFinalReview => false,
        ClockKind::Rating => matches!(filed.stage, Stage::ResultGiven { .. }),
        ClockKind::Materials => clock.stopped_at.is_none(),
        // What was never done, because the case ended before, has no story.
        ClockKind::Contact => filed.contacted_at.is_some() || clock.stopped_at.is_none(),
        _ => true,
    };
    let mut clocks: Vec<Due> = filed
        .clocks
        .all()
        .iter()
        .filter(is_shown)
        .map(|clock| Due {
            label: clock_name(locale, clock.kind),
            started_at: clock.started_at,
            due_at: clock.deadline.due_at,
            done_at: clock.stopped_at,
            paused: clock.stopped_at.is_none() && filed.clocks.is_paused(clock.kind),
            proof: case
                .proofs
                .iter()
                .find(|proof| proof.kind == clock.kind)
                .map(|proof| sentences(locale, proof))
                .unwrap_or_default(),
        })
        .collect();
    clocks.sort_by_key(|due| due.due_at);
    clocks
}

/// How long each has had the case, in the order in which they first had it; together exactly the time since it was filed.
/// What lies after its end is nobody's time, and not told.
pub(super) fn held(
    directory: &Directory,
    locale: Locale,
    filed: &Filed,
    now: DateTime<Utc>,
    side: Side,
) -> Vec<HeldRow> {
    let mut rows: Vec<(&Holder, TimeDelta)> = Vec::new();
    for stretch in filed.holding.until(now) {
        match rows.iter_mut().find(|(holder, _)| *holder == stretch.holder) {
            Some((_, time)) => *time += stretch.lasts(),
            None => rows.push((stretch.holder, stretch.lasts())),
        }
    }
    let current = filed.stage.holder();
    let lived = rows.into_iter().filter(|(holder, _)| **holder != Holder::Nobody);
    lived
        .map(|(holder, time)| HeldRow {
            holder: match (side, holder) {
                (Side::Resident, Holder::Resident) => t(locale, "holder-you"),
                _ => holder_name(directory, locale, holder),
            },
            time: onetrip_i18n::span(locale, time),
            now: *holder == current,
        })
        .collect()
}

/// The next deadline of a case in a queue.
pub(super) fn next_due(
    locale: Locale,
    what: Option<&str>,
    started_at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
) -> Option<Due> {
    let key = match what {
        Some("contact") => "clock-contact",
        Some("answer") => "clock-materials",
        Some("verdict") => "clock-rating",
        Some("review") => "clock-review",
        Some("promise") => "clock-promise",
        Some("rating_owner") => "clock-rating-owner",
        _ => "clock-result",
    };
    Some(Due {
        label: t(locale, key),
        started_at,
        due_at: due_at?,
        done_at: None,
        paused: false,
        proof: Vec::new(),
    })
}

/// The case's account under the run-once rule.
pub(super) fn ledger(locale: Locale, ledger: &Ledger, case: &CaseView) -> Vec<LedgerRow> {
    let mut rows = ledger_told(locale, ledger, case);
    if let Some(refiled) = case.breaches.iter().find(|breach| breach.row == "refiling") {
        rows.push(LedgerRow {
            label: t(locale, "ledger-refiling"),
            used: 1,
            limit: 0,
            breached: true,
            note: refiled
                .other_number
                .as_deref()
                .and_then(|digits| digits.parse::<CaseNumber>().ok())
                .map(|number| number.to_string()),
        });
    }
    rows
}

/// The account as residents are told. It is silent about other cases of the same matter: phone numbers are not
/// verified, so who knows somebody's could find out about theirs.
pub(super) fn ledger_told(locale: Locale, ledger: &Ledger, case: &CaseView) -> Vec<LedgerRow> {
    let count = |value: i32| u32::try_from(value).unwrap_or(0);
    let breached = |row: &str| case.breaches.iter().any(|breach| breach.row == row);
    let reason = |limit: &str| {
        case.happenings
            .iter()
            .rev()
            .find_map(|happening| match &happening.fact {
                CaseFact::LimitWaived { limit: waived, .. } if waived.as_str() == limit => {
                    text_of(locale, happening, "reason")
                }
                _ => None,
            })
    };
    let without_taker = case.breaches.iter().filter(|breach| breach.row == "hand_over");
    let handed_over = u32::try_from(without_taker.count()).unwrap_or(u32::MAX);
    vec![
        LedgerRow {
            label: t(locale, "ledger-trips"),
            used: count(ledger.trips),
            limit: count(ledger.trips_max),
            breached: breached("trip"),
            note: reason("trip"),
        },
        LedgerRow {
            label: t(locale, "ledger-requests"),
            used: count(ledger.material_requests),
            limit: count(ledger.material_requests_max),
            breached: breached("material_request"),
            note: reason("material_request"),
        },
        LedgerRow {
            label: t(locale, "ledger-held"),
            used: u32::from(breached("held_paper")),
            limit: count(ledger.held_paper_waivers),
            breached: breached("held_paper"),
            note: reason("held_paper"),
        },
        LedgerRow {
            label: t(locale, "ledger-handovers"),
            used: handed_over,
            limit: 0,
            breached: handed_over > 0,
            note: None,
        },
    ]
}

/// A refusal in words, with what it names.
pub(super) fn refusal(visit: &Visit, refusal: &Refusal) -> String {
    let locale = visit.locale();
    let sentence = t(locale, &format!("refusal-{}", refusal.code()));
    let day = |at: &DateTime<Utc>| onetrip_i18n::date_time(locale, *at);
    let names = match refusal {
        Refusal::AlreadyHeld { kind, held_in } => {
            let material = t(locale, &format!("material-{}", kind.replace('_', "-")));
            Some(format!("{material}{}{held_in}", colon(locale)))
        }
        Refusal::ObjectionTooLate { until }
        | Refusal::RequestTooLate { until }
        | Refusal::StillWaiting { until }
        | Refusal::WindowOpen { until } => Some(day(until)),
        Refusal::WindowEnded { ended_at } => Some(day(ended_at)),
        Refusal::TooLong { max, .. } => Some(max.to_string()),
        Refusal::OutOfRange { min, max, .. } => Some(format!("{min}–{max}")),
        _ => None,
    };
    match (names, locale) {
        (None, _) => sentence,
        (Some(names), Locale::ZhCn) => format!("{sentence}（{names}）"),
        (Some(names), Locale::En) => format!("{sentence} ({names})"),
    }
}

/// The sentence beside a field. `key` chooses the words where the plain ones would be vague.
pub(super) fn fault(locale: Locale, field: &str, fault: Fault) -> String {
    let key = match (field, fault) {
        ("words", Fault::Missing) => "err-text-empty",
        ("words", Fault::TooLong { .. }) => "err-text-long",
        ("category", _) => "err-category",
        ("division", _) => "err-street",
        ("place_words", _) => "err-place-long",
        ("phone", _) => "err-phone",
        ("name", _) => "err-name-long",
        ("photos", _) => "err-photo-many",
        ("new_fact", _) => "err-text-long",
        ("with", _) => "err-with",
        ("reason", _) => "err-reason",
        ("verdict", _) => "err-verdict",
        ("score", _) => "err-score",
        ("reached", _) => "err-reached",
        ("items", _) => "err-items",
        _ => "err-choose",
    };
    let max = fault.max().unwrap_or_default();
    t_args(locale, key, &[("max", Arg::from(max))])
}

pub(super) fn photo_fault(locale: Locale, fault: PhotoFault) -> String {
    let key = match fault {
        PhotoFault::Empty | PhotoFault::NotAPicture => "err-photo-broken",
        PhotoFault::TooLarge => "err-photo-large",
        PhotoFault::TooMany => "err-fault-too-many-waiting",
    };
    t(locale, key)
}

/// The errors of a form that can come back; None where the failure is not the form's.
pub(super) fn errors(
    visit: &Visit,
    error: &CaseworkError,
    photo_field: &str,
    name: impl Fn(&str) -> String,
) -> Option<Errors> {
    let locale = visit.locale();
    let errors = match error {
        CaseworkError::Invalid(faults) => faults
            .iter()
            .map(|found| FieldError::new(name(found.field), fault(locale, found.field, found.fault)))
            .collect(),
        CaseworkError::Photo(found) => vec![FieldError::new(photo_field, photo_fault(locale, *found))],
        CaseworkError::Refused(found) => {
            let Some(field) = found.field() else {
                // No field is to blame: it stands above the form, without a way to any.
                return Some(Errors(vec![FieldError::new("", refusal(visit, found))]));
            };
            let message = match (found, field) {
                (Refusal::Empty { .. }, "words" | "to_place") => t(locale, "err-words"),
                (Refusal::Empty { .. } | Refusal::ReasonMissing, "reason") => t(locale, "err-reason"),
                (Refusal::Empty { .. }, "items") => t(locale, "err-items"),
                (Refusal::PlaceProofMissing, _) => t(locale, "err-place-proof"),
                (Refusal::ScoreOutOfRange, _) => t(locale, "err-score"),
                _ => refusal(visit, found),
            };
            vec![FieldError::new(name(field), message)]
        }
        _ => return None,
    };
    Some(Errors::once(errors))
}

/// Text for the value of a query parameter.
pub(super) fn in_query(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' | b'~' => {
                encoded.push(char::from(byte))
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
