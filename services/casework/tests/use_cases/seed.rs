//! Reference data: the street of the testkit with its offices and people, and a street in another district.

use onetrip_testkit::{
    ADMINISTRATOR, CADRE, CLERK, COMMUNITY, DESK, DISTRICT, HANDLER, SAFETY, SAFETY_HANDLER, SERVICES,
    STREET, SUPERVISOR, URBAN, staff,
};
use sqlx::PgPool;

pub const ELSEWHERE: &str = "440305001002";

const DIVISIONS: [(&str, &str, &str, Option<&str>); 7] = [
    ("4403", "city", "深圳市", None),
    ("440304", "district", "福田区", Some("4403")),
    (STREET, "street", "莲花街道", Some("440304")),
    (COMMUNITY, "community", "莲花北社区", Some(STREET)),
    ("440305", "district", "南山区", Some("4403")),
    ("440305001", "street", "南头街道", Some("440305")),
    (ELSEWHERE, "community", "田厦社区", Some("440305001")),
];

const UNITS: [(&str, &str, &str); 5] = [
    (DESK, STREET, "desk"),
    (URBAN, STREET, "urban"),
    (SAFETY, STREET, "safety"),
    (SERVICES, STREET, "services"),
    ("440305001-desk", "440305001", "desk"),
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
    for id in [CLERK, CADRE, HANDLER, SAFETY_HANDLER, SUPERVISOR, ADMINISTRATOR] {
        let member = staff(id);
        // Nobody signs in with this: what is tested with a password makes an account of its own.
        sqlx::query(
            "INSERT INTO staff (id, sign_in, name, name_en, role, area, unit, password_hash)
             VALUES ($1, $1::text, $2, $2, $2, $3, $4, 'none')",
        )
        .bind(id.0)
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
