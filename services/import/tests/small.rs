//! A small file with every kind of fault: rejects, repetition, stops in the middle.

mod support;

use onetrip_import::{Format, ImportError, Mapping, ReportError, ReportQuery, import, render, report};
use onetrip_model::{Case, CaseId, CaseNumber};
use onetrip_read_models::case_file;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    pin::pin,
};
use support::{HEADER, left, run, write};
use uuid::Uuid;

const ROWS: &str = "\
1,2015-01-01T00:25:36,2015-01-16T08:30:00,2015-01-02T16:17:43,ONTIME,Closed,Lamp out,S,Street Lights,T,Q,PWDx,Roxbury,W,Ipswich St,42.3474,-71.0944,Constituent Call,resolved,
2,2015-01-01T00:25:36,,,ONTIME,Open,,S,Pothole,Pothole Repair,Q,PWDx,,W,,42.3474,-71.0944,City Worker App,,
3,2015-01-02T00:00:00,,2015-01-01T00:00:00,ONTIME,Closed,Late,S,Trees,T,Q,PARK,Roxbury,W,,,,Constituent Call,noted,
,2015-01-02T00:00:00,,,ONTIME,Open,No id,S,Trees,T,Q,PARK,Roxbury,W,,,,Constituent Call,,
5,2015-13-02T00:00:00,,,ONTIME,Open,No month,S,Trees,T,Q,PARK,Roxbury,W,,,,Constituent Call,,
6,2015-01-02T00:00:00,,
1,2015-01-03T00:00:00,,,ONTIME,Open,Again,S,Trees,T,Q,PARK,Roxbury,W,,,,Constituent Call,,
7,2015-01-03T00:00:00,2015-01-04T00:00:00,,OVERDUE,Open,\"Two lines,
one matter\",S,Trees,T,Q,PARK,Allston / Brighton,W,,,,Constituent Call,,
8,2015-01-03T00:00:00,2015-01-04T00:00:00,2015-01-05T00:00:00,OVERDUE,Closed,Idea,S,Participatory Budgeting Idea Collection,T,Q,HS_Y,Allston,W,,,,Self Service,noted,
";

fn small(folder: &Path) -> (PathBuf, PathBuf) {
    let file = folder.join("small.csv");
    write(&file, &format!("{HEADER}{ROWS}"));
    (file, folder.join("small.rejects.csv"))
}

#[tokio::test]
async fn good_rows_become_cases_and_bad_ones_are_told() {
    let database = support::database().await;
    let casework = support::casework(&database.pool).await;
    let (file, rejects) = small(&support::folder("small"));
    let summary = run(&casework, &file, &rejects).await;
    let reasons = [
        ("closed before opened", 1),
        ("id is empty", 1),
        ("id occurs before in this file", 1),
        ("opened: not a time", 1),
        ("row has 4 fields, 20 expected", 1),
    ];
    assert_eq!(
        (summary.rows_read, summary.cases_added, summary.already_there),
        (9, 4, 0)
    );
    assert_eq!(
        summary.rejected,
        reasons.map(|(reason, count)| (reason.to_owned(), count)).into()
    );
    let told = fs::read_to_string(&rejects).unwrap();
    assert!(
        told.starts_with(&format!("line,id,reason,{}", HEADER.split_once('\n').unwrap().0)),
        "{told}"
    );
    let told: Vec<&str> = told.lines().skip(1).collect();
    assert!(
        told[0].starts_with("4,3,closed before opened,3,2015-01-02T00:00:00,"),
        "{}",
        told[0]
    );
    assert!(told[1].starts_with("5,,id is empty,,2015-01-02"), "{}", told[1]);
    assert_eq!(
        told[3],
        "7,6,\"row has 4 fields, 20 expected\",6,2015-01-02T00:00:00,,"
    );
    assert_eq!(told.len(), 5);

    let left = left(&database.pool).await;
    let kinds: Vec<&str> = left.events.iter().map(|(_, _, kind, _)| kind.as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "CaseSubmitted").count(), 4);
    assert_eq!(kinds.iter().filter(|kind| **kind == "CaseClosed").count(), 2);
    assert_eq!(left.imports, [("boston311".to_owned(), 9, 4, 5, true)]);
    let codes: Vec<&str> = left.divisions.iter().map(|(code, ..)| code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "boston311",
            "boston311-allston-brighton.",
            "boston311-allston.",
            "boston311-roxbury."
        ]
    );
    assert_eq!(left.divisions[3].3.as_deref(), Some("boston311"));
    let units: Vec<&str> = left.units.iter().map(|(code, ..)| code.as_str()).collect();
    assert_eq!(units, ["boston311-hs-y", "boston311-park", "boston311-pwdx"]);
    assert_eq!(
        casework.directory().unit("boston311-pwdx").unwrap().name,
        "公共工程局"
    );

    support::follow(&database.pool).await;
    let mut connection = database.pool.acquire().await.unwrap();
    let case = case_file::by_id(&mut connection, case_id("7"))
        .await
        .unwrap()
        .expect("row 7 is a case");
    let opener = casework
        .log()
        .vault()
        .opener(&mut connection, [case.words.subject()])
        .await
        .unwrap();
    assert_eq!(
        opener.open(&case.words).unwrap().as_deref(),
        Some("Two lines,\none matter")
    );
}

