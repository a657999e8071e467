//! The rules of the case: what follows from a command.
//!
//! `filing.rs` how a case begins, `handling.rs` who has it and what they do with it, `run_once.rs` what may be asked of the
//! resident, `result.rs` the result and the verdict on it, `review.rs` the second looks, `together.rs` units and cases that
//! go together, `supervision.rs` what is pressed for, `deadlines.rs` how long each clock may run.

mod deadlines;
mod filing;
mod handling;
mod result;
mod review;
mod run_once;
mod supervision;
mod together;

pub use filing::matter_text;
pub use together::JOINT_UNITS_MAX;

use super::{
    command::{CaseAct, CaseCommand},
    error::Refusal,
    event::{CaseEvent, CaseFact, RunOnceLimit},
    stage::Stage,
    state::{Case, Filed},
};
use crate::{
    policy::Rules,
    primitives::{By, CaseId, Private},
};
use chrono::{DateTime, Utc};

/// Longest text anybody may write in one go, in characters.
pub const WORDS_CHARS_MAX: usize = 2000;

/// How often something can be added to a case in writing: every act reads its whole history.
pub const SUPPLEMENTS_MAX: u32 = 200;

/// Longest name of an owner outside this system, in characters: the public name of an office, not a text.
pub const NEXT_OWNER_CHARS_MAX: usize = 100;

/// What follows from a command: the events that happened, none where the wish is already fulfilled,
/// or the named reason why not.
pub fn decide(case: &Case, command: CaseCommand) -> Result<Vec<CaseEvent>, Refusal> {
    if matches!(command.act, CaseAct::RunClocks { .. }) {
        return run_clocks(case, &command);
    }
    decide_once(case, command)
}

/// Until nothing more is due: the end of a resident's window sets other clocks going again.
fn run_clocks(case: &Case, command: &CaseCommand) -> Result<Vec<CaseEvent>, Refusal> {
    let mut events: Vec<CaseEvent> = Vec::new();
    let mut case = case.clone();
    loop {
        let more = decide_once(&case, command.clone())?;
        if more.is_empty() {
            return Ok(events);
        }
        case = more.iter().fold(case, Case::evolve);
        events.extend(more);
    }
}

fn decide_once(case: &Case, command: CaseCommand) -> Result<Vec<CaseEvent>, Refusal> {
    let CaseCommand {
        at,
        by,
        channel,
        rules,
        act,
    } = command;
    let facts = match case {
        Case::Unfiled => filing::file(&rules, act)?,
        Case::Filed(filed) => Decision {
            filed,
            rules: &rules,
            at,
            by: &by,
        }
        .decide(act)?,
    };
    let events = facts.into_iter().map(|fact| CaseEvent {
        at,
        by: by.clone(),
        channel,
        fact,
        deadlines: Vec::new(),
    });
    Ok(deadlines::set(case, events, &rules))
}

/// Text that must say something and may not be endless.
fn written(field: &'static str, text: String) -> Result<String, Refusal> {
    optional(field, Some(text))?.ok_or(Refusal::Empty { field })
}

fn optional(field: &'static str, text: Option<String>) -> Result<Option<String>, Refusal> {
    within(field, text, WORDS_CHARS_MAX)
}

