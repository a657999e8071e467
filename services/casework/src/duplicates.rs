//! Cases that may be the same matter: for who is about to file one, and for staff with one in hand.

use crate::{
    Casework, NewCase,
    error::CaseworkError,
    submit::filled,
    view::{OpenedEntry, QueueItem, Text},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate, Utc};
use onetrip_model::{
    CaseId, CaseKind, CaseNumber,
    access::{Act, Actor, Scope, authorize, scope},
    calendar::city_date,
    case::PlaceDetail,
    likeness::{Matter, Pairs, closest},
};
use onetrip_read_models::{
    case_file,
    queue::{self, Near, QueueEntry},
};

/// What somebody is about to file, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    pub category: String,
    pub words: String,
    pub division: String,
    pub place_words: Option<String>,
}

/// What anybody may know of an open case of a shared category: neither its number nor its words, place or resident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedCase {
    pub(crate) case: CaseId,
    /// For filing a case to be handled with it: says nothing about it.
    pub ticket: String,
    pub category: String,
    /// Code of the division it was filed for.
    pub division: String,
    /// In the city's time zone.
    pub filed_on: NaiveDate,
    pub progress: Progress,
}

/// Where a case without a result stands, without what went on between its resident and its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Received,
    Handling,
}

impl Progress {
    /// By the name of its stage.
    fn of(stage: &str) -> Progress {
        match stage {
            // Nobody has taken it over from who declined it.
            "submitted" | "declined" | "accepted" => Progress::Received,
            _ => Progress::Handling,
        }
    }
}

impl Casework {
    /// Open cases that the draft may be a duplicate of, the likeliest first: for whoever may file, and so nothing that
    /// is not shared. Empty for categories whose cases are not.
    pub async fn shared_duplicates(
        &self,
        actor: &Actor,
        kind: CaseKind,
        draft: Draft,
    ) -> Result<Vec<SharedCase>, CaseworkError> {
        authorize(actor, Act::File, None)?;
        let faults = self.check_new_case(
            kind,
            NewCase {
                category: draft.category.clone(),
                words: draft.words.clone(),
                division: draft.division.clone(),
                place_words: draft.place_words.clone(),
                ..NewCase::default()
            },
        );
        if !faults.is_empty() {
            return Err(CaseworkError::Invalid(faults));
        }
        self.in_time(self.shared_like(kind, draft)).await
    }

    /// Of a draft that is in order.
    pub(crate) async fn shared_like(
        &self,
        kind: CaseKind,
        draft: Draft,
    ) -> Result<Vec<SharedCase>, CaseworkError> {
        // Anybody may ask, and comparing is work: for a few at a time.
        let _turn = self.comparing.acquire().await.map_err(CaseworkError::internal)?;
        let policy = &self.rules().policy;
        if !policy
            .category(&draft.category)
            .is_some_and(|category| category.shared)
        {
            return Ok(Vec::new());
        }
        let place = PlaceDetail {
            words: filled(draft.place_words),
            point: None,
        };
        let matter = matter_of(kind, &draft.category, &draft.words, Some(&place), self.now());
        let near = Near {
            joinable: true,
            ..self.near(&matter, &draft.division, |category| category.shared)
        };
        let found = self.alike(&Scope::Everything, &matter, &near, None).await?;
        let shared = |entry: QueueEntry| SharedCase {
            case: entry.case,
            ticket: self.ticket(entry.case),
            division: entry.standing.division,
            filed_on: city_date(entry.submitted_at),
            progress: Progress::of(&entry.standing.stage),
            category: entry.standing.category,
        };
        Ok(found.into_iter().map(shared).collect())
    }

    fn ticket(&self, case: CaseId) -> String {
        URL_SAFE_NO_PAD.encode(&self.vault().digest("handle-with", case.0.as_bytes())[..16])
    }

    /// Other open cases that may be the same matter as this one, the likeliest first, of those that this member of
    /// staff may see. `NotFound` for a case that they may not.
    pub async fn possible_duplicates(
        &self,
        actor: &Actor,
        number: &CaseNumber,
    ) -> Result<Vec<QueueItem>, CaseworkError> {
        authorize(actor, Act::ViewQueue, None)?;
        self.in_time(self.try_possible_duplicates(actor, number)).await
    }

