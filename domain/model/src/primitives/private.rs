use super::{CaseId, PersonId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose data key seals a value, so that deleting one key erases one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    Case(CaseId),
    Person(PersonId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Case(id) => write!(f, "case:{id}"),
            Subject::Person(id) => write!(f, "person:{id}"),
        }
    }
}

impl std::str::FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || format!("unknown subject {text:?}");
        let (kind, id) = text.split_once(':').ok_or_else(unknown)?;
        let id = id.parse().map_err(|_| unknown())?;
        match kind {
            "case" => Ok(Subject::Case(CaseId(id))),
            "person" => Ok(Subject::Person(PersonId(id))),
            _ => Err(unknown()),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl serde::de::Visitor<'_> for Name {
            type Value = Subject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("case:<uuid> or person:<uuid>")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Subject, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// Personal data or free text inside an event.
///
/// Decisions create it `open`; the event log seals it before it is stored, and everything that reads the log
/// carries it `sealed`. Only the vault of the event log turns one into the other. No decision and no fold looks
/// inside, which is why deleting a key needs no new event shape.
///
/// JSON: `{"$private": {"of": "case:…", "open": …}}`, stored as `{"$private": {"of": "case:…", "sealed": "base64"}}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private<T> {
    #[serde(rename = "$private")]
    inner: Inner<T>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire<T>")]
struct Inner<T> {
    of: Subject,
    #[serde(flatten)]
    value: Value<T>,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Value<T> {
    Open(T),
    Sealed(String),
}

/// What may be read. Flattening would collect every field in between, and every load of a case reads many of these.
#[derive(Deserialize)]
struct Wire<T> {
    of: Subject,
    #[serde(default = "Option::default")]
    open: Option<T>,
    sealed: Option<String>,
}

impl<T> TryFrom<Wire<T>> for Inner<T> {
    type Error = &'static str;

    fn try_from(wire: Wire<T>) -> Result<Self, Self::Error> {
        let value = match (wire.open, wire.sealed) {
            (Some(open), None) => Value::Open(open),
            (None, Some(sealed)) => Value::Sealed(sealed),
            _ => return Err("a private value is either open or sealed"),
        };
        Ok(Inner { of: wire.of, value })
    }
}

/// A private value of whatever type, as who seals it sees it.
pub trait PrivateValue {
    fn subject(&self) -> Subject;

    fn is_open(&self) -> bool;

    /// The value as JSON; None if it has been sealed already.
    fn open_json(&self) -> Option<Result<Vec<u8>, serde_json::Error>>;

    /// Puts the sealed form (base64) in the place of the value.
    fn seal_as(&mut self, sealed: String);
}

/// An event that may hold private values. All of them: what is not given here would be stored for everybody to read, so
/// the event log refuses what still has an open one.
pub trait HoldsPrivate {
    fn private_values(&mut self) -> Vec<&mut dyn PrivateValue>;
}

impl<T: Serialize> PrivateValue for Private<T> {
    fn subject(&self) -> Subject {
        self.inner.of
    }

    fn is_open(&self) -> bool {
        self.as_open().is_some()
    }

    fn open_json(&self) -> Option<Result<Vec<u8>, serde_json::Error>> {
        self.as_open().map(serde_json::to_vec)
    }

    fn seal_as(&mut self, sealed: String) {
        self.inner.value = Value::Sealed(sealed);
    }
}

impl<T> Private<T> {
    pub fn of(subject: Subject, value: T) -> Self {
        Private {
            inner: Inner {
                of: subject,
                value: Value::Open(value),
            },
        }
    }

    pub fn of_case(case: CaseId, value: T) -> Self {
        Self::of(Subject::Case(case), value)
    }

    pub fn of_person(person: PersonId, value: T) -> Self {
        Self::of(Subject::Person(person), value)
    }

    pub fn subject(&self) -> Subject {
        self.inner.of
    }

    /// The value, if it has not been sealed yet.
    pub fn as_open(&self) -> Option<&T> {
        match &self.inner.value {
            Value::Open(value) => Some(value),
            Value::Sealed(_) => None,
        }
    }

    /// The sealed form (base64), if it has been sealed.
    pub fn as_sealed(&self) -> Option<&str> {
        match &self.inner.value {
            Value::Open(_) => None,
            Value::Sealed(sealed) => Some(sealed),
        }
    }
}

/// Never prints the value: a debug line of a command must not become a leak.
impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Private(of {})", self.inner.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn open_and_sealed_forms_round_trip() {
        let case = CaseId(Uuid::from_u128(7));
        let open = Private::of_case(case, "路灯不亮".to_owned());
        let json = serde_json::to_value(&open).unwrap();
        assert_eq!(json["$private"]["open"], "路灯不亮");
        assert_eq!(serde_json::from_value::<Private<String>>(json).unwrap(), open);

        let sealed: Private<String> = serde_json::from_str(
            r#"{"$private":{"of":"case:00000000-0000-0000-0000-000000000007","sealed":"AAAA"}}"#,
        )
        .unwrap();
        assert_eq!(sealed.as_sealed(), Some("AAAA"));
        assert_eq!(sealed.subject(), Subject::Case(case));
    }

    #[test]
    fn debug_never_shows_the_value() {
        let private = Private::of_case(CaseId(Uuid::from_u128(7)), "13800000000".to_owned());
        assert!(!format!("{private:?}").contains("138"));
    }
}
