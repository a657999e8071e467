//! Signed tree heads (ops/docs/EVIDENCE.md, section 4).

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, NaiveDateTime, Utc};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use onetrip_event_log::{Vault, chain::Hash};
use sha2::{Digest, Sha256};
use std::fmt;

/// What stands for the head before the first.
pub const NO_HEAD: Hash = [0; 32];

/// Longer than any head can be.
const NOTE_BYTES_MAX: usize = 4_096;
const TIME: &str = "%Y-%m-%dT%H:%M:%SZ";
/// Ed25519 in signed notes.
const ALGORITHM: u8 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteFault {
    #[error("it does not have the form of a head")]
    Form,
    #[error("it is signed by another key")]
    OtherKey,
    #[error("its signature does not hold")]
    Signature,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    #[error("the origin must not be empty and must have no spaces, line breaks or +, and at most 200 bytes")]
    Origin,
    #[error("it is no verifier key: <origin>+<key id>+<base64 of the key>")]
    Form,
}

/// What a head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub size: u64,
    pub root: Hash,
    /// Hash of the signed note before this one.
    pub previous: Hash,
    pub time: DateTime<Utc>,
}

/// A public key and the name of its log.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    origin: String,
    key: VerifyingKey,
}

/// Signs heads.
pub struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Signer {
    /// The key of the service, which hangs on its master key.
    pub fn new(vault: &Vault, origin: &str) -> Result<Signer, KeyFault> {
        Signer::from_seed(&vault.signing_seed(), origin)
    }

    pub fn from_seed(seed: &[u8; 32], origin: &str) -> Result<Signer, KeyFault> {
        if !is_name(origin) {
            return Err(KeyFault::Origin);
        }
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey {
            origin: origin.to_owned(),
            key: key.verifying_key(),
        };
        Ok(Signer { key, verifier })
    }

    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub fn sign(&self, head: &Head) -> String {
        let origin = &self.verifier.origin;
        let text = format!(
            "{origin}\n{}\n{}\nprevious {}\ntime {}\n",
            head.size,
            BASE64.encode(head.root),
            BASE64.encode(head.previous),
            head.time.format(TIME)
        );
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let signed = [&self.verifier.id()[..], &signature].concat();
        format!("{text}\n\u{2014} {origin} {}\n", BASE64.encode(signed))
    }
}

impl VerifierKey {
    pub fn parse(text: &str) -> Result<VerifierKey, KeyFault> {
        let mut parts = text.splitn(3, '+');
        let (Some(origin), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyFault::Form);
        };
        if !is_name(origin) {
            return Err(KeyFault::Origin);
        }
        let bytes = BASE64.decode(key).map_err(|_| KeyFault::Form)?;
        let Some((&ALGORITHM, key)) = bytes.split_first() else {
            return Err(KeyFault::Form);
        };
        let key = <&[u8; 32]>::try_from(key).map_err(|_| KeyFault::Form)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| KeyFault::Form)?;
        let parsed = VerifierKey {
            origin: origin.to_owned(),
            key,
        };
        let fits = !parsed.key.is_weak() && hex(&parsed.id()) == id;
        fits.then_some(parsed).ok_or(KeyFault::Form)
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    fn id(&self) -> [u8; 4] {
        let digest: Hash = Sha256::new_with_prefix(&self.origin)
            .chain_update([b'\n', ALGORITHM])
            .chain_update(self.key.as_bytes())
            .finalize()
            .into();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// What the note says, if this key has signed it.
    pub fn open(&self, note: &str) -> Result<Head, NoteFault> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteFault::Form);
        }
        let (text, signature) = note.split_once("\n\n").ok_or(NoteFault::Form)?;
        let head = parse_text(text).ok_or(NoteFault::Form)?;
        if text.split('\n').next() != Some(self.origin()) {
            return Err(NoteFault::OtherKey);
        }
        let signature = signature
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.strip_suffix('\n'))
            .and_then(|rest| rest.split_once(' '))
            .ok_or(NoteFault::Form)?;
        if signature.0 != self.origin {
            return Err(NoteFault::OtherKey);
        }
        let signed = BASE64.decode(signature.1).map_err(|_| NoteFault::Form)?;
        let (id, signature) = signed.split_at_checked(4).ok_or(NoteFault::Form)?;
        if id != self.id() {
            return Err(NoteFault::OtherKey);
        }
        let signature = Signature::from_slice(signature).map_err(|_| NoteFault::Form)?;
        self.key
            .verify_strict(&note.as_bytes()[..=text.len()], &signature)
            .map_err(|_| NoteFault::Signature)?;
        Ok(head)
    }
}

