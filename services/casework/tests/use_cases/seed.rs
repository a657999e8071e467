//! Reference data: the street of the testkit with its offices and people, and a street in another district.

use onetrip_model::{StaffId, access::StaffMember};
use onetrip_testkit::{
    ADMINISTRATOR, CADRE, CLERK, COMMUNITY, DESK, DISTRICT, HANDLER, SAFETY, SAFETY_HANDLER, SERVICES,
    STREET, SUPERVISOR, URBAN, staff,
};
use sqlx::PgPool;
use uuid::Uuid;

pub const ELSEWHERE: &str = "440305001002";
/// The desk of a street in another district of the city, and an office of another city with a cadre of its own.
pub const NEIGHBOUR_DESK: &str = "440305001-desk";
pub const FOREIGN: &str = "boston311-public-works";
pub const FOREIGN_CADRE: StaffId = StaffId(Uuid::from_u128(0xF0));

const DIVISIONS: [(&str, &str, &str, Option<&str>); 8] = [
    ("4403", "city", "深圳市", None),
    ("440304", "district", "福田区", Some("4403")),
    (STREET, "street", "莲花街道", Some("440304")),
    (COMMUNITY, "community", "莲花北社区", Some(STREET)),
    ("440305", "district", "南山区", Some("4403")),
    ("440305001", "street", "南头街道", Some("440305")),
    (ELSEWHERE, "community", "田厦社区", Some("440305001")),
    ("boston311", "city", "Boston", None),
];

const UNITS: [(&str, &str, &str); 6] = [
    (DESK, STREET, "desk"),
    (URBAN, STREET, "urban"),
    (SAFETY, STREET, "safety"),
    (SERVICES, STREET, "services"),
    (NEIGHBOUR_DESK, "440305001", "desk"),
    (FOREIGN, "boston311", "urban"),
];

pub async fn seed(pool: &PgPool) -> Result<(), sqlx::Error> {
    for (code, level, name, parent) in DIVISIONS {
        sqlx::query("INSERT INTO divisions (code, level, name, parent_code) VALUES ($1, $2, $3, $4)")
            .bind(code)
            .bind(level)
            .bind(name)
            .bind(parent)
            .execute(pool)
            .await?;
    }
    for (code, division, office) in UNITS {
        sqlx::query("INSERT INTO units (code, name, name_en, division, office) VALUES ($1, $1, $1, $2, $3)")
            .bind(code)
            .bind(division)
            .bind(office)
            .execute(pool)
            .await?;
    }
    let own = [CLERK, CADRE, HANDLER, SAFETY_HANDLER, SUPERVISOR, ADMINISTRATOR].map(staff);
    let foreign = StaffMember {
        id: FOREIGN_CADRE,
        area: "boston311".into(),
        ..staff(CADRE)
    };
    for member in own.into_iter().chain([foreign]) {
        // Nobody signs in with this: what is tested with a password makes an account of its own.
        sqlx::query(
            "INSERT INTO staff (id, sign_in, name, name_en, role, area, unit, password_hash)
             VALUES ($1, $1::text, $2, $2, $2, $3, $4, 'none')",
        )
        .bind(member.id.0)
        .bind(member.role.as_str())
        .bind(member.area.as_str())
        .bind(member.unit.map(|unit| unit.0))
        .execute(pool)
        .await?;
    }
    sqlx::query(
        "INSERT INTO contact_districts (code, name, name_en, street, communities, cadre) VALUES ($1, $1, $1, $2, $3, $4)",
    )
    .bind(DISTRICT)
    .bind(STREET)
    .bind(vec![COMMUNITY])
    .bind(CADRE.0)
    .execute(pool)
    .await?;
    Ok(())
}
