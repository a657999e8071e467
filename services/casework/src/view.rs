//! What somebody may see of a case, opened.

use crate::{Casework, error::CaseworkError, files::Photo, follow::Secret};
use chrono::{DateTime, Utc};
use onetrip_event_log::{Cursor, Opener};
use onetrip_model::{
    By, Case, CaseFact, CaseId, CaseNumber, Channel, Private,
    access::{Act, Actor, authorize},
    calendar::ChangedDay,
    case::{Contact, Filed, PlaceDetail, PlaceEvidence, SetDeadline},
    clocks::{Proof, Term},
};
use onetrip_read_models::{
    History,
    case_file::{self, CaseFile},
    histories,
    queue::QueueEntry,
    run_once::{self, Breach, Held, Ledger, Together},
};
use uuid::Uuid;

/// Free text as it can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Words(String),
    /// Its key has been deleted.
    Erased,
}

/// One event of a case, its texts opened.
#[derive(Clone, Debug)]
pub struct Happening {
    pub sequence: u64,
    pub at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub by: By,
    pub channel: Channel,
    pub fact: CaseFact,
    /// For staff, the number of the case that it was merged into: to a resident it is somebody else's.
    pub merged_into: Option<CaseNumber>,
    /// The deadlines that it set or moved.
    pub deadlines: Vec<SetDeadline>,
    /// The days that moved them, where a late notice did.
    pub changed_days: Vec<ChangedDay>,
    /// Name of the field (`words`, `reason`, `to_place`, `item:<kind>` ...) and what it says.
    pub texts: Vec<(String, Text)>,
    pub photos: Vec<Uuid>,
}

/// A case as its asker may see it.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// Its timeline has become `happenings`.
    pub file: CaseFile,
    pub number: CaseNumber,
    pub words: Text,
    pub place_words: Option<Text>,
    /// Only for who must reach the resident, and the resident.
    pub contact: Option<Contact>,
    pub unnamed: bool,
    /// Oldest first.
    pub happenings: Vec<Happening>,
    pub ledger: Ledger,
    /// For residents without those by other cases of the matter.
    pub breaches: Vec<Breach>,
    /// Papers of the resident that need not be asked for; for residents those that this case holds. Phone numbers are not
    /// verified, so who knows somebody's could find out about their other cases.
    pub held: Vec<Held>,
    /// For staff, the number of the earlier case of the same matter.
    pub previous: Option<CaseNumber>,
    /// For staff, the cases that it is handled with; a resident sees by its stage that there are some.
    pub together: Together,
    /// The acts that the asker is authorized for; whether the stage allows them is the decision's to say.
    pub allowed: Vec<Act>,
    /// Why each deadline falls when it does.
    pub proofs: Vec<Proof>,
}

/// A case in a queue, opened.
#[derive(Clone, Debug)]
pub struct QueueItem {
    pub entry: QueueEntry,
    /// The case at the version of the entry.
    pub filed: Filed,
    pub number: CaseNumber,
    pub words: Text,
    /// None where none was told, or it has been erased.
    pub place: Option<PlaceDetail>,
}

impl QueueItem {
    pub fn place_words(&self) -> Option<&str> {
        self.place.as_ref()?.words.as_deref()
    }
}

impl Casework {
    /// The case, or `NotFound` where there is none or the asker may not know of it.
    pub async fn case(&self, actor: &Actor, number: &CaseNumber) -> Result<CaseView, CaseworkError> {
        let view = self.in_time(self.try_case(actor, number)).await;
        let shown = match &view {
            Ok(view) => view.file.version,
            Err(CaseworkError::NotFound) => 0,
            Err(_) => return view,
        };
        // What anybody has been told is done is shown, also after a crash that the read models still have to make up for;
        // what they cannot show in good time is shown as it was.
        match self.in_time(self.ahead_of(number, shown)).await? {
            None => view,
            Some(newest) => {
                self.settle(newest).await;
                self.in_time(self.try_case(actor, number)).await
            }
        }
    }

    /// Where the newest event of a case lies, if it is newer than this version.
    async fn ahead_of(&self, number: &CaseNumber, version: u64) -> Result<Option<Cursor>, CaseworkError> {
        let Some((case, _)) = self.find_case(number).await? else {
            return Ok(None);
        };
        let newest = self.log().newest(&case.to_string()).await?;
        Ok(newest
            .filter(|(newest, _)| *newest > version)
            .map(|(_, cursor)| cursor))
    }

