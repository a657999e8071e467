//! Codes and numbers made from another system's own words, the same every time.

use onetrip_model::{CaseId, CaseNumber, DivisionCode, PersonId, UnitCode};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The letters and digits of a name, small, its words joined by single dashes: `Allston / Brighton` →
/// `allston-brighton`. Empty where there is no letter or digit.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for word in name
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.extend(word.chars().flat_map(char::to_lowercase));
    }
    slug
}

/// The code of a neighbourhood. It ends with a full stop, which no slug holds, so that no code starts with another's:
/// Allston is not around Allston / Brighton, though its name is how the other begins.
pub(crate) fn division_code(system: &str, slug: &str) -> DivisionCode {
    DivisionCode(format!("{system}-{slug}."))
}

pub(crate) fn unit_code(system: &str, slug: &str) -> UnitCode {
    UnitCode(format!("{system}-{slug}"))
}

/// The identifiers of one system's cases, the same in every run and on every machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    namespace: Uuid,
}

impl Ids {
    pub fn of(system: &str) -> Ids {
        Ids {
            namespace: Uuid::new_v5(
                &Uuid::NAMESPACE_URL,
                format!("urn:onetrip:import:{system}").as_bytes(),
            ),
        }
    }

    pub fn case(self, source_id: &str) -> CaseId {
        CaseId(Uuid::new_v5(&self.namespace, source_id.as_bytes()))
    }

    /// One person a case: the export does not tell who its residents are.
    pub fn person(self, source_id: &str) -> PersonId {
        PersonId(Uuid::new_v5(
            &self.namespace,
            format!("person:{source_id}").as_bytes(),
        ))
    }

    /// What the import of one file is remembered as beside its events.
    pub fn run(self, file_digest: &[u8]) -> Uuid {
        Uuid::new_v5(&self.namespace, file_digest)
    }
}

/// The number for a case; the next `salt` gives another one, should it be taken.
pub(crate) fn case_number(system: &str, source_id: &str, salt: u32) -> CaseNumber {
    let digest = Sha256::digest(format!("{system}\n{source_id}\n{salt}"));
    let random = digest
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    CaseNumber::from_random(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_keep_letters_and_digits_of_any_script() {
        assert_eq!(slug("Allston / Brighton"), "allston-brighton");
        assert_eq!(slug(" HS_O "), "hs-o");
        assert_eq!(slug("GEN_"), "gen");
        assert_eq!(slug("南山区 / 粤海"), "南山区-粤海");
        assert_eq!(slug("--"), "");
    }

    #[test]
    fn no_neighbourhood_lies_inside_another_by_its_name() {
        let allston = division_code("boston311", &slug("Allston"));
        let both = division_code("boston311", &slug("Allston / Brighton"));
        assert!(!allston.contains(&both));
        assert!(DivisionCode::from("boston311").contains(&both));
    }

    #[test]
    fn identifiers_are_the_same_every_time_and_differ_by_system_and_id() {
        let ids = Ids::of("boston311");
        assert_eq!(
            ids.case("101001240734").to_string(),
            Ids::of("boston311").case("101001240734").to_string()
        );
        assert_ne!(ids.case("1"), ids.case("2"));
        assert_ne!(ids.case("1"), Ids::of("nyc311").case("1"));
        assert_ne!(ids.case("1").0, ids.person("1").0);
        assert_eq!(case_number("boston311", "1", 0), case_number("boston311", "1", 0));
        assert_ne!(case_number("boston311", "1", 0), case_number("boston311", "1", 1));
    }
}
