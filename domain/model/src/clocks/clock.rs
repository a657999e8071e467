use super::{ClockKind, Term};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One clock of a case: what its deadline and its proof are computed from, by the same engine (`count.rs`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    pub kind: ClockKind,
    pub term: Term,
    /// When it began to run. For [`Term::Source`], the other system's target itself.
    pub started_at: DateTime<Utc>,
    /// What an extension added, in the unit of the term.
    #[serde(default)]
    pub extended: u32,
    #[serde(default)]
    pub pauses: Vec<Pause>,
}

/// A stretch in which a clock stands still, because the case waits for somebody the holder has no power over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub from: DateTime<Utc>,
    /// None while it lasts: the deadline is suspended.
    pub to: Option<DateTime<Utc>>,
    pub owner: PauseOwner,
    pub reason: PauseReason,
}

/// Who has the case meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseOwner {
    Resident,
    Law,
}

impl PauseOwner {
    /// The stable name used in JSON and catalogue keys.
    pub fn as_str(self) -> &'static str {
        match self {
            PauseOwner::Resident => "resident",
            PauseOwner::Law => "law",
        }
    }
}

/// The only reasons for which a clock stands still. Waiting for another department and transfer are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    MaterialsRequested,
    StatutoryHearing,
    ExpertTime,
    AwaitingVerdict,
}

impl PauseReason {
    pub const ALL: [PauseReason; 4] = [
        PauseReason::MaterialsRequested,
        PauseReason::StatutoryHearing,
        PauseReason::ExpertTime,
        PauseReason::AwaitingVerdict,
    ];

    /// The stable name used in JSON and catalogue keys.
    pub fn as_str(self) -> &'static str {
        match self {
            PauseReason::MaterialsRequested => "materials_requested",
            PauseReason::StatutoryHearing => "statutory_hearing",
            PauseReason::ExpertTime => "expert_time",
            PauseReason::AwaitingVerdict => "awaiting_verdict",
        }
    }

    /// Who has the case while a clock stands still for this reason.
    pub fn owner(self) -> PauseOwner {
        match self {
            PauseReason::MaterialsRequested | PauseReason::AwaitingVerdict => PauseOwner::Resident,
            PauseReason::StatutoryHearing | PauseReason::ExpertTime => PauseOwner::Law,
        }
    }
}

impl Pause {
    /// From `from` on, until [`Pause::to`] is set.
    pub fn open(reason: PauseReason, from: DateTime<Utc>) -> Pause {
        Pause {
            from,
            to: None,
            owner: reason.owner(),
            reason,
        }
    }

    pub fn closed(reason: PauseReason, from: DateTime<Utc>, to: DateTime<Utc>) -> Pause {
        Pause {
            to: Some(to),
            ..Pause::open(reason, from)
        }
    }
}

impl Clock {
    /// Runs from `started_at`, neither extended nor paused.
    pub fn new(kind: ClockKind, term: Term, started_at: DateTime<Utc>) -> Clock {
        Clock {
            kind,
            term,
            started_at,
            extended: 0,
            pauses: Vec::new(),
        }
    }

    /// With so much more, in the unit of the term.
    pub fn extended_by(mut self, more: u32) -> Clock {
        self.extended = self.extended.saturating_add(more);
        self
    }

    pub fn paused(mut self, pause: Pause) -> Clock {
        self.pauses.push(pause);
        self
    }

    /// Since when it stands still: the start of the earliest pause that has not ended.
    pub fn stands_still_since(&self) -> Option<DateTime<Utc>> {
        let open = self.pauses.iter().filter(|pause| pause.to.is_none());
        open.map(|pause| pause.from).min()
    }
}
