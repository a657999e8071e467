//! Everything that moves a filed case along.

use crate::{
    Casework,
    error::{CaseworkError, Fault},
    files::photos_max,
    submit::filled,
};
use chrono::NaiveDate;
use onetrip_event_log::{AppendHook, Cursor, LogError, Outcome, RequestKey, StoredAnswer, Why};
use onetrip_model::{
    CaseAct, CaseId, CaseKind, CaseNumber, Channel, PersonId, Refusal, StaffId, UnitCode,
    access::{Actor, authorize},
    case::{
        Filed, FollowUp, FollowUpKind, HeldPaper, LawPause, MaterialAsk, NextOwner, PlaceProof, Promise,
        Rating, ReviewDecision, RunOnceLimit, Verdict,
    },
};
use onetrip_read_models::run_once;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

/// Reloads after lost races before the caller is told.
const TRIES_MAX: u32 = 16;

/// An act on a case, as pages and the API send it. Photos are ids of waiting uploads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum ActInput {
    /// The resident adds something.
    AddSupplement {
        words: String,
        #[serde(default)]
        photos: Vec<Uuid>,
    },
    Accept {},
    /// Not ours: names the next owner, a unit here or one outside, and why.
    Decline {
        #[serde(default)]
        next_unit: Option<String>,
        #[serde(default)]
        outside: Option<String>,
        reason: String,
    },
    /// To a handling unit and, if named, a contact cadre; without one the contact district's own.
    Assign {
        unit: String,
        #[serde(default)]
        contact_cadre: Option<Uuid>,
    },
    OfferHandOver {
        to: String,
        reason: String,
    },
    TakeOver {},
    /// Ends an offer: the unit it was made to sends it back, the holder or the supervisor takes it back.
    ReturnHandOver {
        reason: String,
    },
    FollowUp {
        /// `contact`, `progress` or `call_back`.
        #[schema(value_type = String)]
        kind: FollowUpKind,
        reached: bool,
        words: String,
    },
    AskTrip {
        to_place: String,
        reason: String,
    },
    RequestMaterials {
        items: Vec<MaterialInput>,
    },
    AnswerRequest {
        #[serde(default)]
        handed_over: Vec<String>,
        #[serde(default)]
        words: String,
        #[serde(default)]
        photos: Vec<Uuid>,
    },
    RecordSilence {},
    /// A statutory hearing or an expert's time, told to the resident in writing: the clocks stand still.
    BeginLawPause {
        /// `hearing` or `expert`.
        #[schema(value_type = String)]
        kind: LawPause,
        notice: String,
    },
    EndLawPause {},
    /// The one extension of the outer legal limit.
    ExtendLegalLimit {
        days: u32,
        reason: String,
    },
    /// Units that do it together with the holder, who leads; none ends it.
    OrderJointHandling {
        units: Vec<String>,
        reason: String,
    },
    /// What one's own unit has done towards a case that another leads.
    Contribute {
        words: String,
    },
    /// `held_paper` lets the case ask for everything that is held of the resident; where nothing is, it is refused.
    WaiveLimit {
        /// `trip`, `material_request` or `held_paper`.
        #[schema(value_type = String)]
        limit: RunOnceLimit,
        reason: String,
    },
    GiveResult {
        words: String,
        #[serde(default)]
        photos: Vec<Uuid>,
        #[serde(default)]
        after_photo: Option<Uuid>,
        #[serde(default)]
        why_no_photo: Option<String>,
        /// Something that the result promises, and the city day by which.
        #[serde(default)]
        promise: Option<PromiseInput>,
    },
    KeepPromise {
        words: String,
        #[serde(default)]
        photos: Vec<Uuid>,
    },
    Rate {
        /// `solved`, `partly` or `not_solved`.
        #[schema(value_type = String)]
        verdict: Verdict,
        /// 1 to 5.
        #[schema(minimum = 1, maximum = 5)]
        score: u8,
        #[serde(default)]
        reason: Option<String>,
    },
    /// Takes a bad rating on.
    OwnRating {},
    Reopen {
        reason: String,
    },
    /// A review (复查) of the result, or after it the final review (复核).
    AskReview {
        reason: String,
    },
    DecideReview {
        /// `upheld`, `changed` or `sent_back`.
        #[schema(value_type = String)]
        decision: ReviewDecision,
        words: String,
    },
    /// Handles it with another case of the same matter from here on.
    Merge {
        /// Number of the other case.
        into: String,
        reason: String,
    },
    Unmerge {
        reason: String,
    },
    Withdraw {
        reason: String,
    },
    CloseUnrated {},
    /// Presses for action.
    Urge {
        words: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromiseInput {
    pub words: String,
    /// City day, such as 2026-12-01.
    pub by: NaiveDate,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaterialInput {
    /// Id of a kind of paper in the policy.
    pub kind: String,
    #[serde(default)]
    pub words: Option<String>,
}

impl ActInput {
    /// The stable name: label of the metric, catalogue key, `act` in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            ActInput::AddSupplement { .. } => "add_supplement",
            ActInput::Accept {} => "accept",
            ActInput::Decline { .. } => "decline",
            ActInput::Assign { .. } => "assign",
            ActInput::OfferHandOver { .. } => "offer_hand_over",
            ActInput::TakeOver {} => "take_over",
            ActInput::ReturnHandOver { .. } => "return_hand_over",
            ActInput::FollowUp { .. } => "follow_up",
            ActInput::AskTrip { .. } => "ask_trip",
            ActInput::RequestMaterials { .. } => "request_materials",
            ActInput::AnswerRequest { .. } => "answer_request",
            ActInput::RecordSilence {} => "record_silence",
            ActInput::WaiveLimit { .. } => "waive_limit",
            ActInput::GiveResult { .. } => "give_result",
            ActInput::Rate { .. } => "rate",
            ActInput::Reopen { .. } => "reopen",
            ActInput::Withdraw { .. } => "withdraw",
            ActInput::CloseUnrated {} => "close_unrated",
            ActInput::BeginLawPause { .. } => "begin_law_pause",
            ActInput::EndLawPause {} => "end_law_pause",
            ActInput::ExtendLegalLimit { .. } => "extend_legal_limit",
            ActInput::OrderJointHandling { .. } => "order_joint_handling",
            ActInput::Contribute { .. } => "contribute",
            ActInput::KeepPromise { .. } => "keep_promise",
            ActInput::OwnRating {} => "own_rating",
            ActInput::AskReview { .. } => "ask_review",
            ActInput::DecideReview { .. } => "decide_review",
            ActInput::Merge { .. } => "merge",
            ActInput::Unmerge { .. } => "unmerge",
            ActInput::Urge { .. } => "urge",
        }
    }

    /// Ids of all uploads that it uses.
    pub fn photos(&self) -> Vec<Uuid> {
        match self {
            ActInput::AddSupplement { photos, .. }
            | ActInput::AnswerRequest { photos, .. }
            | ActInput::KeepPromise { photos, .. } => photos.clone(),
            ActInput::GiveResult {
                photos, after_photo, ..
            } => photos.iter().chain(after_photo).copied().collect(),
            _ => Vec::new(),
        }
    }
}

