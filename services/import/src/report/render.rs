use super::{Group, Line, Report};
use std::fmt::Write;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for a terminal, times as a person says them.
    Table,
    /// One line a group under a head; times in seconds.
    Csv,
    /// [`Report`] as it is; times in seconds, null where not reached.
    Json,
}

impl Format {
    pub const NAMES: [&'static str; 3] = ["table", "csv", "json"];

    pub fn parse(name: &str) -> Option<Format> {
        match name {
            "table" => Some(Format::Table),
            "csv" => Some(Format::Csv),
            "json" => Some(Format::Json),
            _ => None,
        }
    }
}

/// The report as text, with a line feed at its end.
pub fn render(report: &Report, format: Format) -> String {
    match format {
        Format::Table => table(report),
        Format::Csv => csv(report),
        // A report holds strings and numbers only, which always have a JSON form.
        Format::Json => serde_json::to_string_pretty(report).unwrap_or_default() + "\n",
    }
}

const COUNTS: [&str; 8] = [
    "cases",
    "closed",
    "open",
    "withdrawn",
    "on_time",
    "overdue",
    "no_target",
    "open_overdue",
];
const TIMES: [&str; 8] = [
    "p50",
    "p75",
    "p90",
    "p95",
    "closed_p50",
    "closed_p75",
    "closed_p90",
    "closed_p95",
];

fn counts(line: &Line) -> [u64; 8] {
    let Line {
        cases,
        closed,
        open,
        withdrawn,
        on_time,
        overdue,
        no_target,
        open_overdue,
        ..
    } = *line;
    [
        cases,
        closed,
        open,
        withdrawn,
        on_time,
        overdue,
        no_target,
        open_overdue,
    ]
}

fn times(line: &Line) -> [Option<u64>; 8] {
    let Line {
        p50,
        p75,
        p90,
        p95,
        closed_p50,
        closed_p75,
        closed_p90,
        closed_p95,
        ..
    } = *line;
    [p50, p75, p90, p95, closed_p50, closed_p75, closed_p90, closed_p95]
}

/// Every list of groups, with what it is a list of.
fn lists(report: &Report) -> [(&'static str, &[Group]); 3] {
    [
        ("unit", &report.units),
        ("kind", &report.kinds),
        ("district", &report.districts),
    ]
}

fn table(report: &Report) -> String {
    let mut text = format!("as of {}", report.as_of.format("%Y-%m-%d %H:%M:%S UTC"));
    if let Some(area) = &report.area {
        let _ = write!(text, ", {area}");
    }
    text.push_str("\ntimes: from filing to result, open cases counted as not yet finished; ");
    text.push_str("closed_*: closed cases alone; a dash: not reached\n");
    let head = |what: &str| {
        [what]
            .into_iter()
            .chain(COUNTS)
            .chain(TIMES)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let cells = |name: &str, line: &Line| {
        let counts = counts(line).map(|count| count.to_string());
        let times = times(line).map(|time| time.map_or_else(|| "-".to_owned(), human));
        [name.to_owned()]
            .into_iter()
            .chain(counts)
            .chain(times)
            .collect::<Vec<_>>()
    };
    text.push('\n');
    align(&mut text, &[head("all"), cells("all", &report.total)]);
    for (what, groups) in lists(report) {
        let mut rows = vec![head(what)];
        rows.extend(groups.iter().map(|group| cells(&label(group), &group.line)));
        text.push('\n');
        align(&mut text, &rows);
    }
    text
}

fn label(group: &Group) -> String {
    if group.name_en == group.code {
        group.code.clone()
    } else {
        format!("{} ({})", group.name_en, group.code)
    }
}

/// Names to the left, everything else to the right.
fn align(text: &mut String, rows: &[Vec<String>]) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| columns_of(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width - columns_of(cell));
            match column {
                0 => text.extend([cell, gap.as_str()]),
                _ => text.extend(["  ", gap.as_str(), cell]),
            }
        }
        text.push('\n');
    }
}

