//! How many cases, how many in time, and how long they took: from the read model `resolution`.

mod render;

pub use render::{Format, render};

use chrono::{DateTime, Utc};
use onetrip_casework::Casework;
use onetrip_model::{
    access::Scope,
    figures::{Figure, Figures},
};
use onetrip_read_models::resolution::{self, BoardFilter, CaseRef, Grouping, Paging};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a report is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportQuery {
    /// Code of a division; None for everything.
    pub area: Option<String>,
    /// The instant at which open cases are looked at; None for now. Imported cases are never taken to have been open
    /// for longer than their export watched them.
    pub as_of: Option<DateTime<Utc>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The read model keeps where a case stands, not where it stood.
    #[error(
        "cases have been filed or finished up to {newest}: a report as of {as_of} would count what came later"
    )]
    TooEarly {
        as_of: DateTime<Utc>,
        newest: DateTime<Utc>,
    },
    #[error("there is no division `{0}`")]
    NoSuchArea(String),
}

/// The figures of an area with its groups. `closed` is `on_time` + `overdue` + `no_target`, and `cases` is `closed` +
/// `open` + `withdrawn`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub as_of: DateTime<Utc>,
    pub area: Option<String>,
    #[serde(flatten)]
    pub total: Line,
    pub units: Vec<Group>,
    pub kinds: Vec<Group>,
    pub districts: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Code of the unit or division, or the kind's name; empty for cases that no unit has had.
    pub code: String,
    pub name: String,
    pub name_en: String,
    #[serde(flatten)]
    pub line: Line,
}

/// Times are in whole seconds from filing to the result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    pub cases: u64,
    pub closed: u64,
    pub open: u64,
    pub withdrawn: u64,
    /// Of the closed: the first result came within its limit, after it, or there was none.
    pub on_time: u64,
    pub overdue: u64,
    pub no_target: u64,
    /// Of the open: the limit of the first result has passed without one.
    pub open_overdue: u64,
    /// Survival estimate over all cases, the open ones counted as not yet finished; None where it is not reached.
    pub p50: Option<u64>,
    pub p75: Option<u64>,
    pub p90: Option<u64>,
    pub p95: Option<u64>,
    /// The closed cases alone, nearest rank: better than the truth as long as slow cases are open.
    pub closed_p50: Option<u64>,
    pub closed_p75: Option<u64>,
    pub closed_p90: Option<u64>,
    pub closed_p95: Option<u64>,
}

const GROUPINGS: [Grouping; 3] = [Grouping::Unit, Grouping::Kind, Grouping::District];

/// Reports on everything in an area. The read models have to have caught up: see [`crate::catch_up`].
pub async fn report(casework: &Casework, query: &ReportQuery) -> Result<Report, ReportError> {
    let as_of = query.as_of.unwrap_or_else(|| casework.now());
    let directory = casework.directory();
    if let Some(area) = query
        .area
        .as_ref()
        .filter(|area| directory.division(area).is_none())
    {
        return Err(ReportError::NoSuchArea(area.clone()));
    }
    let filter = BoardFilter {
        area: query.area.clone(),
        ..BoardFilter::default()
    };
    let mut connection = casework.pool().acquire().await?;
    let (total, groups) =
        resolution::board(&mut connection, &Scope::Everything, &filter, &GROUPINGS, as_of).await?;
    let all = Paging {
        skip: 0,
        limit: usize::MAX,
    };
    let (_, cases) = resolution::cases(
        &mut connection,
        &Scope::Everything,
        &filter,
        Figure::Submitted,
        None,
        as_of,
        all,
    )
    .await?;
    let newest = cases
        .iter()
        .flat_map(|case| [Some(case.submitted_at), case.result_at])
        .flatten()
        .max();
    if let Some(newest) = newest.filter(|newest| *newest > as_of) {
        return Err(ReportError::TooEarly { as_of, newest });
    }
    let (_, closed) = resolution::cases(
        &mut connection,
        &Scope::Everything,
        &filter,
        Figure::Closed,
        None,
        as_of,
        all,
    )
    .await?;
    drop(connection);
    let groups: [BTreeMap<String, Figures>; 3] = groups.try_into().unwrap_or_default();
    let [units, kinds, districts] = groups;
    let district = |case: &CaseRef| around(&districts, &case.division);
    let mut spells = Spells::default();
    let mut unit_spells: BTreeMap<String, Spells> = BTreeMap::new();
    let mut kind_spells: BTreeMap<String, Spells> = BTreeMap::new();
    let mut district_spells: BTreeMap<String, Spells> = BTreeMap::new();
    for case in &closed {
        // Closed without a result: handed to somebody outside, which is no time to a result.
        let Some(result_at) = case.result_at else { continue };
        let lasted = u64::try_from((result_at - case.submitted_at).num_seconds()).unwrap_or(0);
        spells.0.push(lasted);
        unit_spells.entry(case.unit.clone()).or_default().0.push(lasted);
        kind_spells.entry(case.kind.clone()).or_default().0.push(lasted);
        district_spells.entry(district(case)).or_default().0.push(lasted);
    }
    let unit_names = |code: &str| directory.unit(code).map(|unit| (unit.name, unit.name_en));
    let district_names = |code: &str| {
        let division = directory.division(code)?;
        let english = division.name_en.unwrap_or_else(|| division.name.clone());
        Some((division.name, english))
    };
    Ok(Report {
        as_of,
        area: query.area.clone(),
        total: line(total, spells),
        units: lines(units, unit_spells, unit_names),
        kinds: lines(kinds, kind_spells, |_| None),
        districts: lines(districts, district_spells, district_names),
    })
}

