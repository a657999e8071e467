//! Filing a case: the three submission commands, and the run-once rule's first row.

use crate::{
    Casework,
    duplicates::Draft,
    error::{CaseworkError, Fault, FieldFault},
    files::{Claimed, PHOTO_USED},
    follow::Secret,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use onetrip_event_log::{AppendHook, Cursor, FirstSeen, LogError, Outcome, RequestKey, Why};
use onetrip_model::{
    By, CaseAct, CaseCommand, CaseEvent, CaseFact, CaseId, CaseKind, CaseNumber, Channel, PersonId, Refusal,
    Subject, UnitCode,
    access::{Act, Actor, authorize},
    case::{CaseSubmitted, Contact, Submission, WORDS_CHARS_MAX, matter_text},
};
use onetrip_read_models::run_once::{self, Earlier};
use std::{sync::Arc, time::Instant};
use uuid::Uuid;

/// Longest name, in characters; a name is one field and may be in any script.
pub const NAME_CHARS_MAX: usize = 50;
pub const PLACE_CHARS_MAX: usize = 200;
/// Photos of one submission or act.
pub const PHOTOS_MAX: usize = 4;
/// Rounds of "the same matter is open" and "it has just been closed" before giving up.
const TRIES_MAX: u32 = 8;

/// What a resident, or a clerk for a resident, hands in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewCase {
    pub category: String,
    pub words: String,
    /// Code of a street or community; suggestions and hearing requests may name any division.
    pub division: String,
    pub place_words: Option<String>,
    pub name: Option<String>,
    /// None where the resident stays unnamed.
    pub phone: Option<String>,
    /// What is new, where the same matter has had its final review.
    pub new_fact: Option<String>,
    /// Waiting uploads of the same owner.
    pub photos: Vec<Uuid>,
    /// [`SharedCase::ticket`](crate::SharedCase::ticket) of the open case of the same matter that it is to be handled with.
    pub with: Option<String>,
}

/// What a submission came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    pub case: CaseId,
    pub number: CaseNumber,
    /// None where it joined an open case: whoever knows a phone number and a matter must not come to a secret.
    pub secret: Option<Secret>,
    /// As it was filed, private parts sealed: the same however far the case has come since. None where it joined an open
    /// case.
    pub filed: Option<CaseEvent>,
    /// The same matter was open: what was written joined it as a supplement.
    pub joined: bool,
    /// It is handled with the case that its resident chose.
    pub with_another: bool,
    pub version: u64,
    pub cursor: Cursor,
}

/// A new case after all fields have been looked at.
struct Checked {
    category: String,
    words: String,
    division: String,
    place_words: Option<String>,
    contact: Option<Contact>,
    new_fact: Option<String>,
    first_receiver: UnitCode,
}

impl Casework {
    /// Files a case, or joins the open one of the same resident and matter. `owner` is whose uploads may be used.
    pub async fn submit(
        &self,
        actor: &Actor,
        kind: CaseKind,
        new: NewCase,
        channel: Channel,
        owner: &str,
        request: &RequestKey,
    ) -> Result<Submitted, CaseworkError> {
        let start = Instant::now();
        let name = match kind {
            CaseKind::Appeal => "submit_appeal",
            CaseKind::Suggestion => "submit_suggestion",
            CaseKind::HearingRequest => "request_hearing",
        };
        let photos = new.photos.clone();
        let submitting = self.try_submit(actor, kind, new, channel, owner, request);
        let result = self.in_time_with(&photos, submitting).await;
        let outcome = match &result {
            Ok(submitted) if submitted.joined => "joined",
            Ok(_) => "done",
            Err(error) => error.outcome(),
        };
        self.metrics.count(name, outcome, start);
        result
    }

    async fn try_submit(
        &self,
        actor: &Actor,
        kind: CaseKind,
        new: NewCase,
        channel: Channel,
        owner: &str,
        request: &RequestKey,
    ) -> Result<Submitted, CaseworkError> {
        let act = if channel == Channel::Counter {
            Act::FileForResident
        } else {
            Act::File
        };
        authorize(actor, act, None)?;
        match self
            .prepare_and_file(actor, kind, new, channel, owner, request)
            .await
        {
            Ok(submitted) => Ok(submitted),
            // Sent before: its photos are used and its fields may be out of date, but the answer stands.
            Err(error) => match self.log.answered(request).await? {
                Some(answer) => {
                    let submitted = self
                        .answer(&answer.aggregate_id, answer.version, answer.cursor)
                        .await?;
                    self.handled_with_before(submitted, request).await
                }
                None => Err(error),
            },
        }
    }

