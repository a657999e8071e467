//! Recall and false rate by the least score that is shown: a table, a curve and JSON.

use super::{
    Months,
    replay::{Filed, Original, Truth},
};
use crate::{
    Failure,
    plot::{self, Line},
};
use onetrip_model::policy::Policy;
use serde::Serialize;
use std::{collections::BTreeMap, fs, path::Path, time::Duration};

/// Steps of the curve, in percent.
const STEP: usize = 10;

/// Which cases are counted.
const GROUPS: [&str; 4] = ["all", "place-bound", "shared", "shared, by residents"];

/// The columns of [`Point::row`], after months and cases.
const HEAD: &str = "| months | cases | least score | duplicates | original among five | first | pairs in either order \
                    | earlier among five | no duplicates | with a suggestion | suggestions each | duplicates without a \
                    named original: with a suggestion |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

/// What is found and what is shown, at one least score.
#[derive(Clone, Debug, Serialize)]
struct Point {
    score_min_percent: u32,
    /// Duplicates whose original was filed before them, and of how many it is among the first five, and the first.
    duplicates: usize,
    in_five: usize,
    first: usize,
    /// Of marked pairs in whichever order, the later case: how many, and of how many the earlier one is among five.
    pairs: usize,
    pairs_in_five: usize,
    /// Cases that were no duplicates, how many of them get a suggestion, and how many suggestions in all.
    singles: usize,
    singles_shown: usize,
    shown: usize,
    /// Duplicates without a named original, and how many of them get a suggestion.
    unnamed: usize,
    unnamed_shown: usize,
}

#[derive(Serialize)]
struct Curve {
    group: &'static str,
    months: String,
    points: Vec<Point>,
}

impl Curve {
    fn row(&self, point: &Point) -> String {
        format!("| {} | {} | {} |\n", self.months, self.group, point.row())
    }
}

#[derive(Serialize)]
pub struct Report {
    score_min_percent: u32,
    cases: usize,
    /// Named a duplicate of a case that was filed later.
    of_later: usize,
    /// Why the original was or wasn't compared.
    originals: BTreeMap<&'static str, usize>,
    microseconds_each: f64,
    candidates_mean: f64,
    candidates_max: usize,
    curves: Vec<Curve>,
}

fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

impl Point {
    fn of(cases: &[&Filed], score_min_percent: u32) -> Point {
        let least = f64::from(score_min_percent) / 100.0;
        let shown = |case: &Filed| case.scores.iter().filter(|(score, _)| *score >= least).count();
        let in_five = |case: &Filed| case.scores.iter().any(|(score, hit)| *hit && *score >= least);
        let is_first = |case: &Filed| {
            case.scores
                .first()
                .is_some_and(|(score, hit)| *hit && *score >= least)
        };
        let of = |is: fn(Truth) -> bool| {
            let cases = cases.iter().copied().filter(move |case| is(case.truth));
            cases.collect::<Vec<&Filed>>()
        };
        let count =
            |cases: &[&Filed], is: &dyn Fn(&Filed) -> bool| cases.iter().filter(|case| is(case)).count();
        let duplicates = of(|truth| matches!(truth, Truth::Of(_)));
        let pairs = of(|truth| matches!(truth, Truth::Of(_) | Truth::LaterOriginal));
        let singles = of(|truth| truth == Truth::Single);
        let unnamed = of(|truth| truth == Truth::Unnamed);
        Point {
            score_min_percent,
            duplicates: duplicates.len(),
            in_five: count(&duplicates, &in_five),
            first: count(&duplicates, &is_first),
            pairs: pairs.len(),
            pairs_in_five: count(&pairs, &in_five),
            singles: singles.len(),
            singles_shown: count(&singles, &|case| shown(case) > 0),
            shown: singles.iter().map(|case| shown(case)).sum(),
            unnamed: unnamed.len(),
            unnamed_shown: count(&unnamed, &|case| shown(case) > 0),
        }
    }

    fn row(&self) -> String {
        format!(
            "{:.2} | {} | **{:.3}** | {:.3} | {} | {:.3} | {} | **{:.3}** | {:.2} | {:.3}",
            f64::from(self.score_min_percent) / 100.0,
            self.duplicates,
            share(self.in_five, self.duplicates),
            share(self.first, self.duplicates),
            self.pairs,
            share(self.pairs_in_five, self.pairs),
            self.singles,
            share(self.singles_shown, self.singles),
            share(self.shown, self.singles),
            share(self.unnamed_shown, self.unnamed),
        )
    }
}

