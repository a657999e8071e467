//! The chain of an aggregate: every event's hash covers the one before it, over exactly what is stored. Personal data
//! enters it as ciphertext, so erasing a data key leaves the chain whole.

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// What stands where there is no hashed predecessor: before the first event, and after one written by a stock writer.
pub const NO_PREDECESSOR: Hash = [0; 32];

/// Tells this hash from every other use of SHA-256, and the version of the form below.
const DOMAIN: &[u8] = b"onetrip/event/1";

/// The stored form of an event, as far as its hash covers it. `position`, `transaction_id` and `recorded_at` are given
/// by the database after the hash is made; the sealed tree covers those.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub aggregate_type: &'a str,
    pub aggregate_id: &'a str,
    pub sequence: i64,
    pub event_type: &'a str,
    pub event_version: &'a str,
    /// Byte for byte as in the `json` column.
    pub payload: &'a str,
    /// Byte for byte as in the `json` column.
    pub metadata: &'a str,
}

impl Link<'_> {
    /// `SHA-256(domain ‖ predecessor ‖ sequence ‖ fields)`: numbers are 8 bytes big-endian, and each text follows its
    /// length in bytes, so that no two different events have one form.
    pub fn hash(&self, predecessor: &Hash) -> Hash {
        let mut digest = Sha256::new();
        digest.update(DOMAIN);
        digest.update(predecessor);
        digest.update(self.sequence.to_be_bytes());
        for text in [
            self.aggregate_type,
            self.aggregate_id,
            self.event_type,
            self.event_version,
            self.payload,
            self.metadata,
        ] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link<'static> = Link {
        aggregate_type: "case",
        aggregate_id: "a",
        sequence: 2,
        event_type: "CaseAccepted",
        event_version: "1.0",
        payload: "{}",
        metadata: "{}",
    };

    #[test]
    fn every_field_and_the_predecessor_count() {
        let changed = [
            Link {
                aggregate_type: "cas",
                aggregate_id: "ea",
                ..LINK
            },
            Link {
                aggregate_id: "b",
                ..LINK
            },
            Link { sequence: 3, ..LINK },
            Link {
                event_type: "CaseDeclined",
                ..LINK
            },
            Link {
                event_version: "1.1",
                ..LINK
            },
            Link {
                payload: "{ }",
                ..LINK
            },
            Link {
                metadata: "{ }",
                ..LINK
            },
        ];
        let hash = LINK.hash(&NO_PREDECESSOR);
        for link in changed {
            assert_ne!(link.hash(&NO_PREDECESSOR), hash, "{link:?}");
        }
        assert_ne!(LINK.hash(&[1; 32]), hash);
    }

    /// The form is stored for ever: this value was worked out with another language and library.
    #[test]
    fn the_form_stays() {
        let hex: String = LINK
            .hash(&NO_PREDECESSOR)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "3dd3aa65fc8a2b271ee545049cede070b4afa24e28a65045725e5d7fa0e695b8"
        );
    }
}
