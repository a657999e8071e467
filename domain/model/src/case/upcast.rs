//! Older shapes of case events, brought to today's before anything else sees them.
//!
//! 2.0: deadlines moved out of the single facts into [`super::CaseEvent::deadlines`], where every clock's stand.

use cqrs_es::persist::{EventUpcaster, SemanticVersionEventUpcaster};
use serde_json::{Value, json};

/// The upcasters of the case, oldest first. A changed event gets its upcaster here, in the same change, and a sample of
/// its old JSON stays in `tests/samples/`.
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    let upcasters = MOVED.iter().map(|(fact, fields)| {
        let upcast = move |payload| with_deadlines_apart(payload, fact, fields);
        Box::new(SemanticVersionEventUpcaster::new(fact, "2.0", Box::new(upcast))) as Box<dyn EventUpcaster>
    });
    upcasters.collect()
}

/// The version in which a fact of this name is written today.
pub(super) fn version_of(fact: &str) -> &'static str {
    match MOVED.iter().any(|(moved, _)| *moved == fact) {
        true => "2.0",
        false => "1.0",
    }
}

/// A fact, its fields that held deadlines, and the clocks that each was of.
type Moved = (&'static str, &'static [(&'static str, &'static [&'static str])]);

/// Where 1.0 kept deadlines. A pause ends for whichever of the two clocks of a result runs.
const MOVED: [Moved; 7] = [
    (
        "CaseSubmitted",
        &[("contact_due", &["contact"]), ("result_due", &["result"])],
    ),
    ("CaseAccepted", &[("legal_due", &["legal"])]),
    ("MaterialsRequested", &[("answer_due", &["materials"])]),
    ("MaterialsAnswered", &[("result_due", &["result", "redo"])]),
    ("SilenceRecorded", &[("result_due", &["result", "redo"])]),
    ("ResultGiven", &[("rate_until", &["rating"])]),
    ("CaseReopened", &[("result_due", &["redo"])]),
];

fn with_deadlines_apart(mut payload: Value, fact: &str, fields: &[(&str, &[&str])]) -> Value {
    let mut deadlines = Vec::new();
    if let Some(fact) = payload
        .pointer_mut(&format!("/fact/{fact}"))
        .and_then(Value::as_object_mut)
    {
        for (field, clocks) in fields {
            let deadline = match fact.remove(*field) {
                None | Some(Value::Null) => continue,
                // An instant alone; whatever was decided in 1.0 was decided under the first policy.
                Some(Value::String(due_at)) => json!({
                    "due_at": due_at, "term": {"days": 15}, "rules": "2026-1/cn-2026", "provisional": false,
                }),
                Some(deadline) => deadline,
            };
            deadlines.extend(
                clocks
                    .iter()
                    .map(|clock| json!({"clock": clock, "deadline": deadline})),
            );
        }
    }
    if let (Some(event), false) = (payload.as_object_mut(), deadlines.is_empty()) {
        event.insert("deadlines".to_owned(), Value::Array(deadlines));
    }
    payload
}