    async fn prepare_and_file(
        &self,
        actor: &Actor,
        kind: CaseKind,
        new: NewCase,
        channel: Channel,
        owner: &str,
        request: &RequestKey,
    ) -> Result<Submitted, CaseworkError> {
        let photos = new.photos.clone();
        let with = filled(new.with.clone());
        let checked = self.check(kind, new)?;
        let lead = match with {
            Some(ticket) => Some(self.chosen(kind, &checked, &ticket).await?),
            None => None,
        };
        let claimed = self.claim(owner, &photos).await?;
        let clerk = actor.by().filter(|_| channel == Channel::Counter);
        let submitted = self
            .file(kind, checked, &claimed, clerk, channel, request)
            .await?;
        Ok(match lead {
            Some(lead) if !submitted.joined => self.handle_with(submitted, lead, channel, request).await,
            _ => submitted,
        })
    }

    /// The open case that a resident chose from those they were told of.
    async fn chosen(&self, kind: CaseKind, checked: &Checked, ticket: &str) -> Result<CaseId, CaseworkError> {
        let draft = Draft {
            category: checked.category.clone(),
            words: checked.words.clone(),
            division: checked.division.clone(),
            place_words: checked.place_words.clone(),
        };
        let found = self.shared_like(kind, draft).await?;
        found
            .into_iter()
            .find(|shared| shared.ticket == ticket)
            .map(|shared| shared.case)
            .ok_or_else(|| CaseworkError::invalid("with", Fault::Unknown))
    }

    /// What is not in order in a submission so far, for pages that ask one question after the other.
    pub fn check_new_case(&self, kind: CaseKind, new: NewCase) -> Vec<FieldFault> {
        match self.check(kind, new) {
            Err(CaseworkError::Invalid(faults)) => faults,
            _ => Vec::new(),
        }
    }

    /// Names every field that is not in order, all at once.
    fn check(&self, kind: CaseKind, new: NewCase) -> Result<Checked, CaseworkError> {
        let mut faults = Vec::new();
        let mut fault = |field, fault| faults.push(FieldFault { field, fault });
        let words = new.words.trim().to_owned();
        if words.is_empty() {
            fault("words", Fault::Missing);
        } else if words.chars().count() > WORDS_CHARS_MAX {
            fault("words", Fault::TooLong { max: WORDS_CHARS_MAX });
        }
        if new.category.is_empty() {
            fault("category", Fault::Missing);
        } else if self.rules.policy.category(&new.category).is_none() {
            fault("category", Fault::Unknown);
        }
        let division = self.directory.division(&new.division);
        match &division {
            // The empty code is that of everything this service holds, which is no place.
            _ if new.division.is_empty() => fault("division", Fault::Missing),
            None => fault("division", Fault::Unknown),
            Some(division)
                if kind == CaseKind::Appeal && !matches!(division.level.as_str(), "street" | "community") =>
            {
                fault("division", Fault::Street);
            }
            Some(_) => {}
        }
        let place_words = filled(new.place_words);
        if place_words
            .as_ref()
            .is_some_and(|words| words.chars().count() > PLACE_CHARS_MAX)
        {
            fault("place_words", Fault::TooLong { max: PLACE_CHARS_MAX });
        }
        let name = filled(new.name);
        if name
            .as_ref()
            .is_some_and(|name| name.chars().count() > NAME_CHARS_MAX)
        {
            fault("name", Fault::TooLong { max: NAME_CHARS_MAX });
        }
        let phone = filled(new.phone).map(|phone| normal_phone(&phone));
        if phone == Some(None) {
            fault("phone", Fault::Phone);
        }
        let new_fact = filled(new.new_fact);
        if new_fact
            .as_ref()
            .is_some_and(|words| words.chars().count() > WORDS_CHARS_MAX)
        {
            fault("new_fact", Fault::TooLong { max: WORDS_CHARS_MAX });
        }
        if new.photos.len() > PHOTOS_MAX {
            fault("photos", Fault::TooMany { max: PHOTOS_MAX });
        }
        let first_receiver = division
            .as_ref()
            .and_then(|division| self.directory.desk_for(&division.code));
        let named_division = faults.iter().any(|fault| fault.field == "division");
        if division.is_some() && first_receiver.is_none() && !named_division {
            faults.push(FieldFault {
                field: "division",
                fault: Fault::Unknown,
            });
        }
        match (faults.is_empty(), first_receiver) {
            (true, Some(first_receiver)) => Ok(Checked {
                category: new.category,
                words,
                division: new.division,
                place_words,
                contact: phone.flatten().map(|phone| Contact { name, phone }),
                new_fact,
                first_receiver,
            }),
            _ => Err(CaseworkError::Invalid(faults)),
        }
    }

