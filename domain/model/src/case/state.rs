use super::event::{CaseEvent, CaseFact, CaseSubmitted, CloseReason, Redo, RunOnceLimit};
use crate::{
    access::CaseRelation,
    clocks::Deadline,
    policy::AppealClass,
    primitives::{
        CaseId, CaseKind, CaseNumber, ContactDistrictCode, DivisionCode, PersonId, StaffId, UnitCode,
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
    pub person: PersonId,
    pub division: DivisionCode,
    pub contact_district: Option<ContactDistrictCode>,
    pub contact_cadre: Option<StaffId>,
    pub accepted_at: Option<DateTime<Utc>>,
    pub contacted_at: Option<DateTime<Utc>>,
    pub result_due: Option<Deadline>,
    /// How many results have been given.
    pub rounds: u32,
    pub tally: Tally,
    pub stage: Stage,
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// Waits for the holder to accept, or for the offered unit to take over.
    Submitted {
        holder: UnitCode,
        offered: Option<UnitCode>,
    },
    Accepted {
        holder: UnitCode,
    },
    Handling {
        unit: UnitCode,
        offered: Option<UnitCode>,
    },
    AwaitingResident {
        unit: UnitCode,
        request: OpenRequest,
    },
    /// Waits for the verdict.
    ResultGiven {
        unit: UnitCode,
        rate_until: DateTime<Utc>,
    },
    Closed {
        unit: UnitCode,
        reason: CloseReason,
        reopen_until: Option<DateTime<Utc>>,
    },
    Withdrawn {
        unit: UnitCode,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenRequest {
    pub kinds: Vec<String>,
    pub asked_at: DateTime<Utc>,
    pub answer_due: DateTime<Utc>,
}

/// Who has the case now. Exactly one at any instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    Unit(&'a UnitCode),
    Resident,
    /// It has ended.
    Nobody,
}

impl Stage {
    /// The stable name used in SQL, JSON and catalogue keys.
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Submitted { offered: None, .. } => "submitted",
            Stage::Submitted { offered: Some(_), .. } => "declined",
            Stage::Accepted { .. } => "accepted",
            Stage::Handling { .. } => "handling",
            Stage::AwaitingResident { .. } => "awaiting_resident",
            Stage::ResultGiven { .. } => "result_given",
            Stage::Closed { .. } => "closed",
            Stage::Withdrawn { .. } => "withdrawn",
        }
    }

    pub const NAMES: [&'static str; 8] = [
        "submitted",
        "declined",
        "accepted",
        "handling",
        "awaiting_resident",
        "result_given",
        "closed",
        "withdrawn",
    ];

    pub fn holder(&self) -> Holder<'_> {
        match self {
            Stage::Submitted { holder, .. } | Stage::Accepted { holder } => Holder::Unit(holder),
            Stage::Handling { unit, .. } => Holder::Unit(unit),
            Stage::AwaitingResident { .. } | Stage::ResultGiven { .. } => Holder::Resident,
            Stage::Closed { .. } | Stage::Withdrawn { .. } => Holder::Nobody,
        }
    }

    /// The unit that answers for the case at this stage, also while the resident has it; the last one, once it has
    /// ended.
    pub fn unit(&self) -> Option<&UnitCode> {
        match self {
            Stage::Submitted { holder, .. } | Stage::Accepted { holder } => Some(holder),
            Stage::Handling { unit, .. }
            | Stage::AwaitingResident { unit, .. }
            | Stage::ResultGiven { unit, .. }
            | Stage::Closed { unit, .. }
            | Stage::Withdrawn { unit } => Some(unit),
        }
    }

    pub fn offered_to(&self) -> Option<&UnitCode> {
        match self {
            Stage::Submitted { offered, .. } | Stage::Handling { offered, .. } => offered.as_ref(),
            _ => None,
        }
    }

    pub fn has_ended(&self) -> bool {
        matches!(self, Stage::Closed { .. } | Stage::Withdrawn { .. })
    }
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
        match (self, &event.fact) {
            (Case::Unfiled, CaseFact::CaseSubmitted(submitted)) => {
                Case::Filed(Box::new(Filed::new(submitted)))
            }
            (Case::Filed(mut filed), fact) => {
                filed.apply(event.at, fact);
                Case::Filed(filed)
            }
            (Case::Unfiled, _) => Case::Unfiled,
        }
    }
}

impl Filed {
    fn new(submitted: &CaseSubmitted) -> Filed {
        Filed {
            case: submitted.case,
            number: submitted.number.clone(),
            kind: submitted.kind,
            class: submitted.class,
            category: submitted.category.clone(),
            place_bound: submitted.place_bound,
            person: submitted.person,
            division: submitted.place.division.clone(),
            contact_district: submitted.place.contact_district.clone(),
            contact_cadre: None,
            accepted_at: None,
            contacted_at: None,
            result_due: submitted.result_due.clone(),
            rounds: 0,
            tally: Tally::default(),
            stage: Stage::Submitted {
                holder: submitted.first_receiver.clone(),
                offered: None,
            },
        }
    }