/// The group of the board a division was counted in: the longest code it starts with.
fn around(districts: &BTreeMap<String, Figures>, division: &str) -> String {
    let fits = |code: &&String| division.starts_with(code.as_str());
    let code = districts.keys().filter(fits).max_by_key(|code| code.len());
    code.cloned().unwrap_or_else(|| division.to_owned())
}

fn lines(
    groups: BTreeMap<String, Figures>,
    mut spells: BTreeMap<String, Spells>,
    names: impl Fn(&str) -> Option<(String, String)>,
) -> Vec<Group> {
    let group = |(code, figures): (String, Figures)| {
        let (name, name_en) = names(&code).unwrap_or_else(|| (code.clone(), code.clone()));
        let line = line(figures, spells.remove(&code).unwrap_or_default());
        Group {
            code,
            name,
            name_en,
            line,
        }
    };
    groups.into_iter().map(group).collect()
}

fn line(mut figures: Figures, mut spells: Spells) -> Line {
    let times = figures.times();
    let [closed_p50, closed_p75, closed_p90, closed_p95] = spells.nearest_ranks([50, 75, 90, 95]);
    Line {
        cases: figures.submitted,
        closed: figures.closed,
        open: figures.open,
        withdrawn: figures.submitted.saturating_sub(figures.closed + figures.open),
        on_time: figures.closed_in_time,
        overdue: figures.closed_late,
        no_target: figures.closed_without_target,
        open_overdue: figures.open_overdue,
        p50: times.p50,
        p75: times.p75,
        p90: times.p90,
        p95: times.p95,
        closed_p50,
        closed_p75,
        closed_p90,
        closed_p95,
    }
}

/// Times to result of closed cases, in seconds.
#[derive(Default)]
struct Spells(Vec<u64>);

impl Spells {
    /// For each percentage the smallest time that at least so many percent did not exceed.
    fn nearest_ranks<const N: usize>(&mut self, percents: [usize; N]) -> [Option<u64>; N] {
        self.0.sort_unstable();
        percents.map(|percent| {
            let rank = (percent * self.0.len()).div_ceil(100);
            self.0.get(rank.checked_sub(1)?).copied()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_ranks_are_times_that_were_really_taken() {
        let ranks = |times: &[u64]| Spells(times.to_vec()).nearest_ranks([50, 75, 90, 95]);
        assert_eq!(ranks(&[40, 10, 30, 20]), [Some(20), Some(30), Some(40), Some(40)]);
        assert_eq!(ranks(&[7]), [Some(7); 4]);
        assert_eq!(ranks(&[]), [None; 4]);
    }

    #[test]
    fn a_case_belongs_to_the_group_its_division_was_cut_to() {
        let codes = [
            "4403",
            "440305",
            "boston311",
            "boston311-allston.",
            "boston311-allston-brighton.",
        ];
        let districts = codes
            .into_iter()
            .map(|code| (code.to_owned(), Figures::default()))
            .collect();
        assert_eq!(around(&districts, "440305007002"), "440305");
        assert_eq!(around(&districts, "4403"), "4403");
        assert_eq!(
            around(&districts, "boston311-allston-brighton."),
            "boston311-allston-brighton."
        );
        assert_eq!(around(&districts, "boston311"), "boston311");
    }
}
