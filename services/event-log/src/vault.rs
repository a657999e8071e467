//! Data keys and sealing. One key per person and one per case, wrapped by a master key that the database never sees.
//! Deleting a key erases everything sealed under it, in the log, in the read models and in every backup of them.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use onetrip_model::{Private, Subject};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::Sha256;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use zeroize::{Zeroize, ZeroizeOnDrop};

const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;
/// First byte of everything sealed, so that another cipher can follow one day.
const FORMAT: u8 = 1;

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

#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct DataKey([u8; KEY_BYTES]);

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<Derived>,
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct Derived {
    wrapping: DataKey,
    digests: DataKey,
    files: DataKey,
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
            }),
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

    /// Seals what belongs to no subject yet (drafts, uploads) under the service's own key.
    pub fn seal_loose(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        seal(&self.keys.files, purpose.as_bytes(), plain)
    }

    pub fn open_loose(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        open(&self.keys.files, purpose.as_bytes(), sealed)
    }

    /// Replaces every open private value inside `values` by its sealed form, making data keys where there are none.
    pub async fn seal_values(
        &self,
        connection: &mut PgConnection,
        values: &mut [Value],
    ) -> Result<(), VaultError> {
        let mut subjects = BTreeSet::new();
        for value in values.iter() {
            collect_open(value, &mut subjects);
        }
        if subjects.is_empty() {
            return Ok(());
        }
        let keys = self.keys_for(connection, &subjects).await?;
        for value in values {
            seal_open(value, &keys)?;
        }
        Ok(())
    }

    /// Seals bytes (a photo) under the key of `subject`, making the key if there is none.
    pub async fn seal_bytes(
        &self,
        connection: &mut PgConnection,
        subject: Subject,
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let keys = self.keys_for(connection, &BTreeSet::from([subject])).await?;
        let key = keys.get(&subject).ok_or(VaultError::Erased(subject))?;
        seal(key, subject.to_string().as_bytes(), plain)
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

    async fn keys_for(
        &self,
        connection: &mut PgConnection,
        subjects: &BTreeSet<Subject>,
    ) -> Result<HashMap<Subject, DataKey>, VaultError> {
        let mut found = self.find(connection, subjects).await?;
        let missing: Vec<Subject> = subjects
            .iter()
            .filter(|subject| !found.contains_key(subject))
            .copied()
            .collect();
        if !missing.is_empty() {
            let mut names = Vec::with_capacity(missing.len());
            let mut wrapped = Vec::with_capacity(missing.len());
            for subject in &missing {
                let name = subject.to_string();
                wrapped.push(seal(
                    &self.keys.wrapping,
                    name.as_bytes(),
                    &random::<KEY_BYTES>()?,
                )?);
                names.push(name);
            }
            // Two transactions may make the key of one person at once: the second waits and takes the first's.
            sqlx::query(
                "INSERT INTO keys.data_keys (subject, wrapped) SELECT * FROM unnest($1::text[], $2::bytea[])
                 ON CONFLICT (subject) DO NOTHING",
            )
            .bind(&names)
            .bind(&wrapped)
            .execute(&mut *connection)
            .await?;
            found.extend(self.find(connection, &missing.into_iter().collect()).await?);
        }
        found
            .into_iter()
            .map(|(subject, key)| key.map(|key| (subject, key)).ok_or(VaultError::Erased(subject)))
            .collect()
    }

    /// Known subjects; None for the erased.
    async fn find(
        &self,
        connection: &mut PgConnection,
        subjects: &BTreeSet<Subject>,
    ) -> Result<HashMap<Subject, Option<DataKey>>, VaultError> {
        let names: Vec<String> = subjects.iter().map(Subject::to_string).collect();
        let rows: Vec<(String, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT subject, wrapped FROM keys.data_keys WHERE subject = ANY($1)")
                .bind(&names)
                .fetch_all(connection)
                .await?;
        let mut keys = HashMap::with_capacity(rows.len());
        for (name, wrapped) in rows {
            let subject: Subject = name.parse().map_err(|_| VaultError::DoesNotOpen)?;
            let key = match wrapped {
                None => None,
                Some(wrapped) => {
                    let mut plain = open(&self.keys.wrapping, name.as_bytes(), &wrapped)?;
                    let key =
                        <[u8; KEY_BYTES]>::try_from(plain.as_slice()).map_err(|_| VaultError::DoesNotOpen)?;
                    plain.zeroize();
                    Some(DataKey(key))
                }
            };
            keys.insert(subject, key);
        }
        Ok(keys)
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

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| VaultError::Randomness(error.to_string()))?;
    Ok(bytes)
}

fn cipher(key: &DataKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.0.into())
}

