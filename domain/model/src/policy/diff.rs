use super::Policy;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// One key that two policies see differently; None where one of them does not have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub key: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        write!(f, "{}: {} -> {}", self.key, told(&self.before), told(&self.after))
    }
}

/// What changes from one policy to another, in order of the keys. Entries of lists are told apart by their `id`, so that
/// their order makes no difference.
pub fn differences(before: &Policy, after: &Policy) -> Vec<Difference> {
    let (mut before, mut after) = (leaves(before), leaves(after));
    let keys: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
    keys.into_iter()
        .map(|key| Difference {
            before: before.remove(&key),
            after: after.remove(&key),
            key,
        })
        .filter(|difference| difference.before != difference.after)
        .collect()
}

fn leaves(policy: &Policy) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    // A policy is made of tables, lists and plain values: it always has this form.
    if let Ok(value) = serde_json::to_value(policy) {
        collect(String::new(), &value, &mut leaves);
    }
    leaves
}

fn collect(key: String, value: &Value, leaves: &mut BTreeMap<String, String>) {
    let below = |name: &str| {
        if key.is_empty() {
            name.to_owned()
        } else {
            format!("{key}.{name}")
        }
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(name, _)| *name != "id") {
                collect(below(name), value, leaves);
            }
        }
        Value::Array(entries) if entries.iter().all(Value::is_object) => {
            for entry in entries {
                let id = entry.get("id").and_then(Value::as_str).unwrap_or_default();
                collect(below(id), entry, leaves);
            }
        }
        plain => {
            leaves.insert(key, plain.to_string());
        }
    }
}
