//! Finds SQL that names a table outside of the one folder that may, in the string literals of Rust sources and in SQL
//! files.
//!
//! Everybody but the event log reads events through it, or the order in which they are read, the erasure of personal
//! data in them and the upcasting of old ones would have to be right in more than one place. And what a read model's
//! table means is known to its own folder, which can change it because nobody else asks it.

use std::fs;
use std::path::Path;

/// Tables and the folder that alone names them.
struct Room {
    home: &'static str,
    tables: &'static [&'static str],
    /// Tests of other crates may look into it.
    open_to_tests: bool,
}

const ROOMS: &[Room] = &[
    Room {
        home: "services/event-log",
        tables: &["events"],
        open_to_tests: false,
    },
    Room {
        home: "services/evidence",
        tables: &["tree_heads", "tree_state", "tree_tiles", "witness_deliveries"],
        open_to_tests: true,
    },
    Room {
        home: "projections/read-models/src/case_file",
        tables: &["case_files"],
        open_to_tests: true,
    },
    Room {
        home: "projections/read-models/src/queue",
        tables: &["queue_entries"],
        open_to_tests: true,
    },
    Room {
        home: "projections/read-models/src/resolution",
        tables: &["resolution_cases"],
        open_to_tests: true,
    },
    Room {
        home: "projections/read-models/src/run_once",
        tables: &[
            "run_once_breaches",
            "run_once_cases",
            "run_once_held_papers",
            "run_once_matters",
            "run_once_merges",
            "run_once_paper_asks",
        ],
        open_to_tests: true,
    },
];

/// Files that ask a read model's table themselves, to be taken off this list one by one: what they ask should be a
/// function of the read model.
const STILL: &[(&str, &str)] = &[
    (
        "projections/read-models/src/resolution/query.rs",
        "run_once_cases",
    ),
    ("services/casework/src/follow.rs", "run_once_cases"),
    ("services/casework/src/submit.rs", "run_once_cases"),
    ("services/onetrip/src/demo/cases.rs", "run_once_cases"),
];

/// Look at the tables from outside: the first compares them with those of other stores, under the names that these give
/// them, the second with what the service has acknowledged, where asking through the service would ask the accused, and the
/// third changes the log behind everybody's back, to see that it is found out.
const OUTSIDE: &[&str] = &["ops/bench", "ops/soak", "services/evidence/tests"];

/// As SQL: the name is bare or in the schema `public`, the keywords are those that go before a table.
const SCHEMA: &str = "public";
const KEYWORDS: &[&str] = &["from", "into", "join", "update"];

/// The faults in all sources below `folder`, each a line for the terminal, with paths from `root`.
pub fn check_folder(root: &Path, folder: &Path) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let fail = |error| format!("reading {}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let kind = entry.file_type().map_err(fail)?;
            if kind.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if kind.is_file() && (name.ends_with(".rs") || name.ends_with(".sql")) {
                let text = fs::read_to_string(&path)
                    .map_err(|error| format!("reading {}: {error}", path.display()))?;
                let shown = path.strip_prefix(root).unwrap_or(&path);
                faults.extend(check_file(shown, &text));
            }
        }
    }
    faults.sort();
    Ok(faults)
}

/// The faults of one file; `path` from the root of the workspace.
fn check_file(path: &Path, text: &str) -> Vec<String> {
    let is_test = path.components().any(|part| part.as_os_str() == "tests");
    let is_open = |room: &&Room| path.starts_with(room.home) || (is_test && room.open_to_tests);
    let mut faults = Vec::new();
    if OUTSIDE.iter().any(|folder| path.starts_with(folder)) {
        return faults;
    }
    for room in ROOMS.iter().filter(|room| !is_open(room)) {
        for table in room.tables {
            if STILL.contains(&(&*path.to_string_lossy(), table)) {
                continue;
            }
            let lines = match path.extension().is_some_and(|kind| kind == "rs") {
                true => mentions_in_rust(text, table),
                false => mentions_in_sql(text, 1, table),
            };
            let (path, home) = (path.display(), room.home);
            faults.extend(lines.into_iter().map(|line| {
                format!(
                    "{path}:{line} names the table {table} in SQL: only {home} may, ask through it instead"
                )
            }));
        }
    }
    faults
}

