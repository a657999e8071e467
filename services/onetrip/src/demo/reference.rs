//! Divisions, units and staff of the demonstration.

use crate::failure::{Doing, Failure};
use onetrip_casework::{Casework, NewStaff};
use onetrip_event_log::Pool;
use onetrip_model::{StaffId, UnitCode, access::Role};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;

const DIVISIONS: &str = include_str!("../../../../ops/data/shenzhen-divisions.csv");
const DIVISIONS_EN: &str = include_str!("../../../../ops/data/shenzhen-divisions-en.csv");

/// Streets with all their offices; every other street has its desk.
const STREETS_WITH_OFFICES: [&str; 3] = ["440304008", "440304007", "440305007"];
/// Kind of office, its name after the street's.
const OFFICES: [(&str, &str, &str); 4] = [
    ("urban", "综合行政执法队", "Urban Management"),
    ("safety", "应急管理办公室", "Safety Office"),
    ("community", "社区建设办公室", "Community Office"),
    ("services", "公共服务办公室", "Public Services"),
];
/// A contact district: code, names, street, communities, sign-in of the contact cadre.
type District = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const CONTACT_DISTRICTS: [District; 8] = [
    (
        "440304008-1",
        "莲花北片区",
        "Lianhuabei",
        "440304008",
        &["440304008003", "440304008012"],
        "cadre",
    ),
    (
        "440304008-2",
        "景田片区",
        "Jingtian",
        "440304008",
        &["440304008014", "440304008005"],
        "cadre",
    ),
    (
        "440304008-3",
        "紫荆片区",
        "Zijing",
        "440304008",
        &["440304008006", "440304008007"],
        "cadre-2",
    ),
    (
        "440304008-4",
        "狮岭片区",
        "Shiling",
        "440304008",
        &["440304008008", "440304008010"],
        "cadre-2",
    ),
    (
        "440304008-5",
        "福新片区",
        "Fuxin",
        "440304008",
        &["440304008011", "440304008017"],
        "cadre-2",
    ),
    (
        "440304008-6",
        "福中片区",
        "Fuzhong",
        "440304008",
        &["440304008001"],
        "cadre",
    ),
    (
        "440304007-1",
        "下梅片区",
        "Xiamei",
        "440304007",
        &["440304007022", "440304007025"],
        "cadre-meilin",
    ),
    (
        "440305007-1",
        "后海片区",
        "Houhai",
        "440305007",
        &["440305007011", "440305007019"],
        "cadre-yuehai",
    ),
];

struct Person {
    sign_in: &'static str,
    name: &'static str,
    name_en: &'static str,
    role: Role,
    area: &'static str,
    unit: Option<&'static str>,
}

const fn person(
    sign_in: &'static str,
    name: &'static str,
    name_en: &'static str,
    role: Role,
    area: &'static str,
    unit: Option<&'static str>,
) -> Person {
    Person {
        sign_in,
        name,
        name_en,
        role,
        area,
        unit,
    }
}

const LIANHUA: &str = "440304008";

const STAFF: [Person; 14] = [
    person(
        "clerk",
        "陈静",
        "Chen Jing",
        Role::Clerk,
        LIANHUA,
        Some("440304008-desk"),
    ),
    person(
        "cadre",
        "李文",
        "Li Wen",
        Role::ContactCadre,
        LIANHUA,
        Some("440304008-desk"),
    ),
    person(
        "unit",
        "赵强",
        "Zhao Qiang",
        Role::HandlingUnit,
        LIANHUA,
        Some("440304008-urban"),
    ),
    person("supervisor", "黄敏", "Huang Min", Role::Supervisor, "", None),
    person(
        "administrator",
        "周宁",
        "Zhou Ning",
        Role::Administrator,
        "4403",
        None,
    ),
    person(
        "cadre-2",
        "许岚",
        "Xu Lan",
        Role::ContactCadre,
        LIANHUA,
        Some("440304008-desk"),
    ),
    person(
        "unit-safety",
        "唐军",
        "Tang Jun",
        Role::HandlingUnit,
        LIANHUA,
        Some("440304008-safety"),
    ),
    person(
        "unit-community",
        "邱梅",
        "Qiu Mei",
        Role::HandlingUnit,
        LIANHUA,
        Some("440304008-community"),
    ),
    person(
        "unit-services",
        "苏芸",
        "Su Yun",
        Role::HandlingUnit,
        LIANHUA,
        Some("440304008-services"),
    ),
    person(
        "supervisor-futian",
        "方华",
        "Fang Hua",
        Role::Supervisor,
        "440304",
        None,
    ),
    person(
        "clerk-meilin",
        "郭亮",
        "Guo Liang",
        Role::Clerk,
        "440304007",
        Some("440304007-desk"),
    ),
    person(
        "cadre-meilin",
        "温婷",
        "Wen Ting",
        Role::ContactCadre,
        "440304007",
        Some("440304007-desk"),
    ),
    person(
        "clerk-yuehai",
        "蔡明",
        "Cai Ming",
        Role::Clerk,
        "440305007",
        Some("440305007-desk"),
    ),
    person(
        "cadre-yuehai",
        "叶青",
        "Ye Qing",
        Role::ContactCadre,
        "440305007",
        Some("440305007-desk"),
    ),
];

