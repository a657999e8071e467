//! Following a case by number and secret.

use crate::{Casework, error::CaseworkError};
use onetrip_event_log::Vault;
use onetrip_model::{CaseId, CaseNumber, PersonId, access::Actor};
use std::fmt;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// 24 characters of Crockford's base 32: 120 bits, written in groups of four.
///
/// Derived from the case and the service's key, so that a retried submission shows the same one and the database
/// holds nothing from which it could be found.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHARACTERS: usize = 24;

impl Secret {
    pub(crate) fn of(vault: &Vault, case: CaseId) -> Secret {
        let digest = vault.digest("follow-secret", case.0.as_bytes());
        let mut text = String::with_capacity(CHARACTERS);
        let (mut bits, mut held) = (0_u32, 0_u32);
        for byte in digest {
            held = (held << 8) | u32::from(byte);
            bits += 8;
            while bits >= 5 && text.len() < CHARACTERS {
                bits -= 5;
                text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
            }
        }
        Secret(text)
    }

    /// As people type it: any case, spaces and dashes, O for 0, I or L for 1.
    pub fn parse(text: &str) -> Secret {
        let read = |character: char| match character.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            character if character.is_ascii_alphanumeric() => Some(character),
            _ => None,
        };
        Secret(text.chars().filter_map(read).take(64).collect())
    }
}

/// In groups of four.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, character) in self.0.chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{character}")?;
        }
        Ok(())
    }
}

/// Never shows it: a debug line must not become a key.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Casework {
    /// The resident of a case, if number and secret fit. A wrong secret and an unknown number are the same answer.
    pub async fn resident(&self, number: &CaseNumber, secret: &Secret) -> Result<Actor, CaseworkError> {
        let found = self.in_time(self.find_case(number)).await?;
        // Without such a case the work is the same, against a secret that nobody has.
        let (case, person) = found.unwrap_or((CaseId(Uuid::nil()), PersonId(Uuid::nil())));
        let expected = Secret::of(self.vault(), case);
        let fits = bool::from(expected.0.as_bytes().ct_eq(secret.0.as_bytes()));
        if fits && found.is_some() {
            Ok(Actor::Resident { case, person })
        } else {
            Err(CaseworkError::NotFound)
        }
    }

    /// The case behind a number; straight from the ledger, which is never late.
    pub(crate) async fn find_case(
        &self,
        number: &CaseNumber,
    ) -> Result<Option<(CaseId, PersonId)>, CaseworkError> {
        let row: Option<(Uuid, Uuid)> =
            sqlx::query_as("SELECT case_id, person_id FROM run_once_cases WHERE number = $1")
                .bind(number.digits())
                .fetch_optional(self.pool())
                .await?;
        Ok(row.map(|(case, person)| (CaseId(case), PersonId(person))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onetrip_event_log::MasterKey;

    #[test]
    fn a_secret_is_read_as_people_type_it() {
        let vault = Vault::new(&MasterKey::from_hex(&"0a".repeat(32)).unwrap());
        let secret = Secret::of(&vault, CaseId(Uuid::from_u128(1)));
        let shown = secret.to_string();
        assert_eq!(shown.len(), 29);
        assert_eq!(Secret::parse(&shown), secret);
        assert_eq!(
            Secret::parse(&format!(" {} ", shown.to_lowercase().replace('-', " "))),
            secret
        );
        assert_eq!(Secret::parse(&shown.replace('0', "o").replace('1', "l")), secret);
        assert_ne!(Secret::of(&vault, CaseId(Uuid::from_u128(2))), secret);
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