impl Report {
    pub fn of(policy: &Policy, replay: &[Filed], tuned: Months, held_out: Months, took: Duration) -> Report {
        let belongs = |case: &Filed, group: &str| {
            let category = policy.category(&case.category);
            let shared = category.is_some_and(|category| category.shared);
            match group {
                "place-bound" => category.is_some_and(|category| category.place_bound),
                "shared" => shared,
                "shared, by residents" => shared && !case.by_unit,
                _ => true,
            }
        };
        let score_min_percent = policy.duplicates.score_min_percent;
        let mut curves = Vec::new();
        for months in [tuned, held_out] {
            for group in GROUPS {
                let cases: Vec<&Filed> = replay
                    .iter()
                    .filter(|case| (months.first..=months.last).contains(&case.month) && belongs(case, group))
                    .collect();
                let mut steps: Vec<u32> = (0..=100).step_by(STEP).chain([score_min_percent]).collect();
                steps.sort_unstable();
                steps.dedup();
                curves.push(Curve {
                    group,
                    months: format!("{}-{}", months.first, months.last),
                    points: steps.into_iter().map(|step| Point::of(&cases, step)).collect(),
                });
            }
        }
        let mut originals: BTreeMap<&'static str, usize> = BTreeMap::new();
        for case in replay {
            if let Truth::Of(original) = case.truth {
                *originals.entry(reason(original)).or_default() += 1;
            }
        }
        let candidates: usize = replay.iter().map(|case| case.candidates).sum();
        Report {
            score_min_percent,
            cases: replay.len(),
            of_later: replay.iter().filter(|case| case.truth == Truth::OfLater).count(),
            originals,
            microseconds_each: took.as_secs_f64() * 1e6 / replay.len().max(1) as f64,
            candidates_mean: candidates as f64 / replay.len().max(1) as f64,
            candidates_max: replay.iter().map(|case| case.candidates).max().unwrap_or(0),
            curves,
        }
    }

    /// Markdown.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{} cases replayed, {:.0} us and {:.0} candidates each ({} at most). Marked as duplicates of a case that was \
             filed later, so that nothing could suggest it: {}. Originals filed before: {}.\n\n{HEAD}",
            self.cases,
            self.microseconds_each,
            self.candidates_mean,
            self.candidates_max,
            self.of_later,
            self.originals
                .iter()
                .map(|(reason, count)| format!("{count} {reason}"))
                .collect::<Vec<_>>()
                .join(", "),
        );
        for curve in &self.curves {
            let shown = |point: &&Point| point.score_min_percent == self.score_min_percent;
            for point in curve.points.iter().filter(shown) {
                text.push_str(&curve.row(point));
            }
        }
        text.push_str("\nBy the least score, place-bound cases:\n\n");
        text.push_str(HEAD);
        for curve in self.curves.iter().filter(|curve| curve.group == "place-bound") {
            for point in &curve.points {
                text.push_str(&curve.row(point));
            }
        }
        text
    }

    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        fs::write(folder.join("duplicates.md"), self.table())?;
        fs::write(folder.join("duplicates.json"), serde_json::to_vec_pretty(self)?)?;
        fs::write(folder.join("duplicates.svg"), self.plot())?;
        Ok(())
    }

    fn plot(&self) -> String {
        let labels: Vec<String> = self
            .curves
            .iter()
            .map(|curve| format!("{}, months {}", curve.group, curve.months))
            .collect();
        let wanted = |curve: &Curve| matches!(curve.group, "place-bound" | "shared, by residents");
        let lines: Vec<Line<'_>> = self
            .curves
            .iter()
            .zip(&labels)
            .filter(|(curve, _)| wanted(curve))
            .map(|(curve, label)| Line {
                label,
                points: curve
                    .points
                    .iter()
                    .map(|point| {
                        (
                            share(point.singles_shown, point.singles),
                            share(point.in_five, point.duplicates),
                        )
                    })
                    .collect(),
            })
            .collect();
        plot::lines(
            "Possible duplicates: recall against false suggestions",
            "share of cases that were no duplicates and get a suggestion",
            "share of duplicates whose original is among five",
            &lines,
        )
    }
}

fn reason(original: Original) -> &'static str {
    match original {
        Original::Candidate => "compared",
        Original::Ended => "had ended",
        Original::OtherDivision => "in another division",
        Original::OtherOffice => "of another office's category",
        Original::PastTheBound => "past the bound of candidates",
    }
}
