use super::{
    event::{
        CaseEvent, CaseFact, CaseSubmitted, CloseReason, Redo, ReviewDecision, ReviewLevel, RunOnceLimit,
        Verdict,
    },
    holding::Holding,
    running::{CaseClock, CaseClocks},
    stage::{OpenRequest, Stage},
};
use crate::{
    access::CaseRelation,
    clocks::{ClockKind, PauseReason},
    policy::AppealClass,
    primitives::{
        By, CaseId, CaseKind, CaseNumber, ContactDistrictCode, DivisionCode, PersonId, StaffId, Tier,
        UnitCode,
    },
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What the decisions need to know of a case; nothing personal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Case {
    #[default]
    Unfiled,
    Filed(Box<Filed>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filed {
    pub case: CaseId,
    pub number: CaseNumber,
    pub kind: CaseKind,
    pub class: Option<AppealClass>,
    pub category: String,
    pub place_bound: bool,
    /// Comes from another system, whose targets are kept and whose clocks are not ours.
    #[serde(default, skip_serializing_if = "is_false")]
    pub imported: bool,
    /// The resident can be reached.
    pub named: bool,
    pub person: PersonId,
    pub division: DivisionCode,
    pub contact_district: Option<ContactDistrictCode>,
    pub contact_cadre: Option<StaffId>,
    /// Units that do it together with the one that leads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joint_units: Vec<UnitCode>,
    pub accepted_at: Option<DateTime<Utc>>,
    pub contacted_at: Option<DateTime<Utc>>,
    /// How many results have been given.
    pub rounds: u32,
    /// How often something was added to it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub supplements: u32,
    /// How often it was to be done again because it was not solved.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reopenings: u32,
    /// How often another unit has taken it over.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hops: u32,
    pub tally: Tally,
    /// Only the supervisor may say who handles it now.
    #[serde(default, skip_serializing_if = "is_false")]
    pub with_supervisor: bool,
    /// Who gave the newest result, where it is a member of staff: a redo is for somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_by: Option<StaffId>,
    /// Has to be done again, by somebody else than who did it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_redo: bool,
    /// The newest second look that has decided, and who did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<Reviewed>,
    /// What has been escalated since the newest result was owed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
    pub clocks: CaseClocks,
    pub holding: Holding,
    pub stage: Stage,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// One step up the tiers, for the lateness of one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    pub clock: ClockKind,
    pub percent: u16,
    pub to: Tier,
}

/// A second look that has decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reviewed {
    pub level: ReviewLevel,
    pub by: Option<StaffId>,
}

/// How often each limit of the run-once rule was used, and widened by a supervisor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub trips: u32,
    pub trip_waivers: u32,
    pub material_requests: u32,
    pub material_request_waivers: u32,
    pub held_paper_waivers: u32,
}

impl Case {
    pub fn filed(&self) -> Option<&Filed> {
        match self {
            Case::Unfiled => None,
            Case::Filed(filed) => Some(filed),
        }
    }

    /// The case after an event. Never fails: the event has happened.
    pub fn evolve(self, event: &CaseEvent) -> Case {
        let mut case = self.after_fact(event);
        if let Case::Filed(filed) = &mut case {
            filed.clocks.set(&event.deadlines);
        }
        case
    }

    /// The case after an event whose deadlines are still to be said.
    pub(super) fn after_fact(self, event: &CaseEvent) -> Case {
        match (self, &event.fact) {
            (Case::Unfiled, CaseFact::CaseSubmitted(submitted)) => {
                Case::Filed(Box::new(Filed::new(event.at, submitted)))
            }
            (Case::Filed(mut filed), fact) => {
                filed.apply(event.at, &event.by, fact);
                let holder = filed.stage.holder();
                filed.holding.pass(holder, event.at);
                Case::Filed(filed)
            }
            (Case::Unfiled, _) => Case::Unfiled,
        }
    }
}

impl Filed {
    fn new(at: DateTime<Utc>, submitted: &CaseSubmitted) -> Filed {
        let stage = Stage::Submitted {
            holder: submitted.first_receiver.clone(),
            offered: None,
        };
        let mut clocks = CaseClocks::default();
        for kind in [
            ClockKind::Contact,
            ClockKind::Receipt,
            ClockKind::Objection,
            ClockKind::Result,
        ] {
            clocks.start(kind, at);
        }
        let mut holding = Holding::default();
        holding.pass(stage.holder(), at);
        Filed {
            case: submitted.case,
            number: submitted.number.clone(),
            kind: submitted.kind,
            class: submitted.class,
            category: submitted.category.clone(),
            place_bound: submitted.place_bound,
            imported: submitted.source.is_some(),
            named: submitted.contact.is_some(),
            person: submitted.person,
            division: submitted.place.division.clone(),
            contact_district: submitted.place.contact_district.clone(),
            contact_cadre: None,
            joint_units: Vec::new(),
            accepted_at: None,
            contacted_at: None,
            rounds: 0,
            hops: 0,
            tally: Tally::default(),
            with_supervisor: false,
            result_by: None,
            is_redo: false,
            supplements: 0,
            reopenings: 0,
            reviewed: None,
            escalations: Vec::new(),
            clocks,
            holding,
            stage,
        }
    }

    fn apply(&mut self, at: DateTime<Utc>, by: &By, fact: &CaseFact) {
        let unit = self.stage.unit().clone();
        match fact {
            CaseFact::SupplementAdded { .. } => self.supplements += 1,
            CaseFact::CaseSubmitted(_)
            | CaseFact::ContributionGiven { .. }
            | CaseFact::CaseUrged { .. }
            | CaseFact::DeadlinesRecomputed { .. } => {}
            CaseFact::CaseAccepted {} => {
                self.accepted_at = Some(at);
                self.clocks.stop(ClockKind::Receipt, at);
                self.clocks.start(ClockKind::Legal, at);
                self.stage = Stage::Accepted { holder: unit };
            }
            CaseFact::CaseDeclined { next_owner, .. } => {
                self.clocks.stop(ClockKind::Objection, at);
                self.stage = Stage::Submitted {
                    holder: unit,
                    offered: Some(next_owner.clone()),
                };
            }
            CaseFact::CaseAssigned { unit, contact_cadre } => {
                if contact_cadre.is_some() {
                    self.contact_cadre = *contact_cadre;
                }
                self.with_supervisor = false;
                self.clocks.stop(ClockKind::RatingOwner, at);
                self.clocks.start(ClockKind::Objection, at);
                self.joint_units.retain(|joint| joint != unit);
                self.handle_at(unit.clone());
            }
            CaseFact::HandOverOffered { to, .. } => {
                self.clocks.stop(ClockKind::Objection, at);
                self.stage = Stage::Handling {
                    unit,
                    offered: Some(to.clone()),
                };
            }
            CaseFact::HandOverTaken { unit: taker } => {
                self.hops += 1;
                self.clocks.start(ClockKind::Objection, at);
                self.joint_units.retain(|joint| joint != taker);
                self.hand_over(taker.clone());
            }
            CaseFact::HandOverReturned { .. } => self.hand_over(unit),
            CaseFact::HandOverReferred { .. } => {
                self.clocks.stop(ClockKind::Objection, at);
                self.with_supervisor = true;
                if matches!(self.stage, Stage::Handling { .. }) {
                    self.stage = Stage::Accepted { holder: unit };
                }
            }
            CaseFact::JointHandlingOrdered { units, .. } => self.joint_units.clone_from(units),
            CaseFact::FollowUpRecorded { kind, reached, .. } => {
                if *reached && kind.is_with_resident() && self.contacted_at.is_none() {
                    self.contacted_at = Some(at);
                    self.clocks.stop(ClockKind::Contact, at);
                }
            }
            CaseFact::TripAsked { .. } => self.tally.trips += 1,
            CaseFact::MaterialsRequested { items, .. } => {
                self.tally.material_requests += 1;
                let kinds = items.iter().map(|item| item.kind.clone()).collect();
                let request = OpenRequest { kinds, asked_at: at };
                self.clocks.pause(PauseReason::MaterialsRequested, at);
                self.clocks.start(ClockKind::Materials, at);
                self.stage = Stage::AwaitingResident { unit, request };
            }
            CaseFact::MaterialsAnswered { .. } | CaseFact::SilenceRecorded {} => {
                self.clocks.end_pause(PauseReason::MaterialsRequested, at);
                self.clocks.stop(ClockKind::Materials, at);
                self.handle_at(unit);
            }
            CaseFact::LawPauseBegun { kind, .. } => {
                self.clocks.pause((*kind).into(), at);
                let before = Box::new(self.stage.clone());
                self.stage = Stage::LawPause { kind: *kind, before };
            }
            CaseFact::LawPauseEnded {} => {
                if let Stage::LawPause { kind, before } = &self.stage {
                    self.clocks.end_pause((*kind).into(), at);
                    self.stage = *before.clone();
                }
            }
            CaseFact::LegalLimitExtended { days, .. } => self.clocks.extend(ClockKind::Legal, *days),
            CaseFact::LimitWaived { limit, .. } => match limit {
                RunOnceLimit::Trip => self.tally.trip_waivers += 1,
                RunOnceLimit::MaterialRequest => self.tally.material_request_waivers += 1,
                RunOnceLimit::HeldPaper => self.tally.held_paper_waivers += 1,
            },
            CaseFact::ResultGiven { round, .. } => {
                self.rounds = *round;
                self.result_by = by.staff();
                self.is_redo = false;
                self.escalations.clear();
                for kind in [
                    ClockKind::Receipt,
                    ClockKind::Objection,
                    ClockKind::Result,
                    ClockKind::Redo,
                    ClockKind::RatingOwner,
                ] {
                    self.clocks.stop(kind, at);
                }
                self.clocks.pause(PauseReason::AwaitingVerdict, at);
                self.clocks.start(ClockKind::Rating, at);
                self.clocks.start(ClockKind::AskReview, at);
                self.stage = Stage::ResultGiven { unit };
            }
            CaseFact::PromiseMade { .. } => self.clocks.start(ClockKind::Promise, at),
            CaseFact::PromiseKept { .. } => self.clocks.stop(ClockKind::Promise, at),
            CaseFact::ResultRated { verdict, score, .. } => {
                if self.named && is_bad(*verdict, *score) {
                    self.clocks.start(ClockKind::RatingOwner, at);
                }
            }
            CaseFact::RatingOwned {} => self.clocks.stop(ClockKind::RatingOwner, at),
            CaseFact::CaseReopened { redo, .. } => {
                self.reopenings += 1;
                self.go_on(at);
                match redo {
                    Redo::SomebodyElse => self.handle_at(unit),
                    Redo::Supervisor => {
                        self.with_supervisor = true;
                        self.stage = Stage::Accepted { holder: unit };
                    }
                }
            }
            CaseFact::ReviewAsked { level, .. } => {
                let (window, clock) = match level {
                    ReviewLevel::Review => (ClockKind::AskReview, ClockKind::Review),
                    ReviewLevel::FinalReview => (ClockKind::AskFinalReview, ClockKind::FinalReview),
                };
                self.clocks.stop(window, at);
                self.clocks.stop(ClockKind::Rating, at);
                self.clocks.start(clock, at);
                self.stage = Stage::UnderReview { unit, level: *level };
            }
            CaseFact::ReviewDecided { level, decision, .. } => {
                self.reviewed = Some(Reviewed {
                    level: *level,
                    by: by.staff(),
                });
                self.clocks.stop(
                    match level {
                        ReviewLevel::Review => ClockKind::Review,
                        ReviewLevel::FinalReview => ClockKind::FinalReview,
                    },
                    at,
                );
                match decision {
                    ReviewDecision::SentBack => {
                        self.go_on(at);
                        self.handle_at(unit);
                    }
                    ReviewDecision::Upheld | ReviewDecision::Changed => {
                        if *level == ReviewLevel::Review {
                            self.clocks.start(ClockKind::AskFinalReview, at);
                        }
                    }
                }
            }
            CaseFact::CaseMerged {
                into, into_number, ..
            } => {
                let before = Box::new(self.stage.clone());
                self.stage = Stage::Merged {
                    into: *into,
                    into_number: into_number.clone(),
                    before,
                };
            }
            CaseFact::CaseUnmerged { .. } => {
                if let Stage::Merged { before, .. } = &self.stage {
                    self.stage = *before.clone();
                }
            }
            CaseFact::WarningRaised { clock, percent } => self.clocks.raise(*clock, *percent, at),
            CaseFact::LimitBreached { clock } => self.clocks.raise(*clock, 100, at),
            CaseFact::CaseEscalated { clock, percent, to } => {
                self.clocks.raise(*clock, *percent, at);
                self.escalations.push(Escalation {
                    clock: *clock,
                    percent: *percent,
                    to: *to,
                });
            }
            CaseFact::RaisingWithdrawn { clock, percent } => {
                self.clocks.withdraw(*clock, *percent);
                self.escalations
                    .retain(|step| (step.clock, step.percent) != (*clock, *percent));
            }
            CaseFact::CaseWithdrawn { .. } => {
                self.end(at);
                self.stage = Stage::Withdrawn { unit };
            }
            CaseFact::CaseClosed { reason, .. } => {
                self.end(at);
                self.stage = Stage::Closed {
                    unit,
                    reason: reason.clone(),
                };
            }
        }
    }

    /// It is owed a result again, on a clock of its own; the total time runs on.
    fn go_on(&mut self, at: DateTime<Utc>) {
        self.is_redo = true;
        self.clocks.stop(ClockKind::Rating, at);
        self.clocks.stop(ClockKind::AskReview, at);
        self.clocks.end_pause(PauseReason::AwaitingVerdict, at);
        self.clocks.resume(ClockKind::Legal);
        self.clocks.start(ClockKind::Redo, at);
    }

    /// Nothing is owed any more but what outlives a closing: a promise, the owner of a bad rating, and the resident's
    /// windows.
    fn end(&mut self, at: DateTime<Utc>) {
        for kind in [
            ClockKind::Contact,
            ClockKind::Receipt,
            ClockKind::Objection,
            ClockKind::Result,
            ClockKind::Redo,
            ClockKind::Legal,
            ClockKind::Materials,
            ClockKind::Review,
            ClockKind::FinalReview,
        ] {
            self.clocks.stop(kind, at);
        }
    }

    fn handle_at(&mut self, unit: UnitCode) {
        self.stage = Stage::Handling { unit, offered: None };
    }

    fn hand_over(&mut self, to: UnitCode) {
        match self.stage {
            Stage::Submitted { .. } => {
                self.stage = Stage::Submitted {
                    holder: to,
                    offered: None,
                };
            }
            _ => self.handle_at(to),
        }
    }

    /// What stands between people and this case, for [`crate::access::authorize`].
    pub fn relation(&self) -> CaseRelation {
        CaseRelation {
            case: self.case,
            division: self.division.clone(),
            contact_district: self.contact_district.clone(),
            contact_cadre: self.contact_cadre,
            unit: Some(self.stage.unit().clone()),
            offered_to: self.stage.offered_to().cloned(),
            joint_units: self.joint_units.clone(),
            with_supervisor: self.with_supervisor,
            is_handled: matches!(self.stage, Stage::Handling { .. }),
            under_review: self.under_review(),
        }
    }

    /// The highest tier that it was escalated to since the newest result was owed.
    pub fn escalated_to(&self) -> Option<Tier> {
        self.escalations.iter().map(|step| step.to).min()
    }

    /// A result is still to come: none stands, waits for its verdict or is looked at again.
    pub fn owes_result(&self) -> bool {
        !self.stage.has_ended() && !self.has_result() && self.under_review().is_none()
    }

    pub fn is_merged(&self) -> bool {
        matches!(self.stage, Stage::Merged { .. })
    }

    /// What staff still owe when a case has its answer: what the reply promised, an owner for a bad rating.
    pub fn duties(&self) -> impl Iterator<Item = &CaseClock> {
        let duties = [ClockKind::Promise, ClockKind::RatingOwner];
        duties.into_iter().filter_map(|duty| self.clocks.running(duty))
    }

    /// Whether there is something for staff to do, or to wait for: it has not ended, or something is still owed.
    pub fn is_work(&self) -> bool {
        !self.stage.has_ended() || self.duties().next().is_some()
    }

    /// Whether somebody else's case may be handled with it without asking staff, where its category is shared: it is about a
    /// thing of the public street, never a complaint, and on its way to its first result. An answer that was written for one
    /// resident is not given to whoever comes next.
    pub fn is_joinable(&self) -> bool {
        self.place_bound
            && self.class != Some(AppealClass::Complaint)
            && self.owes_result()
            && self.rounds == 0
            && !self.is_merged()
    }

    /// The second look that is being taken at it, also while a hearing holds it up.
    pub fn under_review(&self) -> Option<ReviewLevel> {
        match &self.stage {
            Stage::UnderReview { level, .. } => Some(*level),
            Stage::LawPause { before, .. } => match **before {
                Stage::UnderReview { level, .. } => Some(level),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it was closed on a result that the resident may still have done again; until when says its window. After a
    /// review there is the next review.
    pub fn may_reopen(&self) -> bool {
        match &self.stage {
            Stage::Closed { reason, .. } => match reason {
                CloseReason::Rated | CloseReason::Unrated | CloseReason::Source { .. } => true,
                CloseReason::Outside { .. } | CloseReason::Reviewed => false,
            },
            _ => false,
        }
    }

    /// Which second look the resident may ask for on the result that stands, and until when; nothing follows the final one.
    pub fn review_window(&self) -> Option<(ReviewLevel, DateTime<Utc>)> {
        if !self.has_result() {
            return None;
        }
        let (level, window) = match self.reviewed.as_ref().map(|reviewed| reviewed.level) {
            None => (ReviewLevel::Review, ClockKind::AskReview),
            Some(ReviewLevel::Review) => (ReviewLevel::FinalReview, ClockKind::AskFinalReview),
            Some(ReviewLevel::FinalReview) => return None,
        };
        // A result given after a review that sent the case back has a window of its own.
        let running = [window, ClockKind::AskReview].map(|window| self.clocks.running(window));
        let until = running
            .into_iter()
            .flatten()
            .map(|clock| clock.deadline.due_at)
            .max()?;
        Some((level, until))
    }

    pub fn is_finally_reviewed(&self) -> bool {
        let level = self.reviewed.as_ref().map(|reviewed| reviewed.level);
        level == Some(ReviewLevel::FinalReview)
    }

    /// Closed after a result, or waiting for a verdict on it.
    pub fn has_result(&self) -> bool {
        match &self.stage {
            Stage::ResultGiven { .. } => true,
            Stage::Closed { reason, .. } => !matches!(reason, CloseReason::Outside { .. }),
            _ => false,
        }
    }
}

/// A verdict that somebody has to look into: "not solved", or worse than 3 of 5.
fn is_bad(verdict: Verdict, score: u8) -> bool {
    verdict == Verdict::NotSolved || score < crate::figures::SATISFIED_FROM
}
