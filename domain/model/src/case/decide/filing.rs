//! Filing a case.

use super::{optional, written};
use crate::{
    case::{CaseAct, CaseFact, CaseSubmitted, Place, PlaceDetail, Submission, error::Refusal},
    policy::Rules,
    primitives::{CaseKind, DivisionCode, Private},
};

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

pub(super) fn file(rules: &Rules, act: CaseAct) -> Result<Vec<CaseFact>, Refusal> {
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
    let new_fact = optional("new_fact", submission.new_fact)?;
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
        new_fact: new_fact.map(|new_fact| Private::of_case(case, new_fact)),
        source,
    }))])
}