    fn apply(&mut self, at: DateTime<Utc>, fact: &CaseFact) {
        let unit = self.stage.unit().cloned().unwrap_or_else(|| UnitCode::from(""));
        match fact {
            CaseFact::CaseSubmitted(_) | CaseFact::SupplementAdded { .. } => {}
            CaseFact::CaseAccepted { .. } => {
                self.accepted_at = Some(at);
                self.stage = Stage::Accepted { holder: unit };
            }
            CaseFact::CaseDeclined { next_owner, .. } => {
                self.stage = Stage::Submitted {
                    holder: unit,
                    offered: Some(next_owner.clone()),
                };
            }
            CaseFact::CaseAssigned { unit, contact_cadre } => {
                if contact_cadre.is_some() {
                    self.contact_cadre = *contact_cadre;
                }
                self.stage = Stage::Handling {
                    unit: unit.clone(),
                    offered: None,
                };
            }
            CaseFact::HandOverOffered { to, .. } => {
                self.stage = Stage::Handling {
                    unit,
                    offered: Some(to.clone()),
                };
            }
            CaseFact::HandOverTaken { unit: taker } => self.hand_over(taker.clone()),
            CaseFact::HandOverReturned { .. } => self.hand_over(unit),
            CaseFact::FollowUpRecorded { kind, reached, .. } => {
                if *reached && kind.is_with_resident() && self.contacted_at.is_none() {
                    self.contacted_at = Some(at);
                }
            }
            CaseFact::TripAsked { .. } => self.tally.trips += 1,
            CaseFact::MaterialsRequested { items, answer_due } => {
                self.tally.material_requests += 1;
                let kinds = items.iter().map(|item| item.kind.clone()).collect();
                let request = OpenRequest {
                    kinds,
                    asked_at: at,
                    answer_due: answer_due.due_at,
                };
                self.stage = Stage::AwaitingResident { unit, request };
            }
            CaseFact::MaterialsAnswered { result_due, .. } | CaseFact::SilenceRecorded { result_due } => {
                self.result_due.clone_from(result_due);
                self.stage = Stage::Handling { unit, offered: None };
            }
            CaseFact::LimitWaived { limit, .. } => match limit {
                RunOnceLimit::Trip => self.tally.trip_waivers += 1,
                RunOnceLimit::MaterialRequest => self.tally.material_request_waivers += 1,
                RunOnceLimit::HeldPaper => self.tally.held_paper_waivers += 1,
            },
            CaseFact::ResultGiven {
                round, rate_until, ..
            } => {
                self.rounds = *round;
                self.stage = Stage::ResultGiven {
                    unit,
                    rate_until: *rate_until,
                };
            }
            CaseFact::ResultRated { .. } => {}
            CaseFact::CaseReopened { redo, result_due, .. } => {
                self.result_due.clone_from(result_due);
                self.stage = match redo {
                    Redo::SomebodyElse => Stage::Handling { unit, offered: None },
                    Redo::Supervisor => Stage::Accepted { holder: unit },
                };
            }
            CaseFact::CaseWithdrawn { .. } => self.stage = Stage::Withdrawn { unit },
            CaseFact::CaseClosed { reason, .. } => {
                let reopen_until = match self.stage {
                    Stage::ResultGiven { rate_until, .. } => Some(rate_until),
                    _ => None,
                };
                self.stage = Stage::Closed {
                    unit,
                    reason: reason.clone(),
                    reopen_until,
                };
            }
        }
    }

    fn hand_over(&mut self, to: UnitCode) {
        self.stage = match self.stage {
            Stage::Submitted { .. } => Stage::Submitted {
                holder: to,
                offered: None,
            },
            _ => Stage::Handling {
                unit: to,
                offered: None,
            },
        };
    }

    /// What stands between people and this case, for [`crate::access::authorize`].
    pub fn relation(&self) -> CaseRelation {
        CaseRelation {
            case: self.case,
            division: self.division.clone(),
            contact_district: self.contact_district.clone(),
            contact_cadre: self.contact_cadre,
            unit: self.stage.unit().cloned(),
            offered_to: self.stage.offered_to().cloned(),
            with_supervisor: self.is_with_supervisor(),
        }
    }

    /// Whether the resident's redo has gone to the supervisor, who alone may assign it again.
    pub fn is_with_supervisor(&self) -> bool {
        self.rounds >= 2 && matches!(self.stage, Stage::Accepted { .. })
    }
}