/// At most `max` characters, without the space around them; None where nothing is left.
fn within(field: &'static str, text: Option<String>, max: usize) -> Result<Option<String>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    // Control characters say nothing to anybody, and NUL cannot be stored.
    let visible = |character: &char| !character.is_control() || matches!(character, '\n' | '\t');
    let text: String = text.chars().filter(visible).collect();
    let text = text.trim();
    if text.chars().count() > max {
        return Err(Refusal::TooLong { field, max });
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

struct Decision<'a> {
    filed: &'a Filed,
    rules: &'a Rules,
    at: DateTime<Utc>,
    by: &'a By,
}

type Facts = Result<Vec<CaseFact>, Refusal>;

impl Decision<'_> {
    fn decide(&self, act: CaseAct) -> Facts {
        match act {
            CaseAct::SubmitAppeal(_) | CaseAct::SubmitSuggestion(_) | CaseAct::RequestHearing(_) => {
                Err(Refusal::AlreadyFiled)
            }
            CaseAct::AddSupplement {
                words,
                attachments,
                from_filing,
            } => self.add_supplement(words, attachments, from_filing),
            CaseAct::Accept => self.accept(),
            CaseAct::Decline { next_owner, reason } => self.decline(next_owner, reason),
            CaseAct::Assign { unit, contact_cadre } => self.assign(unit, contact_cadre),
            CaseAct::OfferHandOver { to, reason } => self.offer_hand_over(to, reason),
            CaseAct::TakeOver { unit } => self.take_over(unit),
            CaseAct::ReturnHandOver { unit, reason } => self.return_hand_over(unit, reason),
            CaseAct::FollowUp(follow_up) => self.follow_up(follow_up),
            CaseAct::AskTrip { to_place, reason } => self.ask_trip(to_place, reason),
            CaseAct::RequestMaterials { items, held } => self.request_materials(items, &held),
            CaseAct::AnswerRequest {
                handed_over,
                words,
                attachments,
            } => self.answer_request(handed_over, words, attachments),
            CaseAct::RecordSilence => self.record_silence(),
            CaseAct::BeginLawPause { kind, notice } => self.begin_law_pause(kind, notice),
            CaseAct::EndLawPause => self.end_law_pause(),
            CaseAct::ExtendLegalLimit { days, reason } => self.extend_legal_limit(days, reason),
            CaseAct::OrderJointHandling { units, reason } => self.order_joint_handling(units, reason),
            CaseAct::Contribute { unit, words } => self.contribute(unit, words),
            CaseAct::WaiveLimit { limit, reason } => self.waive_limit(limit, &[], reason),
            CaseAct::WaiveHeldPapers { held, reason } => {
                self.waive_limit(RunOnceLimit::HeldPaper, &held, reason)
            }
            CaseAct::GiveResult {
                words,
                evidence,
                place_proof,
                promise,
            } => self.give_result(words, evidence, place_proof, promise),
            CaseAct::KeepPromise { words, evidence } => self.keep_promise(words, evidence),
            CaseAct::Rate(rating) => self.rate(rating),
            CaseAct::OwnRating => self.own_rating(),
            CaseAct::Reopen { reason } => self.reopen(reason),
            CaseAct::AskReview { reason } => self.ask_review(reason),
            CaseAct::DecideReview { decision, words } => self.decide_review(decision, words),
            CaseAct::Merge {
                into,
                into_number,
                reason,
            } => self.merge(into, into_number, reason),
            CaseAct::Unmerge { reason } => self.unmerge(reason),
            CaseAct::Withdraw { reason } => self.withdraw(reason),
            CaseAct::CloseUnrated => self.close_unrated(),
            CaseAct::CloseFromSource { outcome } => self.close_from_source(outcome),
            CaseAct::Urge { words } => self.urge(words),
            CaseAct::RunClocks { latest } => self.run_clocks(latest),
            CaseAct::RecomputeDeadlines => Ok(self.recompute_deadlines()),
        }
    }

    fn case(&self) -> CaseId {
        self.filed.case
    }

    /// Asked for before anything else where an act may turn out to change nothing: what is malformed is refused all the
    /// same.
    fn told(&self, field: &'static str, text: String) -> Result<Private<String>, Refusal> {
        Ok(Private::of_case(self.case(), written(field, text)?))
    }

    /// The refusal for an act that the stage does not allow.
    fn out_of_turn(&self) -> Refusal {
        out_of_turn(&self.filed.stage)
    }
}

/// The refusal for an act that the stage does not allow.
fn out_of_turn(stage: &Stage) -> Refusal {
    if stage.has_ended() {
        Refusal::Ended
    } else {
        Refusal::WrongStage
    }
}