/// Columns of a terminal: Chinese characters take two.
fn columns_of(text: &str) -> usize {
    text.chars()
        .map(|character| {
            if matches!(character, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffe6}') {
                2
            } else {
                1
            }
        })
        .sum()
}

/// The two largest units, the smaller rounded down: `36 d 5 h`, `4 h 2 min`, `59 s`.
fn human(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

fn csv(report: &Report) -> String {
    let head = ["as_of", "group", "code", "name", "name_en"]
        .into_iter()
        .chain(COUNTS)
        .chain(TIMES);
    let mut text = head.collect::<Vec<_>>().join(",") + "\r\n";
    let as_of = report.as_of.to_rfc3339();
    let mut write = |group: &str, code: &str, name: &str, name_en: &str, line: &Line| {
        let words = [as_of.as_str(), group, code, name, name_en].map(cell);
        let counts = counts(line).map(|count| count.to_string());
        let times = times(line).map(|time| time.map_or_else(String::new, |seconds| seconds.to_string()));
        let cells: Vec<String> = words.into_iter().chain(counts).chain(times).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    };
    let area = report.area.as_deref().unwrap_or_default();
    write("all", area, "", "", &report.total);
    for (what, groups) in lists(report) {
        for group in groups {
            write(what, &group.code, &group.name, &group.name_en, &group.line);
        }
    }
    text
}

/// A field that a spreadsheet takes for text: what would begin a formula gets an apostrophe before it.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let line = Line {
            cases: 3,
            closed: 2,
            open: 1,
            on_time: 1,
            overdue: 1,
            p50: Some(90_000),
            closed_p50: Some(59),
            closed_p75: Some(3_661),
            ..Line::default()
        };
        let group = |code: &str, name: &str, name_en: &str| Group {
            code: code.to_owned(),
            name: name.to_owned(),
            name_en: name_en.to_owned(),
            line: line.clone(),
        };
        Report {
            as_of: "2016-01-13T03:22:40Z".parse().unwrap(),
            area: None,
            total: line.clone(),
            units: vec![group("x-1", "=HYPERLINK(\"http://x\",\"y\")", "Roads, \"all\"")],
            kinds: vec![group("appeal", "appeal", "appeal")],
            districts: vec![group("x", "城", "城区")],
        }
    }

    #[test]
    fn tables_are_aligned_and_say_times_as_people_do() {
        let text = render(&report(), Format::Table);
        assert!(text.contains("as of 2016-01-13 03:22:40 UTC"));
        for block in text.split("\n\n").skip(1) {
            let widths: Vec<usize> = block.lines().map(columns_of).collect();
            assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{block}");
        }
        for time in [" 1 d 1 h ", " 59 s ", " 1 h 1 min ", " - "] {
            assert!(text.contains(time), "{time} in {text}");
        }
    }

    #[test]
    fn a_spreadsheet_runs_nothing() {
        let text = render(&report(), Format::Csv);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), 4);
        assert_eq!(&rows[1][3], "'=HYPERLINK(\"http://x\",\"y\")");
        assert_eq!(&rows[1][4], "Roads, \"all\"");
        assert_eq!(&rows[0][13], "90000");
        assert_eq!(&rows[0][14], "", "not reached");
    }

    #[test]
    fn json_has_a_number_or_null_for_every_time() {
        let json: serde_json::Value = serde_json::from_str(&render(&report(), Format::Json)).unwrap();
        assert_eq!(json["cases"], 3);
        assert_eq!(json["as_of"], "2016-01-13T03:22:40Z");
        assert_eq!(json["p50"], 90_000);
        assert!(json["units"][0]["p75"].is_null());
        assert_eq!(json["units"][0]["closed_p50"], 59);
    }

    #[test]
    fn formats_are_parsed_by_name() {
        assert!(Format::NAMES.iter().all(|name| Format::parse(name).is_some()));
        assert_eq!(Format::parse("xml"), None);
    }
}