    async fn try_case(&self, actor: &Actor, number: &CaseNumber) -> Result<CaseView, CaseworkError> {
        let mut connection = self.pool().acquire().await?;
        let Some(mut file) = case_file::by_number(&mut connection, number).await? else {
            return Err(if *actor == Actor::Visitor {
                CaseworkError::NotSignedIn
            } else {
                CaseworkError::NotFound
            });
        };
        let relation = file.filed.relation();
        authorize(actor, Act::ViewCase, Some(&relation))?;
        let timeline = std::mem::take(&mut file.timeline);
        let ledger = run_once::ledger(&mut connection, file.case)
            .await?
            .ok_or_else(|| CaseworkError::internal("a case without a ledger"))?;
        let mut breaches = run_once::breaches(&mut connection, file.case).await?;
        let mut held = run_once::held_papers(&mut connection, file.filed.person).await?;
        let is_resident = matches!(actor, Actor::Resident { .. });
        let together = if is_resident {
            breaches.retain(|breach| breach.other_number.is_none());
            held.retain(|held| held.paper.held_in == file.filed.number);
            Together::default()
        } else {
            run_once::together(&mut connection, file.case).await?
        };
        let previous = match file.previous.filter(|_| !is_resident) {
            None => None,
            Some(previous) => case_file::by_id(&mut connection, previous)
                .await?
                .map(|file| file.filed.number),
        };
        let person = file.filed.person;
        let subjects = [
            onetrip_model::Subject::Case(file.case),
            onetrip_model::Subject::Person(person),
        ];
        let opener = self.vault().opener(&mut connection, subjects).await?;
        connection.release();
        let proofs = self.proofs(&file.filed).await?;
        let mut changed_days = self.days_of_notices(&timeline).await?;
        let may = |act| authorize(actor, act, Some(&relation)).is_ok();
        let contact = match &file.contact {
            Some(contact) if is_resident || may(Act::ViewContact) => opener.open(contact)?,
            _ => None,
        };
        let place_words = match &file.place_detail {
            None => None,
            Some(detail) => match opener.open(detail)? {
                Some(detail) => detail.words.map(Text::Words),
                None => Some(Text::Erased),
            },
        };
        let happenings = timeline
            .into_iter()
            .map(|entry| {
                let fact = &entry.event.fact;
                let (texts, photos) = if is_resident && is_filed_again(fact) {
                    Default::default()
                } else {
                    (texts(fact, &opener)?, photos(fact))
                };
                Ok(Happening {
                    sequence: entry.sequence,
                    at: entry.event.at,
                    recorded_at: entry.recorded_at,
                    texts,
                    photos,
                    by: entry.event.by,
                    channel: entry.event.channel,
                    merged_into: match &entry.event.fact {
                        CaseFact::CaseMerged { into_number, .. } if !is_resident => Some(into_number.clone()),
                        _ => None,
                    },
                    fact: entry.event.fact,
                    deadlines: entry.event.deadlines,
                    changed_days: changed_days.remove(&entry.sequence).unwrap_or_default(),
                })
            })
            .collect::<Result<_, CaseworkError>>()?;
        Ok(CaseView {
            number: file.filed.number.clone(),
            words: text(&opener, &file.words)?,
            place_words,
            contact,
            unnamed: file.contact.is_none(),
            happenings,
            ledger,
            breaches,
            held,
            previous,
            together,
            allowed: Act::ALL.into_iter().filter(|act| may(*act)).collect(),
            proofs,
            file,
        })
    }

    /// Why each deadline of a case falls when it does, counted anew from the log; None where there is no such case.
    pub async fn deadline_proofs(&self, number: &CaseNumber) -> Result<Option<Vec<Proof>>, CaseworkError> {
        let Some((case, _)) = self.find_case(number).await? else {
            return Ok(None);
        };
        let (case, _) = self.log().load(&case.to_string()).await?;
        match case.filed() {
            Some(filed) => Ok(Some(self.proofs(filed).await?)),
            None => Ok(None),
        }
    }