fn seal(key: &DataKey, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let nonce = random::<NONCE_BYTES>()?;
    let payload = Payload {
        msg: plain,
        aad: bound_to,
    };
    let text = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| VaultError::DoesNotOpen)?;
    let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + text.len());
    sealed.push(FORMAT);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&text);
    Ok(sealed)
}

fn open(key: &DataKey, bound_to: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let Some((&FORMAT, rest)) = sealed.split_first() else {
        return Err(VaultError::DoesNotOpen);
    };
    let Some((nonce, text)) = rest.split_at_checked(NONCE_BYTES) else {
        return Err(VaultError::DoesNotOpen);
    };
    let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| VaultError::DoesNotOpen)?;
    let payload = Payload {
        msg: text,
        aad: bound_to,
    };
    cipher(key)
        .decrypt(&XNonce::from(nonce), payload)
        .map_err(|_| VaultError::DoesNotOpen)
}

/// The JSON key of a private value; see [`Private`].
const PRIVATE: &str = "$private";

fn subject_of(private: &Value) -> Option<Subject> {
    private.get("of")?.as_str()?.parse().ok()
}

fn collect_open(value: &Value, subjects: &mut BTreeSet<Subject>) {
    match value {
        Value::Object(fields) => match fields.get(PRIVATE) {
            Some(private) if private.get("open").is_some() => subjects.extend(subject_of(private)),
            Some(_) => {}
            None => fields.values().for_each(|field| collect_open(field, subjects)),
        },
        Value::Array(items) => items.iter().for_each(|item| collect_open(item, subjects)),
        _ => {}
    }
}

fn seal_open(value: &mut Value, keys: &HashMap<Subject, DataKey>) -> Result<(), VaultError> {
    match value {
        Value::Object(fields) => match fields.get_mut(PRIVATE) {
            Some(private) => seal_private(private, keys)?,
            None => {
                for field in fields.values_mut() {
                    seal_open(field, keys)?;
                }
            }
        },
        Value::Array(items) => {
            for item in items {
                seal_open(item, keys)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn seal_private(private: &mut Value, keys: &HashMap<Subject, DataKey>) -> Result<(), VaultError> {
    let Some(plain) = private.get("open") else {
        return Ok(());
    };
    let subject = subject_of(private).ok_or(VaultError::DoesNotOpen)?;
    let key = keys.get(&subject).ok_or(VaultError::Erased(subject))?;
    let sealed = seal(key, subject.to_string().as_bytes(), &serde_json::to_vec(plain)?)?;
    *private = serde_json::to_value(Sealed {
        of: subject,
        sealed: BASE64.encode(sealed),
    })?;
    Ok(())
}

#[derive(Serialize)]
struct Sealed {
    of: Subject,
    sealed: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use onetrip_model::CaseId;
    use uuid::Uuid;

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

    #[test]
    fn private_values_are_found_at_any_depth() {
        let subject = Subject::Case(CaseId(Uuid::from_u128(5)));
        let private = serde_json::to_value(Private::of(subject, "门牌 3 号")).unwrap();
        let mut value = serde_json::json!({"items": [{"words": private, "kind": "lease"}], "count": 1});
        let mut subjects = BTreeSet::new();
        collect_open(&value, &mut subjects);
        assert_eq!(subjects, BTreeSet::from([subject]));
        let keys = HashMap::from([(subject, DataKey([9; 32]))]);
        seal_open(&mut value, &keys).unwrap();
        assert!(!value.to_string().contains("门牌"));
        let sealed: Private<String> = serde_json::from_value(value["items"][0]["words"].clone()).unwrap();
        let opener = Opener { keys };
        assert_eq!(opener.open(&sealed).unwrap().as_deref(), Some("门牌 3 号"));
        assert_eq!(Opener { keys: HashMap::new() }.open(&sealed).unwrap(), None);
    }
}
