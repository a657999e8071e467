use crate::rules;
use chrono::{DateTime, Utc};
use onetrip_model::{
    By, CaseEvent, CaseFact, CaseId, PersonId, UnitCode,
    case::{ReviewDecision, ReviewLevel, RunOnceLimit},
};
use std::collections::BTreeMap;

/// What the run-once rule says of a case, counted from the events and nothing else: what the ledger is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub person: PersonId,
    pub matter: String,
    pub trips: u32,
    pub trips_waived: u32,
    pub requests: u32,
    pub requests_waived: u32,
    pub held_papers_waived: u32,
    pub breaches: Vec<CountedBreach>,
    /// Nobody else may file it.
    pub open: bool,
    pub finally_reviewed: bool,
    /// The case that it was merged into, and whether it still waits for the answer of that.
    pub lead: Option<(CaseId, bool)>,
    holder: UnitCode,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountedBreach {
    pub row: &'static str,
    /// Of the event: in this case, or in the later one.
    pub sequence: i64,
    pub unit: UnitCode,
    pub at: DateTime<Utc>,
    pub later_case: Option<CaseId>,
}

/// The accounts of all cases.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    pub cases: BTreeMap<CaseId, Account>,
    /// In which case, and since when, each paper of a resident is held.
    pub held: BTreeMap<(PersonId, String), (CaseId, DateTime<Utc>)>,
}

impl Accounts {
    /// Counts one event after the other, in the order of the log.
    pub fn count(&mut self, case: CaseId, sequence: i64, event: &CaseEvent) {
        if let CaseFact::CaseSubmitted(filed) = &event.fact {
            let account = Account {
                person: filed.person,
                matter: filed.matter.clone(),
                trips: 0,
                trips_waived: 0,
                requests: 0,
                requests_waived: 0,
                held_papers_waived: 0,
                breaches: Vec::new(),
                open: true,
                finally_reviewed: false,
                lead: None,
                holder: filed.first_receiver.clone(),
            };
            self.cases.insert(case, account);
            if let Some(closed) = filed.previous.and_then(|id| self.cases.get_mut(&id))
                && !(closed.finally_reviewed && filed.new_fact.is_some())
            {
                closed.breach("refiling", sequence, event.at, Some(case));
            }
            return;
        }
        let Some(account) = self.cases.get_mut(&case) else {
            return;
        };
        match &event.fact {
            CaseFact::TripAsked { .. } => account.trips += 1,
            CaseFact::MaterialsRequested { .. } => account.requests += 1,
            CaseFact::LimitWaived { limit, .. } => {
                *match limit {
                    RunOnceLimit::Trip => &mut account.trips_waived,
                    RunOnceLimit::MaterialRequest => &mut account.requests_waived,
                    RunOnceLimit::HeldPaper => &mut account.held_papers_waived,
                } += 1;
                account.breach(limit.as_str(), sequence, event.at, None);
            }
            CaseFact::HandOverReturned { .. } => account.breach("hand_over", sequence, event.at, None),
            CaseFact::HandOverTaken { unit } | CaseFact::CaseAssigned { unit, .. } => {
                account.holder = unit.clone();
            }
            CaseFact::MaterialsAnswered { handed_over, .. } => {
                for kind in handed_over {
                    let is_described = rules().policy.material(kind).is_none_or(|kind| kind.described);
                    if !is_described {
                        let paper = (account.person, kind.clone());
                        self.held.entry(paper).or_insert((case, event.at));
                    }
                }
            }
            CaseFact::CaseClosed { .. } => account.open = false,
            CaseFact::CaseWithdrawn { .. } => {
                account.open = false;
                account.told();
            }
            CaseFact::CaseReopened { .. } | CaseFact::ReviewAsked { .. } => account.open = true,
            CaseFact::ReviewDecided {
                level: ReviewLevel::FinalReview,
                decision: ReviewDecision::Upheld | ReviewDecision::Changed,
                ..
            } => account.finally_reviewed = true,
            CaseFact::CaseMerged { into, .. } => account.lead = Some((*into, true)),
            CaseFact::CaseUnmerged { .. } => account.lead = None,
            CaseFact::ResultGiven { .. } if event.by == By::Service => account.told(),
            _ => {}
        }
    }
}

impl Account {
    fn breach(&mut self, row: &'static str, sequence: i64, at: DateTime<Utc>, later_case: Option<CaseId>) {
        self.breaches.push(CountedBreach {
            row,
            sequence,
            unit: self.holder.clone(),
            at,
            later_case,
        });
    }

    fn told(&mut self) {
        if let Some((_, waits)) = &mut self.lead {
            *waits = false;
        }
    }
}