/// The lines of a Rust source whose string literals name the table.
fn mentions_in_rust(source: &str, table: &str) -> Vec<usize> {
    string_literals(source)
        .iter()
        .flat_map(|(line, text)| mentions_in_sql(text, *line, table))
        .collect()
}

/// The lines on which the table is named, when the text starts on line `first`.
fn mentions_in_sql(text: &str, first: usize, table: &str) -> Vec<usize> {
    let words = words(text, first);
    let is = |index: usize, word: &str| words.get(index).is_some_and(|(_, found)| found == word);
    (0..words.len())
        .filter(|&index| KEYWORDS.contains(&words[index].1.as_str()))
        .filter(|&index| {
            let qualified = is(index + 1, SCHEMA) && is(index + 2, ".") && is(index + 3, table);
            qualified || (is(index + 1, table) && !is(index + 2, "."))
        })
        .map(|index| words[index].0)
        .collect()
}

/// Lower-case words and single other characters, each with its line; without white space, quotes around identifiers,
/// backslashes of continued lines and SQL comments.
fn words(text: &str, first: usize) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.split("--").next().unwrap_or_default();
        let mut inside = false;
        for c in line.chars() {
            let is_word = c.is_alphanumeric() || c == '_';
            match words.last_mut() {
                Some((_, word)) if is_word && inside => word.extend(c.to_lowercase()),
                _ if c.is_whitespace() || c == '"' || c == '\\' => {}
                _ => words.push((first + index, c.to_lowercase().collect())),
            }
            inside = is_word;
        }
    }
    words
}

/// The string literals of a Rust source, each with the line it starts on. Comments, character literals and
/// lifetimes are passed over; escapes are left as they are.
fn string_literals(source: &str) -> Vec<(usize, String)> {
    let bytes = source.as_bytes();
    let mut literals = Vec::new();
    let mut at = 0;
    let line_of = |at: usize| 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"//") {
            at += length_until(rest, b"\n");
        } else if rest.starts_with(b"/*") {
            at += block_comment(rest);
        } else if let Some((start, hashes)) = raw_string_start(bytes, at) {
            let closing = [&b"\""[..], &b"#".repeat(hashes)].concat();
            let length = length_until(&bytes[start..], &closing);
            literals.push((line_of(start), source[start..start + length].to_owned()));
            at = (start + length + closing.len()).min(bytes.len());
        } else if rest[0] == b'"' {
            let start = at + 1;
            let length = quoted_length(&bytes[start..]);
            literals.push((line_of(start), source[start..start + length].to_owned()));
            at = start + length + 1;
        } else if rest[0] == b'\'' {
            at += char_or_lifetime(rest);
        } else {
            at += 1;
        }
    }
    literals
}

fn length_until(bytes: &[u8], end: &[u8]) -> usize {
    bytes
        .windows(end.len())
        .position(|window| window == end)
        .unwrap_or(bytes.len())
}

