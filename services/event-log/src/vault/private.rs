//! Private values of events, sealed in place.

use super::{
    VaultError,
    cipher::{DataKey, seal},
};
use crate::prepare::holds_nul;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use onetrip_model::{HoldsPrivate, Subject};
use std::collections::{BTreeSet, HashMap};
use zeroize::Zeroizing;

/// The subjects of the private values of `events` that are still open.
pub(crate) fn subjects_of<'a, E: HoldsPrivate + 'a>(
    events: impl IntoIterator<Item = &'a mut E>,
) -> BTreeSet<Subject> {
    let mut subjects = BTreeSet::new();
    for event in events {
        let open = event.private_values().into_iter().filter(|value| value.is_open());
        subjects.extend(open.map(|value| value.subject()));
    }
    subjects
}

/// Seals every open private value of `event`. Fails if one holds a NUL, or if the key of its subject is not there.
pub(super) fn seal_event(
    event: &mut impl HoldsPrivate,
    keys: &HashMap<Subject, DataKey>,
) -> Result<(), VaultError> {
    for value in event.private_values() {
        let Some(plain) = value.open_json() else { continue };
        let plain = Zeroizing::new(plain?);
        // Opened again it goes into jsonb columns and pages, which take none.
        if std::str::from_utf8(&plain).is_ok_and(holds_nul) {
            return Err(VaultError::Shape(serde::ser::Error::custom(
                "a NUL in a private text",
            )));
        }
        let subject = value.subject();
        let key = keys.get(&subject).ok_or(VaultError::Erased(subject))?;
        let sealed = seal(key, subject.to_string().as_bytes(), &plain);
        value.seal_as(BASE64.encode(sealed?));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::Opener, *};
    use onetrip_model::{CaseAct, CaseFact};
    use onetrip_testkit::{given, submission_of};

    #[test]
    fn every_private_value_is_sealed_and_opens_again() {
        let mut filed = given([CaseAct::SubmitAppeal(submission_of(1))]);
        let subjects = subjects_of(&mut filed.events);
        let keys: HashMap<_, _> = subjects
            .iter()
            .map(|subject| (*subject, DataKey::random().unwrap()))
            .collect();
        let CaseFact::CaseSubmitted(before) = filed.events[0].fact.clone() else {
            panic!("not a submission");
        };
        seal_event(&mut filed.events[0], &keys).unwrap();
        assert!(subjects_of(&mut filed.events).is_empty());
        let CaseFact::CaseSubmitted(after) = &filed.events[0].fact else {
            panic!("not a submission");
        };
        assert!(after.words.as_open().is_none());
        let opener = Opener { keys };
        assert_eq!(
            opener.open(&after.words).unwrap().as_ref(),
            before.words.as_open()
        );
        let forgotten = Opener { keys: HashMap::new() };
        assert_eq!(forgotten.open(&after.words).unwrap(), None);
    }
}