#[tokio::test]
async fn the_figures_of_the_small_file() {
    let database = support::database().await;
    let casework = support::casework(&database.pool).await;
    let (file, rejects) = small(&support::folder("figures"));
    run(&casework, &file, &rejects).await;
    support::follow(&database.pool).await;
    let all = report(&casework, &ReportQuery::default()).await.unwrap();
    let line = &all.total;
    assert_eq!((line.cases, line.closed, line.open, line.withdrawn), (4, 2, 2, 0));
    assert_eq!(
        (line.on_time, line.overdue, line.no_target, line.open_overdue),
        (1, 1, 0, 1)
    );
    // Row 1 took 1 day 15:52:07, row 8 two days; the two others are open for a year.
    assert_eq!((line.p50, line.p75), (Some(172_800), None));
    assert_eq!((line.closed_p50, line.closed_p95), (Some(143_527), Some(172_800)));
    let units: Vec<(&str, u64)> = all
        .units
        .iter()
        .map(|unit| (unit.name_en.as_str(), unit.line.cases))
        .collect();
    assert_eq!(
        units,
        [
            ("Youthline", 1),
            ("Parks and Recreation Department", 1),
            ("Public Works Department", 2)
        ]
    );
    let kinds: Vec<(&str, u64)> = all
        .kinds
        .iter()
        .map(|kind| (kind.code.as_str(), kind.line.cases))
        .collect();
    assert_eq!(kinds, [("appeal", 3), ("suggestion", 1)]);
    assert!(render(&all, Format::Table).contains("Allston / Brighton (boston311-allston-brighton.)"));

    let area = |code: &str| ReportQuery {
        area: Some(code.to_owned()),
        as_of: None,
    };
    assert_eq!(
        report(&casework, &area("boston311-allston."))
            .await
            .unwrap()
            .total
            .cases,
        1
    );
    assert!(matches!(
        report(&casework, &area("nowhere")).await,
        Err(ReportError::NoSuchArea(_))
    ));
    let early = ReportQuery {
        area: None,
        as_of: Some("2015-01-02T00:00:00Z".parse().unwrap()),
    };
    assert!(matches!(
        report(&casework, &early).await,
        Err(ReportError::TooEarly { .. })
    ));
    let then = ReportQuery {
        area: None,
        as_of: Some("2015-01-06T00:00:00Z".parse().unwrap()),
    };
    assert_eq!(report(&casework, &then).await.unwrap().total.open_overdue, 1);
}

