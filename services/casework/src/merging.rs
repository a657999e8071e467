//! Cases that are handled with another one: each is answered under its own number when that one is, and goes its own way
//! again where that one ends without an answer.

use crate::{Casework, Submitted, error::CaseworkError};
use chrono::NaiveDate;
use onetrip_event_log::{Cursor, LogError, Opener, Outcome, RequestKey, Why};
use onetrip_i18n::{Locale, t};
use onetrip_model::{
    By, CaseAct, CaseFact, CaseId, Channel, Subject,
    access::is_shared,
    case::{Filed, PlaceEvidence, PlaceProof, ReviewDecision, Stage, WORDS_CHARS_MAX},
};
use onetrip_read_models::{TimelineEntry, histories, run_once::Merge};
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
        // As the log has it now: what a read model has not seen yet may have sent the result back, and told once, it cannot be
        // taken back.
        let (case, newest) = self.log().load(&lead.to_string()).await?;
        let Some(filed) = case.filed() else {
            return Ok(None);
        };
        if !filed.has_result() {
            return Ok(filed.stage.has_ended().then_some(LeadOutcome::Ended));
        }
        let mut connection = self.pool().acquire().await?;
        let history = histories(&mut connection, &[(lead, newest)]).await?.remove(&lead);
        let opener = self
            .vault()
            .opener(&mut connection, [Subject::Case(lead)])
            .await?;
        let answer = answer(&history.unwrap_or_default().timeline, &opener)?;
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
        let act = match outcome {
            LeadOutcome::Answered(answer) => answer.given_to(filed),
            LeadOutcome::Ended => CaseAct::Unmerge {
                reason: in_every_language("merged-lead-ended"),
            },
        };
        let request = RequestKey {
            actor: "service:merging".to_owned(),
            key: Uuid::new_v5(&merge.member.0, format!("told/{version}").as_bytes()).to_string(),
            body_hash: [0; 32],
        };
        let command = self.case_command(act, By::Service, Channel::Service);
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

    /// Has a case that was just filed handled with an open one of the same matter, as its resident wished. Filed it is
    /// whatever comes of this: where it can no longer be done, it goes its own way.
    pub(crate) async fn handle_with(
        &self,
        submitted: Submitted,
        lead: CaseId,
        channel: Channel,
        request: &RequestKey,
    ) -> Submitted {
        match self.try_handle_with(submitted.case, lead, channel, request).await {
            Ok((version, cursor)) => merged(submitted, version, cursor),
            Err(error) => {
                tracing::info!(case = %submitted.case, %error, "filed, and not handled with another case");
                submitted
            }
        }
    }

    /// What was told of a submission that is sent again.
    pub(crate) async fn handled_with_before(
        &self,
        submitted: Submitted,
        request: &RequestKey,
    ) -> Result<Submitted, CaseworkError> {
        let before = self
            .log()
            .answered(&merging_after(submitted.case, request))
            .await?;
        Ok(match before {
            Some(answer) => merged(submitted, answer.version, answer.cursor),
            None => submitted,
        })
    }

    async fn try_handle_with(
        &self,
        case: CaseId,
        lead: CaseId,
        channel: Channel,
        request: &RequestKey,
    ) -> Result<(u64, Cursor), CaseworkError> {
        let (found, _) = self.log().load(&lead.to_string()).await?;
        let filed = found.filed().ok_or(CaseworkError::NotFound)?;
        if !is_shared(&self.rules().policy, filed) {
            return Err(CaseworkError::NotFound);
        }
        let act = CaseAct::Merge {
            into: lead,
            into_number: filed.number.clone(),
            reason: in_every_language("merged-by-resident"),
        };
        // The service does it: accepting a case is no resident's act.
        let command = self.case_command(act, By::Service, channel);
        let why = Why::request(Uuid::now_v7());
        let request = merging_after(case, request);
        let id = case.to_string();
        let done = self.log().execute(&id, command, None, &why, Some(&request), None);
        match done.await? {
            Outcome::Appended(appended) => Ok((appended.version, appended.cursor)),
            Outcome::Replayed(answer) => Ok((answer.version, answer.cursor)),
            Outcome::Unchanged { .. } => Err(CaseworkError::internal("a merge changed nothing")),
        }
    }
}

impl Answer {
    /// Photos stay with the case that they were taken for. So does a promise: it is kept once, and has one clock.
    fn given_to(&self, member: &Filed) -> CaseAct {
        let why_no_photo = || {
            self.why_no_photo
                .clone()
                .unwrap_or_else(|| in_every_language("merged-photo"))
        };
        let told = self
            .promise
            .as_ref()
            .map(|(promise, by)| format!("{}\n{promise} ({by})", self.words))
            .filter(|told| told.chars().count() <= WORDS_CHARS_MAX);
        CaseAct::GiveResult {
            words: told.unwrap_or_else(|| self.words.clone()),
            evidence: Vec::new(),
            place_proof: member.place_bound.then(|| PlaceProof::WhyNot(why_no_photo())),
            promise: None,
        }
    }
}

fn merged(submitted: Submitted, version: u64, cursor: Cursor) -> Submitted {
    Submitted {
        with_another: true,
        version,
        cursor,
        ..submitted
    }
}

/// The key of what follows a submission with this one.
fn merging_after(case: CaseId, submission: &RequestKey) -> RequestKey {
    let named = format!("{}/{}", submission.actor, submission.key);
    RequestKey {
        actor: "service:merging".to_owned(),
        key: Uuid::new_v5(&case.0, named.as_bytes()).to_string(),
        body_hash: [0; 32],
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
            CaseFact::PromiseKept { .. } => {
                answer = answer.map(|answer| Answer {
                    promise: None,
                    ..answer
                });
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

/// Keys of what the service itself writes into a case.
const BY_THE_SERVICE: [&str; 3] = ["merged-by-resident", "merged-lead-ended", "merged-photo"];

/// What the service itself writes into a case is read by whoever opens it, in whatever language they read.
fn in_every_language(key: &str) -> String {
    Locale::ALL.map(|locale| t(locale, key)).join("\n")
}

/// Words that the service wrote, in one language; None where they are anybody else's.
pub fn by_the_service(words: &str, locale: Locale) -> Option<String> {
    let key = BY_THE_SERVICE
        .into_iter()
        .find(|key| in_every_language(key) == words)?;
    Some(t(locale, key))
}
