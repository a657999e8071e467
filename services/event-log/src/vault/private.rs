//! Private values inside JSON: found at any depth, and replaced by their sealed form.

use super::{
    VaultError,
    cipher::{DataKey, seal},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use onetrip_model::Subject;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// The JSON key of a private value; see [`onetrip_model::Private`].
const PRIVATE: &str = "$private";

fn subject_of(private: &Value) -> Option<Subject> {
    private.get("of")?.as_str()?.parse().ok()
}

/// Adds the subjects of the open private values inside `value`.
pub(super) fn collect_open(value: &Value, subjects: &mut BTreeSet<Subject>) {
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

/// Seals every open private value inside `value`.
pub(super) fn seal_open(value: &mut Value, keys: &HashMap<Subject, DataKey>) -> Result<(), VaultError> {
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
    use super::{super::Opener, *};
    use onetrip_model::{CaseId, Private};
    use uuid::Uuid;

    #[test]
    fn private_values_are_found_at_any_depth() {
        let subject = Subject::Case(CaseId(Uuid::from_u128(5)));
        let private = serde_json::to_value(Private::of(subject, "门牌 3 号")).unwrap();
        let mut value = serde_json::json!({"items": [{"words": private, "kind": "lease"}], "count": 1});
        let mut subjects = BTreeSet::new();
        collect_open(&value, &mut subjects);
        assert_eq!(subjects, BTreeSet::from([subject]));
        let keys = HashMap::from([(subject, DataKey::random().unwrap())]);
        seal_open(&mut value, &keys).unwrap();
        assert!(!value.to_string().contains("门牌"));
        let sealed: Private<String> = serde_json::from_value(value["items"][0]["words"].clone()).unwrap();
        let opener = Opener { keys };
        assert_eq!(opener.open(&sealed).unwrap().as_deref(), Some("门牌 3 号"));
        assert_eq!(Opener { keys: HashMap::new() }.open(&sealed).unwrap(), None);
    }
}
