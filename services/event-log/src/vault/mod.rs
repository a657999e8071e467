//! Data keys and sealing. One key per person and one per case, wrapped by a master key that the database never sees.
//! Deleting a key erases everything sealed under it, in the log, in the read models and in every backup of them.

mod cipher;
mod keys;
mod private;

pub(crate) use keys::{Keyring, NewKey};
pub(crate) use private::subjects_of;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use cipher::{DataKey, KEY_BYTES, open, random, seal};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use keys::Remembered;
use onetrip_model::{Private, Subject};
use serde::de::DeserializeOwned;
use sha2::Sha256;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the master key must be 64 hexadecimal digits (32 bytes)")]
    MasterKey,
    #[error("a data key or sealed value does not open: wrong master key, or changed data")]
    DoesNotOpen,
    #[error("the key of {0} has been erased")]
    Erased(Subject),
    #[error("no randomness from the operating system: {0}")]
    Randomness(String),
    #[error("data keys cannot be reached: {0}")]
    Database(#[from] sqlx::Error),
    #[error("a private value has the wrong shape: {0}")]
    Shape(#[from] serde_json::Error),
}

/// The key everything hangs on. Lives in a file or a key service, never in the database.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; KEY_BYTES]);

impl MasterKey {
    pub fn from_hex(text: &str) -> Result<MasterKey, VaultError> {
        let text = text.trim().as_bytes();
        let mut key = [0; KEY_BYTES];
        if text.len() != KEY_BYTES * 2 {
            return Err(VaultError::MasterKey);
        }
        for (byte, pair) in key.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |ascii: u8| char::from(ascii).to_digit(16).ok_or(VaultError::MasterKey);
            *byte =
                u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).map_err(|_| VaultError::MasterKey)?;
        }
        Ok(MasterKey(key))
    }

    /// A fresh one, as 64 hexadecimal digits.
    pub fn generate_hex() -> Result<String, VaultError> {
        Ok(random::<KEY_BYTES>()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect())
    }
}

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<Derived>,
    remembered: Arc<Remembered>,
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct Derived {
    wrapping: DataKey,
    digests: DataKey,
    files: DataKey,
    signing: DataKey,
}

/// The data keys of some subjects, fetched together, to open what is sealed under them.
pub struct Opener {
    keys: HashMap<Subject, DataKey>,
}

impl Vault {
    pub fn new(master: &MasterKey) -> Vault {
        let derive = |purpose: &str| {
            let mut key = [0; KEY_BYTES];
            // Fails only for outputs over 8,160 bytes.
            let _ = Hkdf::<Sha256>::new(None, &master.0).expand(purpose.as_bytes(), &mut key);
            DataKey(key)
        };
        Vault {
            keys: Arc::new(Derived {
                wrapping: derive("onetrip/wrapping/1"),
                digests: derive("onetrip/digests/1"),
                files: derive("onetrip/files/1"),
                signing: derive("onetrip/evidence/1"),
            }),
            remembered: Arc::new(Remembered::new()),
        }
    }

    /// A keyed digest: equal for equal input, and telling nothing to who lacks the master key.
    pub fn digest(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length.
        let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.keys.digests.0) else {
            return [0; 32];
        };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(value);
        mac.finalize().into_bytes().into()
    }

    /// The seed of the Ed25519 key that signs the tree over the log.
    pub fn signing_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.keys.signing.0)
    }

    /// Seals what belongs to no subject yet (drafts, uploads) under the service's own key.
    pub fn seal_loose(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        seal(&self.keys.files, purpose.as_bytes(), plain)
    }

    pub fn open_loose(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        open(&self.keys.files, purpose.as_bytes(), sealed)
    }

    /// Seals bytes (a photo) under the key of `subject`, making the key if there is none.
    pub async fn seal_bytes(
        &self,
        connection: &mut PgConnection,
        subject: Subject,
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let key = self.key_of(connection, subject).await?;
        seal(&key, subject.to_string().as_bytes(), plain)
    }

    /// The keys that are still there, in one query.
    pub async fn opener(
        &self,
        connection: &mut PgConnection,
        subjects: impl IntoIterator<Item = Subject>,
    ) -> Result<Opener, VaultError> {
        let subjects: BTreeSet<_> = subjects.into_iter().collect();
        let found = self.find(connection, &subjects).await?;
        let keys = found
            .into_iter()
            .filter_map(|(subject, key)| Some((subject, key?)))
            .collect();
        Ok(Opener { keys })
    }
}

impl Opener {
    /// The value, or None if its key has been erased or was not asked for.
    pub fn open<T: DeserializeOwned + Clone>(&self, private: &Private<T>) -> Result<Option<T>, VaultError> {
        if let Some(value) = private.as_open() {
            return Ok(Some(value.clone()));
        }
        let subject = private.subject();
        let (Some(sealed), Some(key)) = (private.as_sealed(), self.keys.get(&subject)) else {
            return Ok(None);
        };
        let sealed = BASE64.decode(sealed).map_err(|_| VaultError::DoesNotOpen)?;
        let plain = open(key, subject.to_string().as_bytes(), &sealed)?;
        Ok(Some(serde_json::from_slice(&plain)?))
    }

    pub fn open_bytes(&self, subject: Subject, sealed: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(key) = self.keys.get(&subject) else {
            return Ok(None);
        };
        open(key, subject.to_string().as_bytes(), sealed).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new(&MasterKey::from_hex(&"07".repeat(32)).unwrap())
    }

    #[test]
    fn master_keys_are_64_hexadecimal_digits() {
        assert!(MasterKey::from_hex(&MasterKey::generate_hex().unwrap()).is_ok());
        assert!(MasterKey::from_hex("00").is_err());
        assert!(MasterKey::from_hex(&"zz".repeat(32)).is_err());
    }

    #[test]
    fn what_is_sealed_opens_only_for_its_purpose_and_unchanged() {
        let sealed = vault().seal_loose("draft", "路灯不亮".as_bytes()).unwrap();
        assert_eq!(
            vault().open_loose("draft", &sealed).unwrap(),
            "路灯不亮".as_bytes()
        );
        assert!(vault().open_loose("upload", &sealed).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(vault().open_loose("draft", &changed).is_err(), "byte {place}");
        }
        assert!(vault().open_loose("draft", &[]).is_err());
    }
}
