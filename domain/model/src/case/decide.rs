use super::{
    command::{
        CaseAct, CaseCommand, FollowUp, HeldPaper, MaterialAsk, NextOwner, PlaceProof, Rating, Submission,
    },
    error::Refusal,
    event::{
        CaseEvent, CaseFact, CaseSubmitted, CloseReason, MaterialItem, Place, PlaceDetail, PlaceEvidence,
        Redo, RunOnceLimit, Verdict,
    },
    state::{Case, Filed, OpenRequest, Stage},
};
use crate::{
    clocks::{Deadline, Term, contact_deadline, result_deadline},
    policy::Rules,
    primitives::{AttachmentRef, CaseId, CaseKind, DivisionCode, Private, UnitCode},
};
use chrono::{DateTime, Utc};

/// Longest text anybody may write in one go, in characters.
pub const WORDS_CHARS_MAX: usize = 2000;

/// Longest name of an owner outside this system, in characters: the public name of an office, not a text.
pub const NEXT_OWNER_CHARS_MAX: usize = 100;

/// What follows from a command: the events that happened, none where the wish is already fulfilled,
/// or the named reason why not.
pub fn decide(case: &Case, command: CaseCommand) -> Result<Vec<CaseEvent>, Refusal> {
    let CaseCommand {
        at,
        by,
        channel,
        rules,
        act,
    } = command;
    let facts = match case {
        Case::Unfiled => file(&rules, at, act)?,
        Case::Filed(filed) => Decision {
            filed,
            rules: &rules,
            at,
        }
        .decide(act)?,
    };
    Ok(facts
        .into_iter()
        .map(|fact| CaseEvent {
            at,
            by: by.clone(),
            channel,
            fact,
        })
        .collect())
}

/// What makes two filings of one resident the same matter: kind, category and place; where no place is described,
/// the words themselves. Spacing, width and letter case don't make a difference.
pub fn matter_text(
    kind: CaseKind,
    category: &str,
    division: &DivisionCode,
    place_words: Option<&str>,
    words: &str,
) -> String {
    let told = place_words
        .map(squeeze)
        .filter(|place| !place.is_empty())
        .unwrap_or_else(|| squeeze(words));
    format!("{}\n{category}\n{division}\n{told}", kind.as_str())
}