/// As it is handed out.
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ALGORITHM], &self.key.as_bytes()[..]].concat();
        write!(f, "{}+{}+{}", self.origin, hex(&self.id()), BASE64.encode(key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What the next head calls this note.
pub fn hash_note(note: &str) -> Hash {
    Sha256::digest(note).into()
}

fn is_name(origin: &str) -> bool {
    let odd = |character: char| character.is_whitespace() || character.is_control() || character == '+';
    !origin.is_empty() && origin.len() <= 200 && !origin.chars().any(odd)
}

/// The five lines, without the last line break.
fn parse_text(text: &str) -> Option<Head> {
    let mut lines = text.split('\n');
    let (_origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    let previous = lines.next()?.strip_prefix("previous ")?;
    let time_text = lines.next()?.strip_prefix("time ")?;
    if lines.next().is_some() {
        return None;
    }
    let number: u64 = size.parse().ok()?;
    let time = NaiveDateTime::parse_from_str(time_text, TIME).ok()?.and_utc();
    // One way to write each.
    let canonical = number.to_string() == size && time.format(TIME).to_string() == time_text;
    let in_range = number > 0 && i64::try_from(number).is_ok();
    (canonical && in_range).then_some(Head {
        size: number,
        root: parse_hash(root)?,
        previous: parse_hash(previous)?,
        time,
    })
}

pub(crate) fn parse_hash(text: &str) -> Option<Hash> {
    BASE64.decode(text).ok()?.try_into().ok()
}

pub(crate) fn show_hash(hash: &Hash) -> String {
    BASE64.encode(hash)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{Vectors, hex as bytes};

    fn signer() -> Signer {
        let vectors = Vectors::read();
        let signing = &vectors.0["signing"];
        let seed = bytes(&signing["seed"]).try_into().unwrap();
        Signer::from_seed(&seed, signing["origin"].as_str().unwrap()).unwrap()
    }

    fn notes() -> Vec<String> {
        let vectors = Vectors::read();
        let heads = vectors.0["heads"].as_array().unwrap();
        heads
            .iter()
            .map(|head| head["note"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn the_written_heads_come_out_to_the_byte() {
        let signer = signer();
        let wanted = Vectors::read().0["signing"]["verifier_key"].clone();
        assert_eq!(signer.verifier().to_string(), wanted);
        assert_eq!(
            VerifierKey::parse(wanted.as_str().unwrap()).unwrap(),
            *signer.verifier()
        );
        let mut previous = NO_HEAD;
        for note in notes() {
            let head = signer.verifier().open(&note).unwrap();
            assert_eq!(signer.sign(&head), note);
            assert_eq!(head.previous, previous);
            previous = hash_note(&note);
        }
    }

    #[test]
    fn no_changed_byte_and_no_other_key_is_accepted() {
        let (signer, note) = (signer(), notes().pop().unwrap());
        for place in 0..note.len() {
            for bit in 0..8 {
                let mut changed = note.clone().into_bytes();
                changed[place] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(changed) else {
                    continue;
                };
                assert!(
                    signer.verifier().open(&changed).is_err(),
                    "byte {place}, bit {bit}"
                );
            }
            let Some((before, after)) = note.split_at_checked(place) else {
                continue;
            };
            assert!(signer.verifier().open(before).is_err(), "cut at {place}");
            assert!(signer.verifier().open(&format!("{before}\n{after}")).is_err());
            assert!(signer.verifier().open(&format!("{before} {after}")).is_err());
        }
        let twice = format!("{note}{}", note.rsplit_once("\n\n").unwrap().1);
        assert_eq!(signer.verifier().open(&twice), Err(NoteFault::Form));
        let other = Signer::from_seed(&[9; 32], signer.verifier().origin()).unwrap();
        assert_eq!(other.verifier().open(&note), Err(NoteFault::OtherKey));
    }

    #[test]
    fn faulty_keys_and_origins_are_refused() {
        for origin in ["", "a b", "a+b", "a\nb"] {
            assert!(Signer::from_seed(&[1; 32], origin).is_err(), "{origin:?}");
        }
        let key = signer().verifier().to_string();
        for faulty in [key.replace('0', "1"), key[1..].to_owned(), key.replace('+', "-")] {
            if faulty != key {
                assert!(VerifierKey::parse(&faulty).is_err(), "{faulty}");
            }
        }
    }
}
