//! The case (诉求件): one matter of one or more residents, from submission to its end.
//!
//! `command.rs` what can be asked, `event.rs` what can have happened, `state.rs` the fold with `stage.rs` where it stands,
//! `running.rs` its clocks and `holding.rs` whose its time is, `decide/` the rules, `limits.rs` the run-once rule for one
//! case, `private.rs` what of an event is sealed, `error.rs` the named refusals, `upcast.rs` older event shapes. The rules
//! as given/when/then: `tests/case/`.

mod command;
mod decide;
mod error;
mod event;
mod holding;
mod limits;
mod private;
mod running;
mod stage;
mod state;
mod upcast;

pub use command::{
    CaseAct, CaseCommand, Contact, FollowUp, HeldPaper, MaterialAsk, NextOwner, PlaceProof, Promise, Rating,
    Source, Submission,
};
pub use decide::{
    JOINT_UNITS_MAX, NEXT_OWNER_CHARS_MAX, SUPPLEMENTS_MAX, WORDS_CHARS_MAX, decide, matter_text,
};
pub use error::Refusal;
pub use event::{
    CaseEvent, CaseFact, CaseSubmitted, CloseReason, FollowUpKind, LawPause, MaterialItem, Place,
    PlaceDetail, PlaceEvidence, Redo, ReviewDecision, ReviewLevel, RunOnceLimit, SetDeadline, Verdict,
};
pub use holding::{Holding, Stretch};
pub use running::{CaseClock, CaseClocks, Due, Raised};
pub use stage::{Holder, OpenRequest, Stage};
pub use state::{Case, Escalation, Filed, Reviewed, Tally};
pub use upcast::upcasters;

use cqrs_es::{Aggregate, event_sink::EventSink};

impl Aggregate for Case {
    const TYPE: &'static str = "case";
    type Command = CaseCommand;
    type Event = CaseEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(
        &mut self,
        command: CaseCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Refusal> {
        for event in decide(self, command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: CaseEvent) {
        *self = std::mem::take(self).evolve(&event);
    }
}
