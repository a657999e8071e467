//! Cases with a history, and the commands that go on with it.

use onetrip_event_log::NewStream;
use onetrip_model::{
    Case, CaseAct, CaseCommand,
    case::{FollowUp, FollowUpKind},
};
use onetrip_testkit::{CADRE, Given, SAFETY, URBAN, given, submission_of};

/// How many cases there are with histories of this length.
pub fn cases(events: usize) -> u32 {
    if events > 5 { 2_000 } else { 10_000 }
}

/// 160 characters, as a note of a cadre has.
pub const WORDS: &str = "The resident reports that the reply of the department did not address the second point of the \
                     grievance, and asks that the case is opened again for review soon.";

/// The `n`-th case after `events` events.
pub fn history(n: u32, events: usize) -> Given {
    let begun = given([
        CaseAct::SubmitAppeal(submission_of(n)),
        CaseAct::Accept,
        CaseAct::Assign {
            unit: URBAN.into(),
            contact_cadre: Some(CADRE),
        },
    ]);
    let more = events.saturating_sub(begun.events.len());
    begun.and((0..more).map(|_| progress()))
}

pub fn stream(n: u32, events: usize) -> NewStream<Case> {
    NewStream {
        aggregate_id: id(n),
        events: history(n, events).events,
    }
}

pub fn id(n: u32) -> String {
    submission_of(n).case.to_string()
}

/// A note on the case: the command that is measured. It changes nothing in the run-once ledger.
pub fn note() -> CaseCommand {
    given([]).command(progress())
}

/// A hand-over offered in even rounds and returned in odd ones: each changes the ledger's row of the case.
pub fn hand_over(round: u64) -> CaseCommand {
    let to = onetrip_testkit::unit(SAFETY);
    given([]).command(if round.is_multiple_of(2) {
        CaseAct::OfferHandOver {
            to,
            reason: WORDS.to_owned(),
        }
    } else {
        CaseAct::ReturnHandOver {
            unit: to,
            reason: WORDS.to_owned(),
        }
    })
}

fn progress() -> CaseAct {
    CaseAct::FollowUp(FollowUp {
        kind: FollowUpKind::Progress,
        reached: false,
        words: WORDS.to_owned(),
    })
}