    /// The proof of each of a case's deadlines, by the rules that it was computed with. A target of another system has
    /// none, nor has a date that those rules do not give.
    async fn proofs(&self, filed: &Filed) -> Result<Vec<Proof>, CaseworkError> {
        let mut proofs = Vec::new();
        let ours = filed
            .clocks
            .all()
            .iter()
            .filter(|clock| clock.deadline.term != Term::Source);
        for clock in ours {
            if let Some(rules) = self.rules_named(&clock.deadline.rules).await? {
                let proof = filed.clocks.counted(clock).prove(&rules);
                proofs.extend((proof.due_at == clock.deadline.due_at).then_some(proof));
            }
        }
        Ok(proofs)
    }

    /// A photo of a case that the asker may see.
    pub async fn photo(&self, actor: &Actor, number: &CaseNumber, id: Uuid) -> Result<Photo, CaseworkError> {
        // Asked before the look-up: the answer must not tell which numbers exist.
        if *actor == Actor::Visitor {
            return Err(CaseworkError::NotSignedIn);
        }
        let mut connection = self.pool().acquire().await?;
        let file = case_file::by_number(&mut connection, number)
            .await?
            .ok_or(CaseworkError::NotFound)?;
        connection.release();
        authorize(actor, Act::ViewCase, Some(&file.filed.relation()))?;
        self.attachment(file.case, id).await
    }

    /// The secret of a case, for the confirmation page of who has just filed it.
    pub fn secret(&self, actor: &Actor, case: CaseId) -> Result<Secret, CaseworkError> {
        match actor {
            Actor::Resident { case: own, .. } if *own == case => Ok(Secret::of(self.vault(), case)),
            _ => Err(CaseworkError::NotFound),
        }
    }

    pub(crate) async fn open_queue(&self, entries: Vec<QueueEntry>) -> Result<Vec<QueueItem>, CaseworkError> {
        let opened = self.open_words(entries, |entry| entry.version).await?;
        opened
            .into_iter()
            .map(|opened| {
                let Case::Filed(filed) = opened.history.case() else {
                    return Err(CaseworkError::internal("an entry of the queue without a case"));
                };
                Ok(QueueItem {
                    number: filed.number.clone(),
                    filed: *filed,
                    words: opened.words,
                    place: opened.place,
                    entry: opened.entry,
                })
            })
            .collect()
    }

    /// The words of cases in a queue and where they are about, with as much of their histories as is asked for.
    pub(crate) async fn open_words(
        &self,
        entries: Vec<QueueEntry>,
        until: impl Fn(&QueueEntry) -> u64,
    ) -> Result<Vec<OpenedEntry>, CaseworkError> {
        let wanted: Vec<(CaseId, u64)> = entries.iter().map(|entry| (entry.case, until(entry))).collect();
        let mut connection = self.pool().acquire().await?;
        let mut histories = histories(&mut connection, &wanted).await?;
        let subjects = entries
            .iter()
            .map(|entry| onetrip_model::Subject::Case(entry.case));
        let opener = self.vault().opener(&mut connection, subjects).await?;
        entries
            .into_iter()
            .map(|entry| {
                let history = histories.remove(&entry.case).unwrap_or_default();
                let Some((_, submitted)) = history.submission() else {
                    return Err(CaseworkError::internal(
                        "an entry of the queue without a submission",
                    ));
                };
                let place = submitted.place.detail.as_ref();
                Ok(OpenedEntry {
                    words: text(&opener, &submitted.words)?,
                    place: place.map(|detail| opener.open(detail)).transpose()?.flatten(),
                    history,
                    entry,
                })
            })
            .collect()
    }
}

/// An entry of a queue with what its resident wrote.
pub(crate) struct OpenedEntry {
    pub entry: QueueEntry,
    pub words: Text,
    /// None where none was told, or it has been erased.
    pub place: Option<PlaceDetail>,
    pub history: History,
}

fn text(opener: &Opener, private: &Private<String>) -> Result<Text, CaseworkError> {
    Ok(opener.open(private)?.map_or(Text::Erased, Text::Words))
}

/// What joined the case by a second filing. Phone numbers are not verified: who files first under somebody else's is told
/// that more has come, and not what they write.
fn is_filed_again(fact: &CaseFact) -> bool {
    matches!(
        fact,
        CaseFact::SupplementAdded {
            from_filing: true,
            ..
        }
    )
}