/// What an act came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acted {
    pub case: CaseId,
    pub version: u64,
    /// None where nothing had to be written.
    pub cursor: Option<Cursor>,
}

/// The answer of an earlier request, if it was about this very case.
fn replayed(case: CaseId, answer: &StoredAnswer) -> Result<Acted, CaseworkError> {
    if answer.aggregate_id != case.to_string() {
        return Err(CaseworkError::KeyReused);
    }
    Ok(Acted {
        case,
        version: answer.version,
        cursor: Some(answer.cursor),
    })
}

impl Casework {
    /// Acts on a case. With `expected`, only if the case is still at that version.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a different thing, and callers name them"
    )]
    pub async fn act(
        &self,
        actor: &Actor,
        number: &CaseNumber,
        input: ActInput,
        channel: Channel,
        owner: &str,
        expected: Option<u64>,
        request: Option<&RequestKey>,
    ) -> Result<Acted, CaseworkError> {
        let start = Instant::now();
        let name = input.name();
        let photos = input.photos();
        let acting = self.try_act(actor, number, input, channel, owner, expected, request);
        let result = self.in_time_with(&photos, acting).await;
        self.metrics.count(
            name,
            result.as_ref().map_or_else(CaseworkError::outcome, |_| "done"),
            start,
        );
        result
    }

    #[expect(clippy::too_many_arguments, reason = "the body of `act`")]
    async fn try_act(
        &self,
        actor: &Actor,
        number: &CaseNumber,
        input: ActInput,
        channel: Channel,
        owner: &str,
        expected: Option<u64>,
        request: Option<&RequestKey>,
    ) -> Result<Acted, CaseworkError> {
        let Some((case, person)) = self.find_case(number).await? else {
            return Err(if *actor == Actor::Visitor {
                CaseworkError::NotSignedIn
            } else {
                CaseworkError::NotFound
            });
        };
        let mut needed = None;
        for _ in 0..TRIES_MAX {
            // A retry of what was done is answered before the stage it led to can refuse it, and before anything else:
            // who has given a case away may no longer see it, but is told once more what came of it.
            if let Some(request) = request
                && let Some(answer) = self.log.answered(request).await?
            {
                return replayed(case, &answer);
            }
            let (aggregate, version) = self.log.load(&case.to_string()).await?;
            let filed = aggregate.filed().ok_or(CaseworkError::NotFound)?;
            // Who may not see the case learns nothing, not even whether the input was well formed.
            let relation = filed.relation();
            authorize(actor, onetrip_model::access::Act::ViewCase, Some(&relation))?;
            if let Some(expected) = expected
                && expected != version
            {
                // What moved the case on may have been this very request.
                if let Some(request) = request
                    && let Some(answer) = self.log.answered(request).await?
                {
                    return replayed(case, &answer);
                }
                return Err(CaseworkError::Stale {
                    expected,
                    actual: version,
                });
            }
            let photos = input.photos();
            if photos.len() > photos_max(&input) {
                return Err(CaseworkError::invalid(
                    "photos",
                    Fault::TooMany {
                        max: photos_max(&input),
                    },
                ));
            }
            let needs = self.command(actor, &input, filed, person, &[]).await?.needs();
            authorize(actor, needs, Some(&relation))?;
            needed.replace(needs);
            let claimed = self.claim(owner, &photos).await?;
            let act = self
                .command(actor, &input, filed, person, &claimed.refs())
                .await?;
            let by = actor.by().ok_or(CaseworkError::NotSignedIn)?;
            let command = self.case_command(act, by, channel);
            let why = Why::request(Uuid::now_v7());
            let hook = claimed.moved_into(case, self.vault());
            let hook = hook.as_ref().map(|hook| hook as &dyn AppendHook);
            // Decided on exactly the version that was authorized.
            match self
                .log
                .execute(&case.to_string(), command, Some(version), &why, request, hook)
                .await
            {
                Ok(Outcome::Appended(appended)) => {
                    return Ok(Acted {
                        case,
                        version: appended.version,
                        cursor: Some(appended.cursor),
                    });
                }
                Ok(Outcome::Unchanged { version }) => {
                    return Ok(Acted {
                        case,
                        version,
                        cursor: None,
                    });
                }
                Ok(Outcome::Replayed(answer)) => return replayed(case, &answer),
                Err(LogError::Stale { .. }) if expected.is_none() => {}
                // Handed over in another case meanwhile: decided once more, the refusal says where it is held.
                Err(LogError::Refused(Refusal::RunOnceLimitReached {
                    limit: RunOnceLimit::HeldPaper,
                })) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CaseworkError::Unavailable(
            "the case is being changed by others".to_owned(),
        ))
    }

    async fn command(
        &self,
        actor: &Actor,
        input: &ActInput,
        filed: &Filed,
        person: PersonId,
        photos: &[onetrip_model::AttachmentRef],
    ) -> Result<CaseAct, CaseworkError> {
        let own_unit = || {
            actor
                .staff()
                .and_then(|staff| staff.unit.clone())
                .ok_or(CaseworkError::NotAllowed)
        };
        Ok(match input.clone() {
            ActInput::AddSupplement { words, .. } => CaseAct::AddSupplement {
                words,
                attachments: photos.to_vec(),
                from_filing: false,
            },
            ActInput::Accept {} => CaseAct::Accept,
            ActInput::Decline {
                next_unit,
                outside,
                reason,
            } => {
                let next_owner = match (filled(next_unit), filled(outside)) {
                    (Some(unit), None) => NextOwner::Unit(self.known_unit(filed, "next_unit", &unit)?),
                    (None, Some(name)) => NextOwner::Outside(name),
                    _ => return Err(CaseworkError::invalid("next_unit", Fault::Missing)),
                };
                CaseAct::Decline { next_owner, reason }
            }
            ActInput::Assign { unit, contact_cadre } => {
                let unit = self.known_unit(filed, "unit", &unit)?;
                let own = filed.contact_district.as_ref();
                let own = own.and_then(|district| self.directory.contact_district(district.as_str()));
                let cadre = match contact_cadre.or(own.map(|district| district.cadre)) {
                    None => None,
                    Some(id) => match self.directory.staff(StaffId(id)) {
                        Some(staff)
                            if staff.role == "contact_cadre" && self.in_city_of(filed, &staff.area) =>
                        {
                            Some(StaffId(id))
                        }
                        _ => return Err(CaseworkError::invalid("contact_cadre", Fault::Unknown)),
                    },
                };
                CaseAct::Assign {
                    unit,
                    contact_cadre: cadre,
                }
            }
            ActInput::OfferHandOver { to, reason } => CaseAct::OfferHandOver {
                to: self.known_unit(filed, "to", &to)?,
                reason,
            },
            ActInput::TakeOver {} => CaseAct::TakeOver { unit: own_unit()? },
            ActInput::ReturnHandOver { reason } => {
                // Without an offer the decision refuses: no unit has this code.
                let unit = filed.stage.offered_to().cloned();
                let unit = unit.unwrap_or_else(|| UnitCode::from(""));
                CaseAct::ReturnHandOver { unit, reason }
            }
            ActInput::FollowUp { kind, reached, words } => {
                CaseAct::FollowUp(FollowUp { kind, reached, words })
            }
            ActInput::AskTrip { to_place, reason } => CaseAct::AskTrip { to_place, reason },
            ActInput::RequestMaterials { items } => {
                let held = self.held_papers(person).await?;
                let items = items.into_iter().map(|item| MaterialAsk {
                    kind: item.kind,
                    words: item.words,
                });
                CaseAct::RequestMaterials {
                    items: items.collect(),
                    held,
                }
            }
            ActInput::AnswerRequest {
                handed_over, words, ..
            } => CaseAct::AnswerRequest {
                handed_over,
                words,
                attachments: photos.to_vec(),
            },
            ActInput::RecordSilence {} => CaseAct::RecordSilence,
            ActInput::WaiveLimit {
                limit: RunOnceLimit::HeldPaper,
                reason,
            } => CaseAct::WaiveHeldPapers {
                held: self.held_papers(person).await?,
                reason,
            },
            ActInput::WaiveLimit { limit, reason } => CaseAct::WaiveLimit { limit, reason },
            ActInput::GiveResult {
                words,
                after_photo,
                why_no_photo,
                promise,
                ..
            } => {
                let (after, evidence): (Vec<_>, Vec<_>) = photos
                    .iter()
                    .cloned()
                    .partition(|photo| Some(photo.id) == after_photo);
                // Before the photos are claimed only the kind of act matters.
                let proof = match (after.into_iter().next(), filled(why_no_photo)) {
                    (Some(photo), _) => Some(PlaceProof::AfterPhoto(photo)),
                    (None, reason) => reason.map(PlaceProof::WhyNot),
                };
                CaseAct::GiveResult {
                    words,
                    evidence,
                    place_proof: proof,
                    promise: promise.map(|promise| Promise {
                        words: promise.words,
                        by: promise.by,
                    }),
                }
            }
            ActInput::Rate {
                verdict,
                score,
                reason,
            } => CaseAct::Rate(Rating {
                verdict,
                score,
                reason,
            }),
            ActInput::Reopen { reason } => CaseAct::Reopen { reason },
            ActInput::Withdraw { reason } => CaseAct::Withdraw { reason },
            ActInput::CloseUnrated {} => CaseAct::CloseUnrated,
            ActInput::BeginLawPause { kind, notice } => CaseAct::BeginLawPause { kind, notice },
            ActInput::EndLawPause {} => CaseAct::EndLawPause,
            ActInput::ExtendLegalLimit { days, reason } => CaseAct::ExtendLegalLimit { days, reason },
            ActInput::OrderJointHandling { units, reason } => CaseAct::OrderJointHandling {
                units: units
                    .iter()
                    .map(|unit| self.known_unit(filed, "units", unit))
                    .collect::<Result<_, _>>()?,
                reason,
            },
            ActInput::Contribute { words } => CaseAct::Contribute {
                unit: own_unit()?,
                words,
            },
            ActInput::KeepPromise { words, .. } => CaseAct::KeepPromise {
                words,
                evidence: photos.to_vec(),
            },
            ActInput::OwnRating {} => CaseAct::OwnRating,
            ActInput::AskReview { reason } => CaseAct::AskReview { reason },
            ActInput::DecideReview { decision, words } => CaseAct::DecideReview { decision, words },
            ActInput::Merge { into, reason } => {
                let (into, into_number) = self.lead_case(actor, filed.kind, &into).await?;
                CaseAct::Merge {
                    into,
                    into_number,
                    reason,
                }
            }
            ActInput::Unmerge { reason } => CaseAct::Unmerge { reason },
            ActInput::Urge { words } => CaseAct::Urge { words },
        })
    }

    async fn held_papers(&self, person: PersonId) -> Result<Vec<HeldPaper>, CaseworkError> {
        let mut connection = self.pool().acquire().await?;
        let held = run_once::held_papers(&mut connection, person).await?;
        connection.release();
        Ok(held.into_iter().map(|held| held.paper).collect())
    }

    /// The case that another of this kind is to be merged into: one on its way to a result, so that nobody is given an
    /// answer that was there before they came. Only one that the actor may merge as well, and for everybody else one that
    /// is not there.
    async fn lead_case(
        &self,
        actor: &Actor,
        kind: CaseKind,
        number: &str,
    ) -> Result<(CaseId, CaseNumber), CaseworkError> {
        let unknown = || CaseworkError::invalid("into", Fault::Unknown);
        let number: CaseNumber = number.trim().parse().map_err(|_| unknown())?;
        let (case, _) = self.find_case(&number).await?.ok_or_else(unknown)?;
        let (aggregate, _) = self.log.load(&case.to_string()).await?;
        let lead = aggregate.filed().ok_or_else(unknown)?;
        let merge = onetrip_model::access::Act::Merge;
        authorize(actor, merge, Some(&lead.relation())).map_err(|_| unknown())?;
        // What is merged itself is refused where the append happens, by name.
        if lead.kind != kind || !lead.owes_result() {
            return Err(unknown());
        }
        Ok((case, number))
    }

    /// A unit of the case's own city: no other can do anything about it.
    fn known_unit(&self, filed: &Filed, field: &'static str, code: &str) -> Result<UnitCode, CaseworkError> {
        if code.is_empty() {
            return Err(CaseworkError::invalid(field, Fault::Missing));
        }
        let unit = self
            .directory
            .unit(code)
            .filter(|unit| self.in_city_of(filed, &unit.division))
            .ok_or_else(|| CaseworkError::invalid(field, Fault::Unknown))?;
        Ok(UnitCode(unit.code))
    }

    fn in_city_of(&self, filed: &Filed, division: &str) -> bool {
        let city = |code| self.directory.city_of(code).map(|city| city.code);
        city(division).is_some_and(|own| city(filed.division.as_str()) == Some(own))
    }
}
