//! The cases of an export in the order of time, each with what would have been suggested when it was filed.

use chrono::{DateTime, Datelike, Utc};
use onetrip_import::Glance;
use onetrip_model::{
    likeness::{Matter, Pairs, closest},
    policy::Policy,
};
use std::collections::HashMap;

/// One case and the suggestions it would have got.
pub struct Filed {
    pub month: u32,
    pub category: String,
    pub by_unit: bool,
    pub truth: Truth,
    /// Cases compared.
    pub candidates: usize,
    /// Scores, best first, as many as are shown at most; whether it is the original, or for a later original one of its duplicates.
    pub scores: Vec<(f64, bool)>,
}

/// What the city says of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// No duplicate.
    Single,
    /// A duplicate whose original is not named, or not in the file.
    Unnamed,
    /// A duplicate of a case filed before it.
    Of(Original),
    /// Named as a duplicate of a case that was filed after it, so that nothing can suggest it.
    OfLater,
    /// Names none itself, but is the original of a case filed before it: the later one of a pair whose other is `OfLater`.
    LaterOriginal,
}

/// Why the original is or isn't among the candidates of the duplicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Original {
    Candidate,
    Ended,
    OtherDivision,
    OtherOffice,
    /// There were more candidates than are looked at.
    PastTheBound,
}

/// An open case's place in the order and what is compared of it.
struct Open {
    matter: Matter,
    closed_at: Option<DateTime<Utc>>,
    place: usize,
}

/// `rows` in the order of their filing; those after the last month are not replayed.
pub fn replay(policy: &Policy, rows: &[Glance], duplicate: &str, last_month: u32) -> Vec<Filed> {
    // Every score is kept here, so that one run draws the whole curve.
    let mut all = policy.clone();
    all.duplicates.score_min_percent = 0;
    let places: HashMap<&str, usize> = rows
        .iter()
        .enumerate()
        .map(|(place, row)| (row.source_id.as_str(), place))
        .collect();
    // Of a case, those of its pairs that were filed before it.
    let mut earlier: HashMap<usize, Vec<usize>> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        if let Some(&original) = places.get(row.extra.as_str()) {
            earlier
                .entry(place.max(original))
                .or_default()
                .push(place.min(original));
        }
    }
    let mut open: HashMap<(&str, &str), Vec<Open>> = HashMap::new();
    let mut filed = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        if row.opened_at.month() > last_month {
            break;
        }
        let matter = matter(row);
        let candidates = candidates(&all, &mut open, row);
        let compared = candidates.iter().map(|other| (other.place, &other.matter));
        let others = earlier.get(&place).map_or(&[][..], Vec::as_slice);
        let scores = closest(&all, &matter, compared);
        let original = places.get(row.extra.as_str()).copied();
        let is_hit = |found: usize| match original {
            Some(original) => found == original,
            None => others.contains(&found),
        };
        let scores = scores
            .into_iter()
            .map(|(found, score)| (score, is_hit(found)))
            .collect();
        let truth = match original {
            Some(original) if original < place => {
                let is_candidate = candidates.iter().any(|candidate| candidate.place == original);
                Truth::Of(reach(&all, row, &rows[original], is_candidate))
            }
            Some(_) => Truth::OfLater,
            None if !others.is_empty() => Truth::LaterOriginal,
            None if row.outcome.as_deref() == Some(duplicate) => Truth::Unnamed,
            None => Truth::Single,
        };
        filed.push(Filed {
            month: row.opened_at.month(),
            category: row.category.clone(),
            by_unit: row.filed_by_unit,
            truth,
            candidates: candidates.len(),
            scores,
        });
        open.entry((row.division.as_str(), row.category.as_str()))
            .or_default()
            .push(Open {
                matter,
                closed_at: row.closed_at,
                place,
            });
    }
    filed
}

/// What the service would look at: the open cases of the division, the own category first, the newest of each first.
fn candidates<'a, 'r>(
    policy: &'r Policy,
    open: &'a mut HashMap<(&'r str, &'r str), Vec<Open>>,
    row: &'r Glance,
) -> Vec<&'a Open> {
    let kin = policy.kin_of(&row.category);
    for category in &kin {
        if let Some(cases) = open.get_mut(&(row.division.as_str(), category.id.as_str())) {
            cases.retain(|case| case.closed_at.is_none_or(|closed_at| closed_at > row.opened_at));
        }
    }
    let open = &*open;
    kin.iter()
        .filter_map(|category| open.get(&(row.division.as_str(), category.id.as_str())))
        .flat_map(|cases| cases.iter().rev())
        .take(policy.duplicates.candidates_max as usize)
        .collect()
}

fn reach(policy: &Policy, row: &Glance, original: &Glance, is_candidate: bool) -> Original {
    let kin = policy.kin_of(&row.category);
    if is_candidate {
        Original::Candidate
    } else if original
        .closed_at
        .is_some_and(|closed_at| closed_at <= row.opened_at)
    {
        Original::Ended
    } else if original.division != row.division {
        Original::OtherDivision
    } else if !kin.iter().any(|category| category.id == original.category) {
        Original::OtherOffice
    } else {
        Original::PastTheBound
    }
}

fn matter(row: &Glance) -> Matter {
    Matter {
        kind: row.kind,
        category: row.category.clone(),
        point: row.point,
        place_words: row.street.as_deref().map(Pairs::of).unwrap_or_default(),
        words: Pairs::of(&row.words),
        filed_at: row.opened_at,
    }
}
