//! Pressing for action (督办): what the clocks of a case raise, each level once, and a supervisor's own word.

use super::{Decision, Facts, deadlines::recomputed};
use crate::{
    case::{CaseFact, Due, error::Refusal},
    clocks::ClockKind,
};
use chrono::{DateTime, Utc};

impl Decision<'_> {
    pub(super) fn urge(&self, words: String) -> Facts {
        if self.filed.stage.has_ended() {
            return Err(Refusal::Ended);
        }
        Ok(vec![CaseFact::CaseUrged {
            words: self.told("words", words)?,
        }])
    }

    /// What was raised is in the case, so whoever runs the clocks, how often and after whatever crash, raises each level
    /// of each clock once.
    pub(super) fn run_clocks(&self, latest: DateTime<Utc>) -> Facts {
        let mut facts = Vec::new();
        for due in self.filed.due(self.at, latest) {
            match due {
                Due::Raise { clock, percent } => facts.extend(self.raised(clock, percent)),
                Due::Withdraw { clock, percent } => {
                    facts.push(CaseFact::RaisingWithdrawn { clock, percent });
                }
                Due::WindowEnded {
                    clock: ClockKind::Materials,
                } => facts.extend(self.record_silence()?),
                Due::WindowEnded { .. } => facts.extend(self.close_unrated()?),
            }
        }
        Ok(facts)
    }

    fn raised(&self, clock: ClockKind, percent: u16) -> Option<CaseFact> {
        Some(match percent {
            ..100 => CaseFact::WarningRaised { clock, percent },
            100 => CaseFact::LimitBreached { clock },
            101.. => CaseFact::CaseEscalated {
                clock,
                percent,
                to: self
                    .filed
                    .tier_called(self.filed.clocks.running(clock)?, percent)?,
            },
        })
    }

    /// Only clocks that run: what is decided stays as it was counted.
    pub(super) fn recompute_deadlines(&self) -> Vec<CaseFact> {
        let moves = self.filed.deadlines_move(self.rules, self.at);
        Vec::from_iter(moves.then(|| recomputed(self.rules)))
    }
}