fn squeeze(text: &str) -> String {
    let narrow = |character: char| match character {
        '！'..='～' => char::from_u32(character as u32 - 0xFEE0).unwrap_or(character),
        other => other,
    };
    text.chars()
        .map(narrow)
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn file(rules: &Rules, at: DateTime<Utc>, act: CaseAct) -> Result<Vec<CaseFact>, Refusal> {
    let (kind, submission) = match act {
        CaseAct::SubmitAppeal(submission) => (CaseKind::Appeal, submission),
        CaseAct::SubmitSuggestion(submission) => (CaseKind::Suggestion, submission),
        CaseAct::RequestHearing(submission) => (CaseKind::HearingRequest, submission),
        _ => return Err(Refusal::NoSuchCase),
    };
    let Submission {
        case, person, source, ..
    } = submission;
    let imported = source.is_some();
    let category = match rules.policy.category(&submission.category) {
        Some(category) => Some(category),
        None if imported => None,
        None => return Err(Refusal::Unknown { field: "category" }),
    };
    let words = written("words", submission.words)?;
    let place_words = optional("place_words", submission.place_words)?;
    let class = match kind {
        CaseKind::Appeal => category.map(|category| category.class),
        CaseKind::Suggestion | CaseKind::HearingRequest => None,
    };
    let (contact_due, result_due) = match &source {
        Some(source) => (
            None,
            source
                .target_at
                .map(|target| Deadline::from_source(&source.system, target)),
        ),
        None => (
            submission.contact.is_some().then(|| contact_deadline(rules, at)),
            Some(result_deadline(rules, at, kind, class, &submission.category)),
        ),
    };
    let detail = PlaceDetail {
        words: place_words,
        point: submission.point,
    };
    let has_detail = detail.words.is_some() || detail.point.is_some();
    Ok(vec![CaseFact::CaseSubmitted(Box::new(CaseSubmitted {
        case,
        number: submission.number,
        kind,
        class,
        place_bound: kind == CaseKind::Appeal && category.is_some_and(|category| category.place_bound),
        category: submission.category,
        person,
        contact: submission
            .contact
            .map(|contact| Private::of_person(person, contact)),
        place: Place {
            division: submission.division,
            contact_district: submission.contact_district,
            detail: has_detail.then(|| Private::of_case(case, detail)),
        },
        words: Private::of_case(case, words),
        attachments: submission.attachments,
        matter: submission.matter,
        previous: submission.previous,
        first_receiver: submission.first_receiver,
        contact_due,
        result_due,
        source,
    }))])
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
            CaseAct::Assign { unit, contact_cadre } => match &self.filed.stage {
                Stage::Accepted { .. } => Ok(vec![CaseFact::CaseAssigned { unit, contact_cadre }]),
                Stage::Handling {
                    unit: now,
                    offered: None,
                } if *now == unit
                    && contact_cadre.is_none_or(|cadre| self.filed.contact_cadre == Some(cadre)) =>
                {
                    Ok(Vec::new())
                }
                stage => Err(out_of_turn(stage)),
            },
            CaseAct::OfferHandOver { to, reason } => self.offer_hand_over(to, reason),
            CaseAct::TakeOver { unit } => self.take_over(unit),
            CaseAct::ReturnHandOver { unit, reason } => {
                self.offered_to(&unit)?;
                Ok(vec![CaseFact::HandOverReturned {
                    unit,
                    reason: self.told("reason", reason)?,
                }])
            }
            CaseAct::FollowUp(follow_up) => self.follow_up(follow_up),
            CaseAct::AskTrip { to_place, reason } => self.ask_trip(to_place, reason),
            CaseAct::RequestMaterials { items, held } => self.request_materials(items, &held),
            CaseAct::AnswerRequest {
                handed_over,
                words,
                attachments,
            } => self.answer_request(handed_over, words, attachments),
            CaseAct::RecordSilence => self.record_silence(),
            CaseAct::WaiveLimit { limit, reason } => self.waive_limit(limit, &[], reason),
            CaseAct::WaiveHeldPapers { held, reason } => {
                self.waive_limit(RunOnceLimit::HeldPaper, &held, reason)
            }
            CaseAct::GiveResult {
                words,
                evidence,
                place_proof,
            } => self.give_result(words, evidence, place_proof),
            CaseAct::Rate(rating) => self.rate(rating),
            CaseAct::Reopen { reason } => self.reopen(reason),
            CaseAct::Withdraw { reason } => match &self.filed.stage {
                Stage::Withdrawn { .. } => Ok(Vec::new()),
                Stage::Closed { .. } => Err(Refusal::Ended),
                _ => Ok(vec![CaseFact::CaseWithdrawn {
                    reason: self.told("reason", reason)?,
                }]),
            },
            CaseAct::CloseUnrated => match &self.filed.stage {
                Stage::ResultGiven { rate_until, .. } if self.at <= *rate_until => {
                    Err(Refusal::WindowOpen { until: *rate_until })
                }
                Stage::ResultGiven { .. } => Ok(vec![CaseFact::CaseClosed {
                    reason: CloseReason::Unrated,
                    reply: None,
                }]),
                Stage::Closed { .. } => Ok(Vec::new()),
                stage => Err(out_of_turn(stage)),
            },
            CaseAct::CloseFromSource { outcome } => match &self.filed.stage {
                Stage::ResultGiven { .. } => Ok(vec![CaseFact::CaseClosed {
                    reason: CloseReason::Source { outcome },
                    reply: None,
                }]),
                stage => Err(out_of_turn(stage)),
            },
        }
    }

    fn case(&self) -> CaseId {
        self.filed.case
    }

    fn told(&self, field: &'static str, text: String) -> Result<Private<String>, Refusal> {
        Ok(Private::of_case(self.case(), written(field, text)?))
    }

    fn add_supplement(&self, words: String, attachments: Vec<AttachmentRef>, from_filing: bool) -> Facts {
        if self.filed.stage.has_ended() {
            return Err(Refusal::Ended);
        }
        Ok(vec![CaseFact::SupplementAdded {
            words: self.told("words", words)?,
            attachments,
            from_filing,
        }])
    }

    fn accept(&self) -> Facts {
        match &self.filed.stage {
            Stage::Submitted { offered: None, .. } => {
                let days = Term::Days(self.rules.policy.legal.days);
                let legal_due =
                    (self.filed.kind == CaseKind::Appeal).then(|| Deadline::new(self.rules, self.at, days));
                Ok(vec![CaseFact::CaseAccepted { legal_due }])
            }
            Stage::Accepted { .. } if !self.filed.is_with_supervisor() => Ok(Vec::new()),
            stage => Err(out_of_turn(stage)),
        }
    }

    fn decline(&self, next_owner: NextOwner, reason: String) -> Facts {
        let Stage::Submitted {
            holder,
            offered: None,
        } = &self.filed.stage
        else {
            return Err(out_of_turn(&self.filed.stage));
        };
        let reason = self.told("reason", reason)?;
        match next_owner {
            NextOwner::Unit(unit) if unit == *holder => Err(Refusal::SameHolder),
            NextOwner::Unit(next_owner) => Ok(vec![CaseFact::CaseDeclined { next_owner, reason }]),
            NextOwner::Outside(name) => {
                let field = "next_owner";
                let next_owner =
                    within(field, Some(name), NEXT_OWNER_CHARS_MAX)?.ok_or(Refusal::Empty { field })?;
                let closed = CloseReason::Outside { next_owner };
                Ok(vec![CaseFact::CaseClosed {
                    reason: closed,
                    reply: Some(reason),
                }])
            }
        }
    }

    fn offer_hand_over(&self, to: UnitCode, reason: String) -> Facts {
        match &self.filed.stage {
            Stage::Handling { unit, .. } if *unit == to => Err(Refusal::SameHolder),
            Stage::Handling {
                offered: Some(now), ..
            } if *now == to => Ok(Vec::new()),
            Stage::Handling { offered: None, .. } => Ok(vec![CaseFact::HandOverOffered {
                to,
                reason: self.told("reason", reason)?,
            }]),
            stage => Err(out_of_turn(stage)),
        }
    }

    fn offered_to(&self, unit: &UnitCode) -> Result<(), Refusal> {
        match self.filed.stage.offered_to() {
            Some(offered) if offered == unit => Ok(()),
            _ if self.filed.stage.has_ended() => Err(Refusal::Ended),
            _ => Err(Refusal::NotOffered),
        }
    }

    fn take_over(&self, unit: UnitCode) -> Facts {
        // Taking what one already has is a repeated command.
        if self.filed.stage.offered_to().is_none() && self.filed.stage.unit() == Some(&unit) {
            return Ok(Vec::new());
        }
        self.offered_to(&unit)?;
        Ok(vec![CaseFact::HandOverTaken { unit }])
    }

    fn follow_up(&self, follow_up: FollowUp) -> Facts {
        if matches!(self.filed.stage, Stage::Withdrawn { .. }) {
            return Err(Refusal::Ended);
        }
        let FollowUp { kind, reached, words } = follow_up;
        Ok(vec![CaseFact::FollowUpRecorded {
            kind,
            reached,
            words: self.told("words", words)?,
        }])
    }

    fn ask_trip(&self, to_place: String, reason: String) -> Facts {
        match &self.filed.stage {
            Stage::Accepted { .. } | Stage::Handling { .. } => {}
            stage => return Err(out_of_turn(stage)),
        }
        if let Some(refusal) = self.filed.trip_refused(self.rules) {
            return Err(refusal);
        }
        let to_place = self.told("to_place", to_place)?;
        Ok(vec![CaseFact::TripAsked {
            to_place,
            reason: self.told("reason", reason)?,
        }])
    }

    fn request_materials(&self, items: Vec<MaterialAsk>, held: &[HeldPaper]) -> Facts {
        let policy = &self.rules.policy;
        let tally = self.filed.tally;
        match &self.filed.stage {
            Stage::Handling { offered: None, .. } => {}
            Stage::AwaitingResident { .. } => {
                return Err(Refusal::RunOnceLimitReached {
                    limit: RunOnceLimit::MaterialRequest,
                });
            }
            stage => return Err(out_of_turn(stage)),
        }
        if let Some(refusal) = self.filed.request_refused(self.rules, self.at) {
            return Err(refusal);
        }
        if items.is_empty() {
            return Err(Refusal::Empty { field: "items" });
        }
        let mut asked = Vec::with_capacity(items.len());
        for item in items {
            let kind = policy
                .material(&item.kind)
                .ok_or(Refusal::Unknown { field: "items" })?;
            let words = optional("items", item.words)?;
            if kind.described && words.is_none() {
                return Err(Refusal::Empty { field: "items" });
            }
            let holding = held
                .iter()
                .find(|paper| paper.kind == item.kind && !kind.described);
            if let Some(paper) = holding.filter(|_| tally.held_paper_waivers == 0) {
                return Err(Refusal::AlreadyHeld {
                    kind: item.kind,
                    held_in: paper.held_in.clone(),
                });
            }
            let words = words.map(|words| Private::of_case(self.case(), words));
            asked.push(MaterialItem {
                kind: item.kind,
                words,
            });
        }
        let answer_due = Deadline::new(
            self.rules,
            self.at,
            Term::Days(policy.run_once.material_answer_days),
        );
        Ok(vec![CaseFact::MaterialsRequested {
            items: asked,
            answer_due,
        }])
    }

    fn waiting(&self) -> Result<&OpenRequest, Refusal> {
        match &self.filed.stage {
            Stage::AwaitingResident { request, .. } => Ok(request),
            stage => Err(out_of_turn(stage)),
        }
    }

    fn result_due_after(&self, request: &OpenRequest) -> Option<Deadline> {
        self.filed
            .result_due
            .as_ref()
            .map(|due| due.after_pause(self.rules, request.asked_at, self.at))
    }

    fn answer_request(
        &self,
        handed_over: Vec<String>,
        words: String,
        attachments: Vec<AttachmentRef>,
    ) -> Facts {
        let request = self.waiting()?;
        if handed_over.iter().any(|kind| !request.kinds.contains(kind)) {
            return Err(Refusal::Unknown { field: "handed_over" });
        }
        let words = match optional("words", Some(words))? {
            Some(words) => words,
            None if handed_over.is_empty() && attachments.is_empty() => {
                return Err(Refusal::Empty { field: "words" });
            }
            None => String::new(),
        };
        let words = Private::of_case(self.case(), words);
        let result_due = self.result_due_after(request);
        Ok(vec![CaseFact::MaterialsAnswered {
            handed_over,
            words,
            attachments,
            result_due,
        }])
    }

    fn record_silence(&self) -> Facts {
        let request = self.waiting()?;
        if self.at <= request.answer_due {
            return Err(Refusal::StillWaiting {
                until: request.answer_due,
            });
        }
        Ok(vec![CaseFact::SilenceRecorded {
            result_due: self.result_due_after(request),
        }])
    }

    fn waive_limit(&self, limit: RunOnceLimit, held: &[HeldPaper], reason: String) -> Facts {
        if self.filed.stage.has_ended() {
            return Err(Refusal::Ended);
        }
        let reached = match limit {
            RunOnceLimit::Trip => self.filed.trip_refused(self.rules).is_some(),
            RunOnceLimit::MaterialRequest => self.filed.request_refused(self.rules, self.at).is_some(),
            RunOnceLimit::HeldPaper => !held.is_empty() && self.filed.tally.held_paper_waivers == 0,
        };
        if !reached {
            return Err(Refusal::NothingToWaive);
        }
        Ok(vec![CaseFact::LimitWaived {
            limit,
            reason: self.told("reason", reason)?,
        }])
    }

    fn give_result(
        &self,
        words: String,
        evidence: Vec<AttachmentRef>,
        place_proof: Option<PlaceProof>,
    ) -> Facts {
        match &self.filed.stage {
            Stage::Handling { offered: None, .. } => {}
            stage => return Err(out_of_turn(stage)),
        }
        let words = self.told("words", words)?;
        let place_evidence = match place_proof {
            Some(PlaceProof::AfterPhoto(photo)) => PlaceEvidence::AfterPhoto(photo),
            Some(PlaceProof::WhyNot(reason)) => PlaceEvidence::WhyNot(self.told("place_proof", reason)?),
            None if self.filed.place_bound => return Err(Refusal::PlaceProofMissing),
            None => PlaceEvidence::NotPlaceBound,
        };
        let window = Term::Days(self.rules.policy.rating.days);
        let rate_until = Deadline::new(self.rules, self.at, window).due_at;
        let round = self.filed.rounds + 1;
        Ok(vec![CaseFact::ResultGiven {
            round,
            words,
            evidence,
            place_evidence,
            rate_until,
        }])
    }

    fn rate(&self, rating: Rating) -> Facts {
        let Rating {
            verdict,
            score,
            reason,
        } = rating;
        match &self.filed.stage {
            Stage::ResultGiven { rate_until, .. } if self.at > *rate_until => {
                return Err(Refusal::WindowEnded {
                    ended_at: *rate_until,
                });
            }
            Stage::ResultGiven { .. } => {}
            Stage::Closed {
                reason: CloseReason::Rated,
                ..
            } => return Err(Refusal::AlreadyRated),
            stage => return Err(out_of_turn(stage)),
        }
        if !(1..=5).contains(&score) {
            return Err(Refusal::ScoreOutOfRange);
        }
        let reason = optional("reason", reason)?;
        let round = self.filed.rounds;
        let told =
            |reason: &Option<String>| reason.clone().map(|reason| Private::of_case(self.case(), reason));
        let rated = CaseFact::ResultRated {
            round,
            verdict,
            score,
            reason: told(&reason),
        };
        match (verdict, reason) {
            (Verdict::NotSolved, None) => Err(Refusal::ReasonMissing),
            (Verdict::NotSolved, Some(reason)) => Ok(vec![rated, self.reopened(reason)]),
            _ => Ok(vec![
                rated,
                CaseFact::CaseClosed {
                    reason: CloseReason::Rated,
                    reply: None,
                },
            ]),
        }
    }

    fn reopen(&self, reason: String) -> Facts {
        match &self.filed.stage {
            Stage::Closed {
                reopen_until: Some(until),
                ..
            } if self.at > *until => Err(Refusal::WindowEnded { ended_at: *until }),
            Stage::Closed {
                reopen_until: Some(_),
                ..
            } => Ok(vec![self.reopened(written("reason", reason)?)]),
            stage => Err(out_of_turn(stage)),
        }
    }

    /// The redo gets a clock of its own; the first result's clock is never restarted.
    fn reopened(&self, reason: String) -> CaseFact {
        let Filed {
            kind,
            class,
            category,
            ..
        } = self.filed;
        CaseFact::CaseReopened {
            redo: if self.filed.rounds >= 2 {
                Redo::Supervisor
            } else {
                Redo::SomebodyElse
            },
            reason: Private::of_case(self.case(), reason),
            result_due: Some(result_deadline(self.rules, self.at, *kind, *class, category)),
        }
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
