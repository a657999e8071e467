use super::*;

const BOSTON: &str = include_str!("../../../ops/import/boston311.toml");
const HEADER: &str = "case_id,opened_at,target_at,closed_at,on_time,status,title,subject,reason,type,queue,department,\
                      neighborhood,ward,street,latitude,longitude,source,outcome,duplicate_of";
const ROW: &str = "101,2015-01-01T00:25:36,2015-01-16T08:30:00,2015-01-02T16:17:43,ONTIME,Closed,PRINTED,PWD,Street \
                   Lights,Street Light Outages,q,PWDx,Allston / Brighton,Ward 5,Ipswich St,42.3474,-71.0944,Constituent \
                   Call,resolved,";

fn record(line: &str) -> ByteRecord {
    ByteRecord::from(line.split(',').collect::<Vec<_>>())
}

fn layout(mapping: &Mapping) -> Layout {
    Layout::of(mapping.columns(), &record(HEADER)).unwrap()
}

fn mapping() -> Mapping {
    Mapping::from_toml(BOSTON).unwrap()
}

/// The row with one field replaced.
fn row(column: &str, value: &str) -> Result<Row, Reject> {
    let place = HEADER.split(',').position(|name| name == column).unwrap();
    let mut fields: Vec<&str> = ROW.split(',').collect();
    fields[place] = value;
    layout(&mapping()).read(&mapping(), &ByteRecord::from(fields))
}

fn reason(column: &str, value: &str) -> String {
    row(column, value).unwrap_err().to_string()
}

#[test]
fn a_good_row_says_everything() {
    let row = layout(&mapping()).read(&mapping(), &record(ROW)).unwrap();
    assert_eq!(row.source_id, "101");
    assert_eq!(row.kind, CaseKind::Appeal);
    assert_eq!(
        (row.category.as_str(), row.words.as_str()),
        ("street_lights", "PRINTED")
    );
    assert_eq!(row.place.unwrap().code.as_str(), "boston311-allston-brighton.");
    assert_eq!(row.unit.code.as_str(), "boston311-pwdx");
    assert_eq!(row.point, Some((42.3474, -71.0944)));
    assert_eq!(row.opened_at.to_rfc3339(), "2015-01-01T05:25:36+00:00");
    let closing = row.closing.unwrap();
    assert_eq!(
        (closing.at.to_rfc3339().as_str(), closing.outcome.as_str()),
        ("2015-01-02T21:17:43+00:00", "resolved")
    );
    assert!(!row.filed_by_unit);
}

#[test]
fn every_fault_has_its_reason() {
    for (column, value, expected) in [
        ("case_id", "", "id is empty"),
        ("case_id", "  ", "id is empty"),
        ("opened_at", "", "opened is empty"),
        ("opened_at", "yesterday", "opened: not a time"),
        ("closed_at", "2015-02-30T00:00:00", "closed: not a time"),
        ("target_at", "soon", "target: not a time"),
        ("closed_at", "2014-12-31T23:59:59", "closed before opened"),
        ("closed_at", "", "closed without a closing time"),
        (
            "closed_at",
            "2016-01-12T22:22:41",
            "closed after the as_of of the mapping",
        ),
        ("opened_at", "2017-01-01T00:00:00", "closed before opened"),
        ("status", "Open", "open with a closing time"),
        ("status", "Lost", "status: not one of the mapping"),
        ("department", "", "unit is empty"),
        ("department", "--", "unit: no letter or digit"),
        ("neighborhood", "/", "place: no letter or digit"),
        ("latitude", "", "latitude and longitude: one without the other"),
        ("latitude", "north", "latitude: not a number"),
        ("latitude", "NaN", "latitude: not between -90 and 90"),
        ("longitude", "181", "longitude: not between -180 and 180"),
    ] {
        assert_eq!(reason(column, value), expected, "{column} = {value}");
    }
}

#[test]
fn fields_too_few_or_too_many() {
    let read = |line: &str| {
        layout(&mapping())
            .read(&mapping(), &record(line))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(read("1,2,3"), "row has 3 fields, 20 expected");
    assert_eq!(read(&format!("{ROW},more")), "row has 21 fields, 20 expected");
}

#[test]
fn what_is_not_utf8_is_not_guessed_at() {
    let mut fields: Vec<&[u8]> = ROW.split(',').map(str::as_bytes).collect();
    fields[14] = b"Caf\xe9 St";
    assert_eq!(
        layout(&mapping()).read(&mapping(), &ByteRecord::from(fields)),
        Err(Reject::NotUtf8)
    );
}

#[test]
fn what_is_missing_falls_back_as_the_mapping_says() {
    assert_eq!(row("title", "").unwrap().words, "Street Light Outages");
    assert_eq!(row("neighborhood", "").unwrap().place, None);
    assert_eq!(row("target_at", "").unwrap().target_at, None);
    assert_eq!(row("outcome", "").unwrap().closing.unwrap().outcome, "closed");
    assert!(row("source", "City Worker App").unwrap().filed_by_unit);
    let fields: Vec<&str> = ROW
        .split(',')
        .map(|field| {
            if ["PRINTED", "Street Light Outages"].contains(&field) {
                ""
            } else {
                field
            }
        })
        .collect();
    let wordless = ByteRecord::from(fields);
    assert_eq!(
        layout(&mapping()).read(&mapping(), &wordless),
        Err(Reject::Empty("words"))
    );
    let text = BOSTON.replace("[status]", "[words]\ndefault = \"(no words)\"\n\n[status]");
    let lenient = Mapping::from_toml(&text).unwrap();
    assert_eq!(
        layout(&lenient).read(&lenient, &wordless).unwrap().words,
        "(no words)"
    );
}

#[test]
fn closed_in_the_second_it_was_opened_is_no_fault() {
    assert!(row("closed_at", "2015-01-01T00:25:36").is_ok());
}

#[test]
fn missing_and_doubled_columns_are_named() {
    let error = |header: &str| {
        Layout::of(mapping().columns(), &record(header))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(&HEADER.replace("street,", "road,")),
        "`columns.street`: the file has 0 columns named `street`, one is needed"
    );
    assert_eq!(
        error(&format!("{HEADER},status")),
        "`columns.status`: the file has 2 columns named `status`, one is needed"
    );
}