/// Rust's block comments nest.
fn block_comment(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// Where the text of a raw string at `at` starts, and how many hashes end it.
fn raw_string_start(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    // The r of `for"` or of an identifier is none, but the one of br"..." and cr"..." is.
    let before = bytes[..at]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let prefix_is_fine = before == 0 || (before == 1 && matches!(bytes[at - 1], b'b' | b'c'));
    if bytes[at] != b'r' || !prefix_is_fine {
        return None;
    }
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    let quote = at + 1 + hashes;
    (bytes.get(quote) == Some(&b'"')).then_some((quote + 1, hashes))
}

/// Up to the closing quote, which an escape may pretend to be.
fn quoted_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

fn char_or_lifetime(bytes: &[u8]) -> usize {
    if bytes.get(1) == Some(&b'\\') {
        // An escape: over the escaped character, which may be a quote, to the closing one.
        return bytes[3.min(bytes.len())..]
            .iter()
            .position(|byte| *byte == b'\'')
            .map_or(bytes.len(), |at| at + 4);
    }
    // One character of up to four bytes and a quote, else it is a lifetime.
    let text = String::from_utf8_lossy(&bytes[1..bytes.len().min(5)]).into_owned();
    let length = text.chars().next().map_or(0, char::len_utf8);
    if bytes.get(1 + length) == Some(&b'\'') {
        length + 2
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "events";

    fn mentions_in_rust(source: &str) -> Vec<usize> {
        super::mentions_in_rust(source, TABLE)
    }

    /// SQL with the table in it, put together here so that this file does not name it.
    fn sql(before: &str) -> String {
        format!("{before} {TABLE}")
    }

    #[test]
    fn a_planted_query_is_found_with_its_line() {
        let source = format!(
            "fn f() {{\n    query(\"SELECT *\n        {}\");\n}}\n",
            sql("FROM")
        );
        assert_eq!(mentions_in_rust(&source), [3]);
    }

    #[test]
    fn every_way_to_name_the_table_is_found() {
        for before in [
            "FROM",
            "from",
            "INSERT INTO",
            "UPDATE",
            "JOIN",
            "from public.",
            "FROM\\\n    ",
        ] {
            let text = if before.ends_with('.') {
                format!("{before}{TABLE}")
            } else {
                sql(before)
            };
            assert_eq!(
                mentions_in_rust(&format!("query(\"{text} e\")")).len(),
                1,
                "{text}"
            );
            assert_eq!(
                mentions_in_rust(&format!("query(r#\"{text} e\"#)")).len(),
                1,
                "{text}"
            );
        }
        let quoted = format!("query(r#\"SELECT 1 FROM \"{TABLE}\"\"#)");
        assert_eq!(mentions_in_rust(&quoted), [1]);
    }

    #[test]
    fn a_read_models_table_is_its_own_folders() {
        let source = format!("query(\"SELECT 1 {} queue_entries\");", "FROM");
        let faults = |path: &str| check_file(Path::new(path), &source).len();
        assert_eq!(faults("services/portal/src/web/staff_queue.rs"), 1);
        assert_eq!(faults("projections/read-models/src/case_file/query.rs"), 1);
        assert_eq!(faults("projections/read-models/src/queue/query.rs"), 0);
        assert_eq!(faults("services/casework/tests/use_cases/lists.rs"), 0);
        let events = format!("query(\"SELECT 1 {}\");", sql("FROM"));
        let in_test = check_file(Path::new("services/casework/tests/use_cases/lists.rs"), &events);
        assert_eq!(in_test.len(), 1, "tests read the log through it too");
    }

    #[test]
    fn other_words_are_left_alone() {
        for text in [
            sql("// SELECT 1 FROM"),
            sql("/* a /* b */ SELECT 1 FROM"),
            format!("let x = from({TABLE});"),
            format!("query(\"SELECT 1 FROM {TABLE}_position\")"),
            format!("query(\"SELECT 1 FROM old_{TABLE}\")"),
            format!("query(\"SELECT {TABLE}.n FROM {TABLE}.seen\")"),
            format!("query(\"SELECT 1 -- FROM {TABLE}\")"),
            format!("let a: &'static str = \"FROM\"; let {TABLE} = 1;"),
        ] {
            assert_eq!(mentions_in_rust(&text), [] as [usize; 0], "{text}");
        }
    }

    #[test]
    fn literals_are_found_between_things_that_look_like_them() {
        let source = r###"let q = '"'; let e = '\''; fn f<'a>(x: &'a str) {} // "no"
            let s = "a \" b"; let r = r#"c " d"#; let b = br"e"; let c = '办'; /* "no" */ let for_ = "f";"###;
        let texts: Vec<String> = string_literals(source)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(texts, ["a \\\" b", "c \" d", "e", "f"]);
    }

    #[test]
    fn unfinished_sources_do_no_harm() {
        for source in ["\"abc", "r#\"abc", "/* abc", "'", "'\\", "\"abc\\", "r", "br#"] {
            let _ = string_literals(source);
        }
    }
}