/// The free texts of a fact, in the order in which they are read.
fn texts(fact: &CaseFact, opener: &Opener) -> Result<Vec<(String, Text)>, CaseworkError> {
    let mut fields: Vec<(String, &Private<String>)> = Vec::new();
    let mut field = |name: &str, private| fields.push((name.to_owned(), private));
    match fact {
        CaseFact::CaseSubmitted(submitted) => {
            field("words", &submitted.words);
            if let Some(new_fact) = &submitted.new_fact {
                field("new_fact", new_fact);
            }
        }
        CaseFact::SupplementAdded { words, .. }
        | CaseFact::FollowUpRecorded { words, .. }
        | CaseFact::MaterialsAnswered { words, .. }
        | CaseFact::ContributionGiven { words, .. }
        | CaseFact::PromiseKept { words, .. }
        | CaseFact::ReviewDecided { words, .. }
        | CaseFact::CaseUrged { words } => field("words", words),
        CaseFact::LawPauseBegun { notice, .. } => field("notice", notice),
        CaseFact::PromiseMade { words, .. } => field("promise", words),
        CaseFact::CaseDeclined { reason, .. }
        | CaseFact::HandOverOffered { reason, .. }
        | CaseFact::HandOverReturned { reason, .. }
        | CaseFact::LimitWaived { reason, .. }
        | CaseFact::CaseReopened { reason, .. }
        | CaseFact::HandOverReferred { reason, .. }
        | CaseFact::JointHandlingOrdered { reason, .. }
        | CaseFact::LegalLimitExtended { reason, .. }
        | CaseFact::ReviewAsked { reason, .. }
        | CaseFact::CaseMerged { reason, .. }
        | CaseFact::CaseUnmerged { reason }
        | CaseFact::CaseWithdrawn { reason } => field("reason", reason),
        CaseFact::TripAsked { to_place, reason } => {
            field("to_place", to_place);
            field("reason", reason);
        }
        CaseFact::MaterialsRequested { items, .. } => {
            for item in items {
                if let Some(words) = &item.words {
                    field(&format!("item:{}", item.kind), words);
                }
            }
        }
        CaseFact::ResultGiven {
            words,
            place_evidence,
            ..
        } => {
            field("words", words);
            if let PlaceEvidence::WhyNot(reason) = place_evidence {
                field("why_no_photo", reason);
            }
        }
        CaseFact::ResultRated { reason, .. } => {
            if let Some(reason) = reason {
                field("reason", reason);
            }
        }
        CaseFact::CaseClosed { reply, .. } => {
            if let Some(reply) = reply {
                field("reply", reply);
            }
        }
        CaseFact::CaseAccepted { .. }
        | CaseFact::CaseAssigned { .. }
        | CaseFact::HandOverTaken { .. }
        | CaseFact::SilenceRecorded { .. }
        | CaseFact::LawPauseEnded {}
        | CaseFact::RatingOwned {}
        | CaseFact::WarningRaised { .. }
        | CaseFact::LimitBreached { .. }
        | CaseFact::CaseEscalated { .. }
        | CaseFact::RaisingWithdrawn { .. }
        | CaseFact::DeadlinesRecomputed { .. } => {}
    }
    fields
        .into_iter()
        .map(|(name, private)| Ok((name, text(opener, private)?)))
        .collect()
}

fn photos(fact: &CaseFact) -> Vec<Uuid> {
    let attachments = match fact {
        CaseFact::CaseSubmitted(submitted) => &submitted.attachments,
        CaseFact::SupplementAdded { attachments, .. }
        | CaseFact::MaterialsAnswered { attachments, .. }
        | CaseFact::PromiseKept {
            evidence: attachments,
            ..
        } => attachments,
        CaseFact::ResultGiven {
            evidence,
            place_evidence,
            ..
        } => {
            let after = match place_evidence {
                PlaceEvidence::AfterPhoto(photo) => Some(photo.id),
                _ => None,
            };
            return evidence.iter().map(|photo| photo.id).chain(after).collect();
        }
        _ => return Vec::new(),
    };
    attachments.iter().map(|photo| photo.id).collect()
}