    async fn try_possible_duplicates(
        &self,
        actor: &Actor,
        number: &CaseNumber,
    ) -> Result<Vec<QueueItem>, CaseworkError> {
        let mut connection = self.pool().acquire().await?;
        let file = case_file::by_number(&mut connection, number)
            .await?
            .ok_or(CaseworkError::NotFound)?;
        authorize(actor, Act::ViewCase, Some(&file.filed.relation()))?;
        let subject = onetrip_model::Subject::Case(file.case);
        let opener = self.vault().opener(&mut connection, [subject]).await?;
        drop(connection);
        // Whose words are erased is compared no more.
        let Some(words) = opener.open(&file.words)? else {
            return Ok(Vec::new());
        };
        let place = file
            .place_detail
            .as_ref()
            .map(|detail| opener.open(detail))
            .transpose()?
            .flatten();
        let filed = &file.filed;
        let matter = matter_of(
            filed.kind,
            &filed.category,
            &words,
            place.as_ref(),
            file.submitted_at,
        );
        let near = self.near(&matter, filed.division.as_str(), |_| true);
        let found = self.alike(&scope(actor), &matter, &near, Some(file.case)).await?;
        self.open_queue(found).await
    }

    /// Where to look: the whole street around the division, since who reports does not know its communities' borders.
    fn near(
        &self,
        matter: &Matter,
        division: &str,
        takes: impl Fn(&onetrip_model::policy::Category) -> bool,
    ) -> Near {
        let path = self.directory().path(division);
        let street = path.iter().find(|division| division.level == "street");
        let divisions = match street {
            Some(street) => {
                let inside = self.directory().children(&street.code);
                let inside = inside.into_iter().map(|division| division.code);
                std::iter::once(street.code.clone()).chain(inside).collect()
            }
            None => vec![division.to_owned()],
        };
        let kin = self.rules().policy.kin_of(&matter.category);
        Near {
            kind: matter.kind,
            divisions,
            categories: kin
                .into_iter()
                .filter(|category| takes(category))
                .map(|category| category.id.clone())
                .collect(),
            joinable: false,
        }
    }

    /// The likeliest of the open cases near it, without `own`. They are few; their words and places are sealed, so they are
    /// opened here to be compared.
    async fn alike(
        &self,
        scope: &Scope,
        matter: &Matter,
        near: &Near,
        own: Option<CaseId>,
    ) -> Result<Vec<QueueEntry>, CaseworkError> {
        let policy = &self.rules().policy;
        let mut connection = self.pool().acquire().await?;
        let candidates_max = policy.duplicates.candidates_max;
        let mut entries = queue::near(&mut connection, scope, near, candidates_max).await?;
        drop(connection);
        entries.retain(|entry| Some(entry.case) != own);
        // How each began is enough to compare them.
        let candidates: Vec<(QueueEntry, Matter)> = self
            .open_words(entries, |_| 1)
            .await?
            .into_iter()
            // Whose words have been erased is compared no more.
            .filter_map(
                |OpenedEntry {
                     entry, words, place, ..
                 }| match words {
                    Text::Words(words) => {
                        let category = &entry.standing.category;
                        let other =
                            matter_of(near.kind, category, &words, place.as_ref(), entry.submitted_at);
                        Some((entry, other))
                    }
                    Text::Erased => None,
                },
            )
            .collect();
        let compared = candidates.iter().map(|(entry, matter)| (entry, matter));
        Ok(closest(policy, matter, compared)
            .into_iter()
            .map(|(entry, _)| entry.clone())
            .collect())
    }
}

fn matter_of(
    kind: CaseKind,
    category: &str,
    words: &str,
    place: Option<&PlaceDetail>,
    filed_at: DateTime<Utc>,
) -> Matter {
    let place_words = place.and_then(|place| place.words.as_deref());
    Matter {
        kind,
        category: category.to_owned(),
        point: place.and_then(|place| place.point),
        place_words: place_words.map(Pairs::of).unwrap_or_default(),
        words: Pairs::of(words),
        filed_at,
    }
}