    /// `clerk` is who files for the resident, if not the resident.
    async fn file(
        &self,
        kind: CaseKind,
        checked: Checked,
        claimed: &Claimed,
        clerk: Option<By>,
        channel: Channel,
        request: &RequestKey,
    ) -> Result<Submitted, CaseworkError> {
        let division = checked.division.as_str().into();
        let matter = matter_text(
            kind,
            &checked.category,
            &division,
            checked.place_words.as_deref(),
            &checked.words,
        );
        let matter = URL_SAFE_NO_PAD.encode(self.vault().digest("matter", matter.as_bytes()));
        let district = self.directory.contact_district_of(&checked.division);
        let why = Why::request(Uuid::now_v7());
        for _ in 0..TRIES_MAX {
            let case = CaseId(Uuid::now_v7());
            let reached = self.person_behind(checked.contact.as_ref()).await?;
            let person = reached.person;
            let by = clerk.clone().unwrap_or(By::Resident(person));
            let earlier = if reached.first_seen {
                Earlier::default()
            } else {
                let mut connection = self.pool().acquire().await?;
                let earlier = run_once::earlier(&mut connection, person, &matter).await?;
                connection.release();
                earlier
            };
            if earlier.concluded && checked.new_fact.is_none() {
                return Err(CaseworkError::Refused(Refusal::FinallyReviewed));
            }
            let submission = Submission {
                case,
                number: CaseNumber::from_random(getrandom::u64().map_err(CaseworkError::internal)?),
                person,
                contact: checked.contact.clone(),
                category: checked.category.clone(),
                division: division.clone(),
                contact_district: district.as_ref().map(|district| district.code.as_str().into()),
                place_words: checked.place_words.clone(),
                point: None,
                words: checked.words.clone(),
                attachments: claimed.refs(),
                matter: matter.clone(),
                previous: earlier.case,
                new_fact: checked.new_fact.clone(),
                first_receiver: checked.first_receiver.clone(),
                source: None,
            };
            let number = submission.number.clone();
            let act = match kind {
                CaseKind::Appeal => CaseAct::SubmitAppeal(submission),
                CaseKind::Suggestion => CaseAct::SubmitSuggestion(submission),
                CaseKind::HearingRequest => CaseAct::RequestHearing(submission),
            };
            let mut first_seen = FirstSeen {
                subjects: vec![Subject::Case(case)],
                person: reached.digest.map(|digest| (person, digest)),
            };
            if reached.first_seen {
                first_seen.subjects.push(Subject::Person(person));
            }
            let command = self.case_command(act, by.clone(), channel);
            let hook = claimed.moved_into(case, self.vault());
            let hook = hook.as_ref().map(|hook| hook as &dyn AppendHook);
            let filed = self
                .log
                .execute_first(&case.to_string(), command, first_seen, &why, Some(request), hook)
                .await;
            let (case, outcome, events) = match filed {
                Ok((outcome, events)) => (case, outcome, events),
                // The number is taken, or the same matter was closed meanwhile: draw another, look again.
                Err(LogError::Taken { constraint }) if constraint != PHOTO_USED => continue,
                Err(LogError::Refused(Refusal::SameMatterOpen { case: open })) => {
                    let words = checked.words.clone();
                    let act = CaseAct::AddSupplement {
                        words,
                        attachments: claimed.refs(),
                        from_filing: true,
                    };
                    let command = self.case_command(act, by, channel);
                    let hook = claimed.moved_into(open, self.vault());
                    let hook = hook.as_ref().map(|hook| hook as &dyn AppendHook);
                    match self
                        .log
                        .execute(&open.to_string(), command, None, &why, Some(request), hook)
                        .await
                    {
                        Ok(outcome) => (open, outcome, Vec::new()),
                        // It was closed in between: file it after all.
                        Err(LogError::Refused(Refusal::Ended)) => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            };
            return match outcome {
                Outcome::Appended(appended) if appended.version == 1 => Ok(Submitted {
                    secret: Some(Secret::of(self.vault(), case)),
                    filed: events.into_iter().find(|event| filing(event).is_some()),
                    case,
                    number,
                    joined: false,
                    with_another: false,
                    version: 1,
                    cursor: appended.cursor,
                }),
                Outcome::Appended(appended) => {
                    self.answer(&case.to_string(), appended.version, appended.cursor)
                        .await
                }
                Outcome::Replayed(answer) => {
                    self.answer(&answer.aggregate_id, answer.version, answer.cursor)
                        .await
                }
                Outcome::Unchanged { .. } => Err(CaseworkError::internal("a submission changed nothing")),
            };
        }
        Err(CaseworkError::Unavailable(
            "the same matter kept being opened and closed".to_owned(),
        ))
    }

    pub(crate) fn case_command(&self, act: CaseAct, by: By, channel: Channel) -> CaseCommand {
        CaseCommand {
            at: self.now(),
            by,
            channel,
            rules: Arc::clone(&self.rules),
            act,
        }
    }

    /// The answer to a submission that ended up in this case at this version.
    async fn answer(&self, case: &str, version: u64, cursor: Cursor) -> Result<Submitted, CaseworkError> {
        let case = CaseId(case.parse().map_err(CaseworkError::internal)?);
        let first = self.log.event(&case.to_string(), 1).await?;
        let number = first.as_ref().and_then(filing).map(|filed| filed.number.clone());
        let number = number.ok_or_else(|| CaseworkError::internal("a case that was not filed"))?;
        let joined = version > 1;
        Ok(Submitted {
            case,
            number,
            secret: (!joined).then(|| Secret::of(self.vault(), case)),
            filed: first.filter(|_| !joined),
            joined,
            with_another: false,
            version,
            cursor,
        })
    }

    /// The person who can be reached so; the same one every time. Who stays unnamed is somebody new.
    async fn person_behind(&self, contact: Option<&Contact>) -> Result<Reached, CaseworkError> {
        let somebody_new = |digest| Reached {
            person: PersonId(Uuid::new_v4()),
            first_seen: true,
            digest,
        };
        let Some(contact) = contact else {
            return Ok(somebody_new(None));
        };
        let digest = self.vault().digest("phone", contact.phone.as_bytes());
        Ok(match self.log.person_behind(digest).await? {
            Some(person) => Reached {
                person,
                first_seen: false,
                digest: None,
            },
            None => somebody_new(Some(digest)),
        })
    }
}

/// Who is behind a contact.
struct Reached {
    person: PersonId,
    /// Nobody known so far.
    first_seen: bool,
    /// Of the contact, to be remembered with the first submission.
    digest: Option<[u8; 32]>,
}

fn filing(event: &CaseEvent) -> Option<&CaseSubmitted> {
    match &event.fact {
        CaseFact::CaseSubmitted(filed) => Some(filed),
        _ => None,
    }
}

pub(crate) fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// Digits with an optional leading plus, 6 to 15 of them; `+86` and spaces make no difference. None if it is no
/// phone number.
fn normal_phone(text: &str) -> Option<String> {
    let mut digits = String::new();
    for (place, character) in text.trim().chars().enumerate() {
        match character {
            '0'..='9' => digits.push(character),
            '０'..='９' => digits.push(char::from(b'0' + (character as u32 - '０' as u32) as u8)),
            '+' | '＋' if place == 0 => digits.push('+'),
            ' ' | '-' | '(' | ')' | '（' | '）' | '　' => {}
            _ => return None,
        }
    }
    let national = digits
        .strip_prefix("+86")
        .or_else(|| digits.strip_prefix("0086"))
        .unwrap_or(&digits);
    let count = national.trim_start_matches('+').len();
    (6..=15).contains(&count).then(|| national.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_phone_number_however_it_is_written() {
        for text in [
            "13800138000",
            " 138 0013-8000 ",
            "+86 138 0013 8000",
            "１３８００１３８０００",
            "008613800138000",
        ] {
            assert_eq!(normal_phone(text).as_deref(), Some("13800138000"), "{text}");
        }
        assert_eq!(normal_phone("+44 20 7946 0000").as_deref(), Some("+442079460000"));
        for text in ["", "12345", "phone", "1380013800013800138000"] {
            assert_eq!(normal_phone(text), None, "{text}");
        }
    }
}