#[tokio::test]
async fn a_second_run_adds_nothing_whatever_the_file_is_called_or_packed_in() {
    let database = support::database().await;
    let casework = support::casework(&database.pool).await;
    let folder = support::folder("again");
    let (file, rejects) = small(&folder);
    run(&casework, &file, &rejects).await;
    let before = left(&database.pool).await;
    let told = fs::read(&rejects).unwrap();
    let again = run(&casework, &file, &rejects).await;
    assert_eq!(
        (again.rows_read, again.cases_added, again.already_there),
        (9, 0, 4)
    );
    assert_eq!(left(&database.pool).await, before);
    assert_eq!(fs::read(&rejects).unwrap(), told);

    // The same rows and one more in another file: only that one is new.
    let packed = folder.join("more.csv.GZ");
    let mut writer =
        flate2::write::GzEncoder::new(fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    let more = ROWS.lines().next().unwrap().replacen("1,", "9,", 1);
    std::io::Write::write_all(&mut writer, format!("\u{feff}{HEADER}{ROWS}{more}\n").as_bytes()).unwrap();
    writer.finish().unwrap();
    let summary = run(&casework, &packed, &rejects).await;
    assert_eq!(
        (summary.rows_read, summary.cases_added, summary.already_there),
        (10, 1, 4)
    );
}

#[tokio::test]
async fn a_dropped_import_goes_on_where_it_was() {
    let folder = support::folder("dropped");
    let (file, rejects) = (folder.join("head.csv"), folder.join("head.rejects.csv"));
    support::boston_head(&file, 2_600);
    let whole = support::database().await;
    let summary = run(&support::casework(&whole.pool).await, &file, &rejects).await;
    assert_eq!((summary.rows_read, summary.rejected_rows()), (2_600, 26));
    let told = fs::read(&rejects).unwrap();

    let database = support::database().await;
    let casework = support::casework(&database.pool).await;
    let mut total = 0;
    for stop_after in [500_u64, 1_000, 2_000] {
        fs::remove_file(&rejects).unwrap();
        let (send, receive) = tokio::sync::watch::channel(0_u64);
        let mut progress = move |step: onetrip_import::Progress| {
            let _ = send.send(step.rows);
        };
        let mapping = support::mapping();
        let importing = pin!(import(&casework, &mapping, &file, &rejects, &mut progress));
        let mut seen = receive.clone();
        tokio::select! {
            biased;
            _ = seen.wait_for(|rows| *rows >= stop_after) => {}
            result = importing => panic!("{result:?} before it was stopped at {stop_after}"),
        }
        // Dropped here, in the middle of the next batch.
        write(&rejects, "");
        let committed: i64 = sqlx::query_scalar("SELECT count(*) FROM run_once_cases")
            .fetch_one(&database.pool)
            .await
            .unwrap();
        assert!(committed < summary.cases_added as i64);
        total = committed;
    }
    let rest = run(&casework, &file, &rejects).await;
    assert!(rest.already_there >= total as u64, "{rest:?}");
    assert_eq!(rest.cases_added + rest.already_there, summary.cases_added);
    assert_eq!(rest.rejected, summary.rejected);
    assert_eq!(fs::read(&rejects).unwrap(), told);
    assert_eq!(left(&database.pool).await, left(&whole.pool).await);
}

#[tokio::test]
async fn two_imports_of_one_file_at_once_double_nothing() {
    let folder = support::folder("two");
    let (file, rejects) = (folder.join("head.csv"), folder.join("a.csv"));
    support::boston_head(&file, 1_700);
    let database = support::database().await;
    let casework = support::casework(&database.pool).await;
    let other_rejects = folder.join("b.csv");
    let (one, other) = tokio::join!(
        run(&casework, &file, &rejects),
        run(&casework, &file, &other_rejects)
    );
    assert_eq!(one.cases_added + other.cases_added, 1_683);
    assert_eq!(fs::read(&rejects).unwrap(), fs::read(&other_rejects).unwrap());
    let left = left(&database.pool).await;
    assert_eq!(left.cases.len(), 1_683);
    assert_eq!(left.imports, [("boston311".to_owned(), 1_700, 1_683, 17, true)]);
}

/// As in `src/words.rs`: a case keeps its id for ever, or an old export would be imported anew.
fn case_id(source_id: &str) -> CaseId {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"urn:onetrip:import:boston311");
    CaseId(Uuid::new_v5(&namespace, source_id.as_bytes()))
}

