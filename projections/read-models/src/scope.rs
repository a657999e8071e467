use onetrip_model::access::Scope;
use sqlx::{Postgres, QueryBuilder};

/// Adds the condition of an access scope over the columns of [`crate::Standing`]. The same rule for one case is
/// `Scope::includes`.
pub(crate) fn push_scope(query: &mut QueryBuilder<'_, Postgres>, scope: &Scope) {
    match scope {
        Scope::Nothing => {
            query.push("false");
        }
        Scope::Everything => {
            query.push("true");
        }
        Scope::Area(area) => push_area(query, area.as_str()),
        Scope::Unit(unit) => push_unit(query, unit.as_str()),
        Scope::AreaAndUnit { area, unit } => {
            query.push("(");
            push_area(query, area.as_str());
            if let Some(unit) = unit {
                query.push(" OR ");
                push_unit(query, unit.as_str());
            }
            query.push(")");
        }
        Scope::Contact {
            staff,
            districts,
            unit,
        } => {
            query.push("(contact_cadre = ").push_bind(staff.0);
            let districts: Vec<String> = districts.iter().map(|district| district.0.clone()).collect();
            query
                .push(" OR contact_district = ANY(")
                .push_bind(districts)
                .push(")");
            if let Some(unit) = unit {
                query.push(" OR ");
                push_unit(query, unit.as_str());
            }
            query.push(")");
        }
    }
}

/// Inside a division: its code starts with the area's. Codes hold no LIKE wildcard but an underscore, which is escaped.
pub(crate) fn push_area(query: &mut QueryBuilder<'_, Postgres>, area: &str) {
    let pattern = format!(
        "{}%",
        area.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%")
    );
    query.push("division LIKE ").push_bind(pattern);
}

fn push_unit(query: &mut QueryBuilder<'_, Postgres>, unit: &str) {
    query.push("(unit = ").push_bind(unit.to_owned());
    query.push(" OR offered_to = ").push_bind(unit.to_owned());
    query
        .push(" OR joint_units IS NOT NULL AND ")
        .push_bind(unit.to_owned())
        .push(" = ANY(string_to_array(joint_units, ' ')))");
}
