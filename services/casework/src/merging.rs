//! Cases that are handled with another one: each is answered under its own number when that one is, and goes its own way
//! again where that one ends without an answer.

use crate::{Casework, error::CaseworkError};
use chrono::NaiveDate;
use onetrip_event_log::{LogError, Opener, RequestKey, Why};
use onetrip_i18n::{Locale, t};
use onetrip_model::{
    By, CaseAct, CaseCommand, CaseFact, CaseId, Channel, Subject,
    calendar::city_date,
    case::{Filed, PlaceEvidence, PlaceProof, Promise, ReviewDecision, Stage},
    clocks::ClockKind,
};
use onetrip_read_models::{
    case_file::{self, TimelineEntry},
    run_once::Merge,
};
use std::sync::Arc;
use uuid::Uuid;

/// What has become of a lead, as those are told of it that are handled with it.
#[derive(Clone, Debug)]
pub enum LeadOutcome {
    Answered(Answer),
    /// It ended without an answer, or its words have been erased.
    Ended,
}

/// A result that stands.
#[derive(Clone, Debug)]
pub struct Answer {
    words: String,
    /// Why there is no photo of the place, where the result says so.
    why_no_photo: Option<String>,
    promise: Option<(String, NaiveDate)>,
}

impl Casework {
    /// What has become of a case that others are handled with; None while it is on its way. A result that its own resident
    /// has sent back, or that is under review, is none yet.
    pub async fn lead_outcome(&self, lead: CaseId) -> Result<Option<LeadOutcome>, CaseworkError> {
        let mut connection = self.pool().acquire().await?;
        let Some(file) = case_file::by_id(&mut connection, lead).await? else {
            return Ok(None);
        };
        if !file.filed.has_result() {
            return Ok(file.filed.stage.has_ended().then_some(LeadOutcome::Ended));
        }
        let mut timeline = case_file::timeline(&mut connection, lead).await?;
        timeline.retain(|entry| entry.sequence <= file.version);
        let opener = self
            .vault()
            .opener(&mut connection, [Subject::Case(lead)])
            .await?;
        let answer = answer(&timeline, &opener)?;
        Ok(Some(answer.map_or(LeadOutcome::Ended, LeadOutcome::Answered)))
    }

    /// Tells a member what has become of its lead. Whoever tells it again, after a crash or beside another worker, finds it
    /// told.
    pub async fn tell_member(&self, merge: Merge, outcome: &LeadOutcome) -> Result<(), CaseworkError> {
        let id = merge.member.to_string();
        let (member, version) = self.log().load(&id).await?;
        let Some(filed) = member.filed() else {
            return Ok(());
        };
        if !matches!(&filed.stage, Stage::Merged { into, .. } if *into == merge.lead) {
            return Ok(());
        }
        let now = self.now();
        let act = match outcome {
            LeadOutcome::Answered(answer) => answer.given_to(filed, city_date(now)),
            LeadOutcome::Ended => CaseAct::Unmerge {
                reason: in_every_language("merged-lead-ended"),
            },
        };
        let request = RequestKey {
            actor: "service:merging".to_owned(),
            key: Uuid::new_v5(&merge.member.0, format!("told/{version}").as_bytes()).to_string(),
            body_hash: [0; 32],
        };
        let command = CaseCommand {
            at: now,
            by: By::Service,
            channel: Channel::Service,
            rules: Arc::clone(self.rules()),
            act,
        };
        let why = Why::request(Uuid::now_v7());
        // Only as it was seen: un-merged meanwhile, it has an answer of its own to come.
        let told = self
            .log()
            .execute(&id, command, Some(version), &why, Some(&request), None);
        match told.await {
            Ok(_) | Err(LogError::Stale { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Answer {
    /// Photos stay with the case that they were taken for.
    fn given_to(&self, member: &Filed, today: NaiveDate) -> CaseAct {
        let why_no_photo = || {
            self.why_no_photo
                .clone()
                .unwrap_or_else(|| in_every_language("merged-photo"))
        };
        let promised = self
            .promise
            .as_ref()
            .filter(|(_, by)| *by >= today && member.clocks.running(ClockKind::Promise).is_none());
        CaseAct::GiveResult {
            words: self.words.clone(),
            evidence: Vec::new(),
            place_proof: member.place_bound.then(|| PlaceProof::WhyNot(why_no_photo())),
            promise: promised.map(|(words, by)| Promise {
                words: words.clone(),
                by: *by,
            }),
        }
    }
}

/// The newest result with what was promised in it, or the words of a review in its place; None where they are erased.
fn answer(timeline: &[TimelineEntry], opener: &Opener) -> Result<Option<Answer>, CaseworkError> {
    let mut answer = None;
    for entry in timeline {
        match &entry.event.fact {
            CaseFact::ResultGiven {
                words,
                place_evidence,
                ..
            } => {
                let why_no_photo = match place_evidence {
                    PlaceEvidence::WhyNot(reason) => opener.open(reason)?,
                    PlaceEvidence::NotPlaceBound | PlaceEvidence::AfterPhoto(_) => None,
                };
                answer = opener.open(words)?.map(|words| Answer {
                    words,
                    why_no_photo,
                    promise: None,
                });
            }
            CaseFact::PromiseMade { words, by } => {
                let promise = opener.open(words)?.map(|words| (words, *by));
                answer = answer.map(|answer| Answer { promise, ..answer });
            }
            CaseFact::ReviewDecided {
                decision: ReviewDecision::Changed,
                words,
                ..
            } => {
                let words = opener.open(words)?;
                answer = answer
                    .zip(words)
                    .map(|(answer, words)| Answer { words, ..answer });
            }
            _ => {}
        }
    }
    Ok(answer)
}

/// What the service itself writes into a case is read by whoever opens it, in whatever language they read.
fn in_every_language(key: &str) -> String {
    Locale::ALL.map(|locale| t(locale, key)).join("\n")
}