/// As in `src/words.rs`: the number that the first draw gives.
fn number(id: &str) -> CaseNumber {
    let digest = Sha256::digest(format!("boston311\n{id}\n0"));
    CaseNumber::from_random(u64::from_be_bytes(digest[..8].try_into().unwrap()))
}

#[tokio::test]
async fn two_cases_that_draw_one_number_get_two() {
    // Among a million ids about five pairs draw the same one of 10^11 numbers.
    let mut drawn: HashMap<CaseNumber, u32> = HashMap::new();
    let (first, second) = (0..3_000_000_u32)
        .find_map(|id| {
            drawn
                .insert(number(&id.to_string()), id)
                .map(|earlier| (earlier, id))
        })
        .expect("a pair among three million");
    let folder = support::folder("numbers");
    let (file, rejects) = (folder.join("numbers.csv"), folder.join("numbers.rejects.csv"));
    let row =
        |id: u32| format!("{id},2015-01-03T00:00:00,,,,Open,Words,S,Trees,T,Q,PARK,,W,,,,Self Service,,\n");
    let ids: Vec<u32> = [first]
        .into_iter()
        .chain(5_000_000..5_000_007)
        .chain([second, 5_000_007])
        .collect();
    write(
        &file,
        &format!("{HEADER}{}", ids.iter().map(|id| row(*id)).collect::<String>()),
    );
    let database = support::database().await;
    let casework = support::casework(&database.pool).await;
    assert_eq!(run(&casework, &file, &rejects).await.cases_added, 10);
    let numbers: Vec<(String,)> = sqlx::query_as("SELECT number FROM run_once_cases")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    assert_eq!(numbers.len(), 10);
    assert!(
        numbers
            .iter()
            .any(|(taken,)| taken == number(&first.to_string()).digits())
    );
    let (_, version) = casework
        .log()
        .load(&left(&database.pool).await.cases[0].0)
        .await
        .unwrap();
    assert_eq!(version, 3);
}

#[tokio::test]
async fn what_cannot_be_imported_says_why() {
    let database = support::database().await;
    let casework = support::casework(&database.pool).await;
    let folder = support::folder("refused");
    let rejects = folder.join("rejects.csv");
    let attempt = async |mapping: &Mapping, file: &Path| {
        import(&casework, mapping, file, &rejects, &mut |_| {})
            .await
            .unwrap_err()
    };
    let missing = folder.join("missing.csv");
    assert!(
        attempt(&support::mapping(), &missing)
            .await
            .to_string()
            .contains("missing.csv")
    );

    let (file, _) = small(&folder);
    let renamed = Mapping::from_toml(&support::BOSTON.replace("\"case_id\"", "\"number\"")).unwrap();
    let error = attempt(&renamed, &file).await.to_string();
    assert!(
        error.ends_with("`columns.id`: the file has 0 columns named `number`, one is needed"),
        "{error}"
    );

    let torn = folder.join("torn.csv.gz");
    write(&torn, "not compressed at all");
    assert!(matches!(
        attempt(&support::mapping(), &torn).await,
        ImportError::Csv { .. }
    ));

    run(&casework, &file, &rejects).await;
    let nested = Mapping::from_toml(&support::BOSTON.replace("\"boston311\"", "\"boston311b\"")).unwrap();
    assert!(matches!(
        attempt(&nested, &file).await,
        ImportError::SystemInsideAnother { .. }
    ));
}

/// The log has the case as its decisions made it, not only rows that look like it.
#[tokio::test]
async fn an_imported_case_is_a_case_like_any_other() {
    let database = support::database().await;
    let casework = support::casework(&database.pool).await;
    let (file, rejects) = small(&support::folder("like"));
    run(&casework, &file, &rejects).await;
    for (id, stage) in [("1", "closed"), ("2", "handling"), ("8", "closed")] {
        let (case, _): (Case, u64) = casework.log().load(&case_id(id).to_string()).await.unwrap();
        let filed = case.filed().unwrap();
        assert_eq!((filed.case, filed.stage.name()), (case_id(id), stage), "{id}");
    }
}
