//! Divisions, units, contact districts and the names of staff: reference data, small enough to be kept in memory.

use crate::error::CaseworkError;
use onetrip_event_log::Pool;
use onetrip_model::{ContactDistrictCode, DivisionCode, StaffId, UnitCode};
use sqlx::FromRow;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, RwLock},
};
use uuid::Uuid;

/// The kind of unit that is a division's own desk.
pub const DESK: &str = "desk";

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Division {
    pub code: String,
    /// `service` (everything), `city`, `district`, `street` or `community`.
    pub level: String,
    pub name: String,
    pub name_en: Option<String>,
    pub parent_code: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Unit {
    pub code: String,
    pub name: String,
    pub name_en: String,
    pub division: String,
    /// The kind of office; categories are routed by it.
    pub office: String,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ContactDistrict {
    pub code: String,
    pub name: String,
    pub name_en: String,
    pub street: String,
    pub communities: Vec<String>,
    pub cadre: Uuid,
}

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct StaffName {
    pub id: Uuid,
    pub name: String,
    pub name_en: String,
    pub role: String,
    pub area: String,
    pub unit: Option<String>,
}

#[derive(Default)]
struct Tables {
    divisions: BTreeMap<String, Division>,
    units: BTreeMap<String, Unit>,
    /// The first unit of each division and kind of office: a city has a thousand, and every filing looks for its desk.
    offices: HashMap<String, HashMap<String, UnitCode>>,
    contact_districts: BTreeMap<String, ContactDistrict>,
    staff: BTreeMap<Uuid, StaffName>,
}

/// A snapshot that can be reloaded; cheap to clone.
#[derive(Clone)]
pub struct Directory {
    tables: Arc<RwLock<Arc<Tables>>>,
}

impl Directory {
    pub async fn load(pool: &Pool) -> Result<Directory, CaseworkError> {
        let directory = Directory {
            tables: Arc::default(),
        };
        directory.reload(pool).await?;
        Ok(directory)
    }

    /// Reads the tables anew, after units or staff have changed.
    pub async fn reload(&self, pool: &Pool) -> Result<(), CaseworkError> {
        let divisions: Vec<Division> =
            sqlx::query_as("SELECT code, level, name, name_en, parent_code FROM divisions")
                .fetch_all(pool)
                .await?;
        let units: Vec<Unit> = sqlx::query_as("SELECT code, name, name_en, division, office FROM units")
            .fetch_all(pool)
            .await?;
        let districts: Vec<ContactDistrict> =
            sqlx::query_as("SELECT code, name, name_en, street, communities, cadre FROM contact_districts")
                .fetch_all(pool)
                .await?;
        let staff: Vec<StaffName> =
            sqlx::query_as("SELECT id, name, name_en, role, area, unit FROM staff WHERE active")
                .fetch_all(pool)
                .await?;
        let mut offices: HashMap<String, HashMap<String, UnitCode>> = HashMap::new();
        let units: BTreeMap<String, Unit> = units.into_iter().map(|unit| (unit.code.clone(), unit)).collect();
        for unit in units.values() {
            let of_division = offices.entry(unit.division.clone()).or_default();
            let first = of_division.entry(unit.office.clone());
            first.or_insert_with(|| UnitCode(unit.code.clone()));
        }
        let tables = Tables {
            offices,
            divisions: divisions
                .into_iter()
                .map(|division| (division.code.clone(), division))
                .collect(),
            units,
            contact_districts: districts
                .into_iter()
                .map(|district| (district.code.clone(), district))
                .collect(),
            staff: staff.into_iter().map(|staff| (staff.id, staff)).collect(),
        };
        let mut current = self
            .tables
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *current = Arc::new(tables);
        Ok(())
    }

    fn tables(&self) -> Arc<Tables> {
        Arc::clone(
            &self
                .tables
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    pub fn division(&self, code: &str) -> Option<Division> {
        self.tables().divisions.get(code).cloned()
    }

    /// The divisions directly inside `parent`, by code.
    pub fn children(&self, parent: &str) -> Vec<Division> {
        let tables = self.tables();
        let inside = tables
            .divisions
            .values()
            .filter(|division| division.parent_code.as_deref() == Some(parent));
        inside.cloned().collect()
    }

    /// The cities: ours, and every imported one.
    pub fn cities(&self) -> Vec<Division> {
        self.tables()
            .divisions
            .values()
            .filter(|division| division.level == "city")
            .cloned()
            .collect()
    }

    /// The division and those around it, the largest first.
    pub fn path(&self, code: &str) -> Vec<Division> {
        let tables = self.tables();
        let mut path = Vec::new();
        let mut next = tables.divisions.get(code);
        while let Some(division) = next {
            path.push(division.clone());
            next = division
                .parent_code
                .as_ref()
                .and_then(|parent| tables.divisions.get(parent));
        }
        path.reverse();
        path
    }

    /// The city around a division, or the division itself where it is one.
    pub fn city_of(&self, code: &str) -> Option<Division> {
        self.path(code)
            .into_iter()
            .find(|division| division.level == "city")
    }

    pub fn unit(&self, code: &str) -> Option<Unit> {
        self.tables().units.get(code).cloned()
    }

    /// Units inside a division, by code.
    pub fn units_in(&self, area: &str) -> Vec<Unit> {
        let area = DivisionCode::from(area);
        let tables = self.tables();
        let inside = |unit: &&Unit| area.contains(&DivisionCode(unit.division.clone()));
        tables.units.values().filter(inside).cloned().collect()
    }

    /// The desk that receives what is filed for a division: its own, or that of the nearest division around it.
    pub fn desk_for(&self, division: &str) -> Option<UnitCode> {
        self.office_for(division, DESK)
    }

    /// The office of a kind for a division, or the desk that stands in for it.
    pub fn office_for(&self, division: &str, office: &str) -> Option<UnitCode> {
        let tables = self.tables();
        let path = self.path(division);
        let find = |office: &str| {
            path.iter()
                .rev()
                .find_map(|around| tables.offices.get(&around.code)?.get(office))
        };
        find(office).or_else(|| find(DESK)).cloned()
    }

    pub fn contact_district(&self, code: &str) -> Option<ContactDistrict> {
        self.tables().contact_districts.get(code).cloned()
    }

    /// The contact district a community lies in.
    pub fn contact_district_of(&self, community: &str) -> Option<ContactDistrict> {
        let tables = self.tables();
        let holds = |district: &&ContactDistrict| district.communities.iter().any(|code| code == community);
        tables.contact_districts.values().find(holds).cloned()
    }

    pub fn contact_districts_of(&self, cadre: StaffId) -> Vec<ContactDistrictCode> {
        let tables = self.tables();
        let own = tables
            .contact_districts
            .values()
            .filter(|district| district.cadre == cadre.0);
        own.map(|district| ContactDistrictCode(district.code.clone()))
            .collect()
    }

    pub fn staff(&self, id: StaffId) -> Option<StaffName> {
        self.tables().staff.get(&id.0).cloned()
    }

    /// The contact cadres of a street.
    pub fn contact_cadres_in(&self, area: &str) -> Vec<StaffName> {
        let area = DivisionCode::from(area);
        let tables = self.tables();
        let cadres = tables.staff.values().filter(|staff| {
            staff.role == "contact_cadre" && area.contains(&DivisionCode(staff.area.clone()))
        });
        cadres.cloned().collect()
    }
}