/// A demonstration account, as printed and written to `demo-sign-ins.json`.
#[derive(Clone, Debug, Serialize)]
pub struct SignIn {
    pub sign_in: String,
    pub password: String,
    pub role: String,
    pub name: String,
}

#[derive(Deserialize)]
struct DivisionRow {
    level: String,
    code: String,
    name: String,
    parent_code: Option<String>,
}

#[derive(Deserialize)]
struct NameRow {
    code: String,
    name_en: String,
}

/// The real division tree, a desk for every city, district and street, and offices for some streets. Idempotent.
pub async fn seed_divisions_and_units(pool: &Pool) -> Result<(), Failure> {
    let names: HashMap<String, String> = csv::Reader::from_reader(DIVISIONS_EN.as_bytes())
        .deserialize::<NameRow>()
        .map(|row| row.map(|row| (row.code, row.name_en)))
        .collect::<Result<_, _>>()
        .doing("reading the division names")?;
    let divisions: Vec<DivisionRow> = csv::Reader::from_reader(DIVISIONS.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .doing("reading the divisions")?;
    let name_en = |row: &DivisionRow| names.get(&row.code).cloned().unwrap_or_else(|| row.name.clone());
    let columns = |field: fn(&DivisionRow) -> String| divisions.iter().map(field).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO divisions (code, level, name, name_en, parent_code)
         SELECT code, level, name, name_en, nullif(parent, '')
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
              AS row (code, level, name, name_en, parent)
         ON CONFLICT (code) DO UPDATE SET name = excluded.name, name_en = excluded.name_en",
    )
    .bind(columns(|row| row.code.clone()))
    .bind(columns(|row| row.level.clone()))
    .bind(columns(|row| row.name.clone()))
    .bind(divisions.iter().map(name_en).collect::<Vec<_>>())
    .bind(columns(|row| row.parent_code.clone().unwrap_or_default()))
    .execute(pool)
    .await
    .doing("storing the divisions")?;

    let mut units: Vec<[String; 5]> = Vec::new();
    for row in divisions.iter().filter(|row| row.level != "community") {
        let unit = |office: &str, name: &str, english: &str| {
            let code = format!("{}-{office}", row.code);
            [
                code,
                format!("{}{name}", row.name),
                format!("{} {english}", name_en(row)),
                row.code.clone(),
                office.to_owned(),
            ]
        };
        units.push(unit("desk", "诉求服务中心", "Service Centre"));
        if STREETS_WITH_OFFICES.contains(&row.code.as_str()) {
            units.extend(
                OFFICES
                    .iter()
                    .map(|(office, name, english)| unit(office, name, english)),
            );
        }
    }
    let column = |place: usize| units.iter().map(|unit| unit[place].clone()).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO units (code, name, name_en, division, office)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
         ON CONFLICT (code) DO UPDATE SET name = excluded.name, name_en = excluded.name_en",
    )
    .bind(column(0))
    .bind(column(1))
    .bind(column(2))
    .bind(column(3))
    .bind(column(4))
    .execute(pool)
    .await
    .doing("storing the units")?;
    Ok(())
}

/// Accounts with fresh random passwords, and the contact districts. The ids stay the same from start to start.
pub async fn seed_staff(casework: &Casework) -> Result<Vec<SignIn>, Failure> {
    let mut sign_ins = Vec::new();
    let mut making = tokio::task::JoinSet::new();
    for person in &STAFF {
        let password = password()?;
        let staff = NewStaff {
            id: id_of(person.sign_in),
            sign_in: person.sign_in.to_owned(),
            name: person.name.to_owned(),
            name_en: person.name_en.to_owned(),
            role: person.role,
            area: person.area.into(),
            unit: person.unit.map(UnitCode::from),
            password: password.clone(),
        };
        // Password hashes are slow by design; make them side by side.
        let casework = casework.clone();
        making.spawn(async move { casework.put_staff(staff).await });
        sign_ins.push(SignIn {
            sign_in: person.sign_in.to_owned(),
            password,
            role: person.role.as_str().to_owned(),
            name: format!("{} {}", person.name, person.name_en),
        });
    }
    while let Some(made) = making.join_next().await {
        made.doing("making accounts")?.doing("making accounts")?;
    }
    for (code, name, name_en, street, communities, cadre) in CONTACT_DISTRICTS {
        sqlx::query(
            "INSERT INTO contact_districts (code, name, name_en, street, communities, cadre)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code) DO NOTHING",
        )
        .bind(code)
        .bind(name)
        .bind(name_en)
        .bind(street)
        .bind(communities)
        .bind(id_of(cadre).0)
        .execute(casework.pool())
        .await
        .doing("storing the contact districts")?;
    }
    casework
        .directory()
        .reload(casework.pool())
        .await
        .doing("reading the directory")?;
    Ok(sign_ins)
}

pub fn id_of(sign_in: &str) -> StaffId {
    StaffId(Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("onetrip:demo:{sign_in}").as_bytes(),
    ))
}

/// Twelve characters without look-alikes: about 59 bits.
fn password() -> Result<String, Failure> {
    const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut password = String::new();
    for place in 0..12 {
        if place > 0 && place % 4 == 0 {
            password.push('-');
        }
        let random = getrandom::u32().doing("making a password")?;
        password.push(char::from(ALPHABET[random as usize % ALPHABET.len()]));
    }
    Ok(password)
}
