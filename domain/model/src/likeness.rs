//! How alike two matters are: for the suggestion that somebody has reported the same thing before.
//!
//! Every number comes from `[duplicates]` of the policy. A score is a weighted mean, 0 to 1, of how close the places
//! are, how alike the words are and how near in time; a category of the same office counts, but less than the same one.
//! Words are compared as sets of pairs of neighbouring characters, which needs no dictionary and serves Chinese, where
//! words are not separated, as well as English.

use crate::{
    policy::{DuplicatesPolicy, Policy},
    primitives::CaseKind,
};
use chrono::{DateTime, Utc};
use std::cmp::Ordering;

/// Length of one degree of latitude, in metres.
const DEGREE_METRES: f64 = 111_195.0;

/// What of a case or a draft is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Matter {
    pub kind: CaseKind,
    pub category: String,
    /// Latitude and longitude in degrees, WGS 84.
    pub point: Option<(f64, f64)>,
    pub place_words: Pairs,
    pub words: Pairs,
    /// When it was filed; now, for a draft.
    pub filed_at: DateTime<Utc>,
}

/// The pairs of neighbouring characters of a text, each once. Case, width and punctuation make no difference, nor whether
/// a space stands between Chinese and a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(Vec<[char; 2]>);

impl Pairs {
    pub fn of(text: &str) -> Pairs {
        let mut pairs = Vec::new();
        let mut before = ' ';
        for character in text
            .chars()
            .flat_map(|character| narrow(character).to_lowercase())
        {
            let character = if character.is_alphanumeric() {
                character
            } else {
                ' '
            };
            if character.is_ascii_alphanumeric() != before.is_ascii_alphanumeric() {
                before = ' ';
            }
            if character != ' ' {
                // The first of a word stands beside a space, so that a word of one character counts too.
                pairs.push([before, character]);
            }
            before = character;
        }
        pairs.sort_unstable();
        pairs.dedup();
        Pairs(pairs)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Dice's coefficient: twice the common pairs over all pairs of both, 0 to 1; 0 where one is empty.
    fn likeness(&self, other: &Pairs) -> f64 {
        let common = self.0.iter().filter(|pair| other.0.binary_search(pair).is_ok());
        match self.0.len() + other.0.len() {
            0 => 0.0,
            all => 2.0 * common.count() as f64 / all as f64,
        }
    }

    /// How much a likeness of these two says: short texts agree by chance.
    fn weight(&self, other: &Pairs, half: u32) -> f64 {
        let size = (self.0.len() + other.0.len()) as f64 / 2.0;
        size / (size + f64::from(half))
    }
}

/// Full-width letters and digits as their narrow form.
fn narrow(character: char) -> char {
    match character {
        '！'..='～' => char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character),
        other => other,
    }
}

/// Metres between two points, exact enough within a city.
pub fn metres((latitude, longitude): (f64, f64), other: (f64, f64)) -> f64 {
    let north = (other.0 - latitude) * DEGREE_METRES;
    let east = (other.1 - longitude) * DEGREE_METRES * f64::midpoint(latitude, other.0).to_radians().cos();
    north.hypot(east)
}

/// How alike two matters are, 0 to 1, the same whichever comes first. None where they cannot be one matter: of another
/// kind, of categories that no one office handles, or too far apart.
pub fn score(policy: &Policy, one: &Matter, other: &Matter) -> Option<f64> {
    let numbers = &policy.duplicates;
    let kinship = kinship(policy, one, other)?;
    let has_place = [one, other].into_iter().any(|matter| {
        let category = policy.category(&matter.category);
        category.is_some_and(|category| category.place_bound)
    });
    // Before the words, since it leaves most out.
    let place = if has_place {
        Some(place_likeness(numbers, one, other)?)
    } else {
        None
    };
    let words = one.words.likeness(&other.words) * one.words.weight(&other.words, numbers.text_half);
    let days = (one.filed_at - other.filed_at).num_seconds().unsigned_abs() as f64 / 86_400.0;
    let parts = [
        // A matter without a place is told by its words alone: where its resident lives says nothing.
        (numbers.place_weight, place.unwrap_or(words)),
        (numbers.words_weight, words),
        (numbers.recency_weight, halved(days, numbers.days_half)),
    ];
    let weights: f64 = parts.iter().map(|(weight, _)| f64::from(*weight)).sum();
    let sum: f64 = parts.iter().map(|(weight, part)| f64::from(*weight) * part).sum();
    Some(kinship * sum / weights)
}

fn kinship(policy: &Policy, one: &Matter, other: &Matter) -> Option<f64> {
    if one.kind != other.kind {
        return None;
    }
    if one.category == other.category {
        return Some(1.0);
    }
    let (one, other) = (policy.category(&one.category)?, policy.category(&other.category)?);
    (one.office == other.office).then(|| share(policy.duplicates.kin_percent))
}

/// None where the points are too far apart; 0 where a place is not told.
fn place_likeness(numbers: &DuplicatesPolicy, one: &Matter, other: &Matter) -> Option<f64> {
    let told = !one.place_words.is_empty() && !other.place_words.is_empty();
    let words = told.then(|| one.place_words.likeness(&other.place_words));
    let near = match (one.point, other.point) {
        (Some(point), Some(other)) => {
            let metres = metres(point, other);
            if metres > f64::from(numbers.metres_max) {
                return None;
            }
            Some(halved(metres, numbers.metres_half))
        }
        _ => None,
    };
    Some(match (near, words) {
        (Some(near), Some(words)) => {
            let by_words = share(numbers.place_words_percent);
            by_words * words + (1.0 - by_words) * near
        }
        (near, words) => near.or(words).unwrap_or(0.0),
    })
}

/// 1 at 0, a half at `half`, and so on.
fn halved(distance: f64, half: u32) -> f64 {
    (-distance / f64::from(half)).exp2()
}

fn share(percent: u32) -> f64 {
    f64::from(percent) / 100.0
}

/// The candidates that are worth suggesting, with their scores, best first and at most `shown_max`; of equals, the
/// newer first.
pub fn closest<'a, T>(
    policy: &Policy,
    matter: &Matter,
    candidates: impl IntoIterator<Item = (T, &'a Matter)>,
) -> Vec<(T, f64)> {
    let least = share(policy.duplicates.score_min_percent);
    let mut scored: Vec<(T, &Matter, f64)> = candidates
        .into_iter()
        .filter_map(|(candidate, other)| Some((candidate, other, score(policy, matter, other)?)))
        .filter(|(_, _, score)| *score >= least)
        .collect();
    scored.sort_by(|(_, one, a), (_, other, b)| {
        let order = b.partial_cmp(a).unwrap_or(Ordering::Equal);
        order.then(other.filed_at.cmp(&one.filed_at))
    });
    scored.truncate(policy.duplicates.shown_max as usize);
    scored
        .into_iter()
        .map(|(candidate, _, score)| (candidate, score))
        .collect()
}
