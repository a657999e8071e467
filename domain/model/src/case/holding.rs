//! Whose a case's time is: every instant from submission on belongs to exactly one holder.

use super::stage::Holder;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

/// Who has had the case from when on, in order; each stretch ends where the next begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Holding(Vec<HeldFrom>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldFrom {
    pub holder: Holder,
    pub from: DateTime<Utc>,
}

/// One stretch of a case's life.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch<'a> {
    pub holder: &'a Holder,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl Stretch<'_> {
    pub fn lasts(&self) -> Duration {
        self.to - self.from
    }
}

impl Holding {
    /// From `at` on it is `holder`'s. An instant before the newest one, from a computer's clock that was wrong, counts as
    /// that one: stretches never overlap.
    pub(super) fn pass(&mut self, holder: Holder, at: DateTime<Utc>) {
        let last = self.0.last();
        if last.is_some_and(|last| last.holder == holder) {
            return;
        }
        let from = last.map_or(at, |last| at.max(last.from));
        self.0.push(HeldFrom { holder, from });
    }

    /// The stretches until `now`; together they are exactly the time from the submission to then.
    pub fn until(&self, now: DateTime<Utc>) -> impl Iterator<Item = Stretch<'_>> {
        let ends = self.0.iter().skip(1).map(|next| Some(next.from)).chain([None]);
        self.0.iter().zip(ends).map(move |(held, end)| Stretch {
            holder: &held.holder,
            from: held.from,
            to: end.unwrap_or(now).max(held.from),
        })
    }
}
