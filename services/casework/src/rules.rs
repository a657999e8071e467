//! The rule book: the rules this service was started with become those that rule, and history finds its own.

use crate::{Casework, CaseworkError};
use onetrip_event_log::{EventLog, Limits, LogError, NoInline, Pool, Vault, Why};
use onetrip_model::{
    CaseFact,
    calendar::{ChangedDay, city_date},
    clocks::{ClockKind, Deadline},
    policy::Rules,
    rules::{AdoptRules, RULE_BOOK, RuleBook, RulesRefusal},
};
use onetrip_read_models::TimelineEntry;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Rules change a few times a year: the log of their book takes as little as a log can.
const LIMITS: Limits = Limits {
    remembered: 1,
    commands: 16,
    appenders: 1,
    loaders: 1,
};

pub(crate) fn log(pool: Pool, vault: Vault) -> EventLog<RuleBook> {
    EventLog::with_limits(pool, vault, NoInline, Vec::new(), &LIMITS)
}

impl Casework {
    /// Makes the rules that this service was started with those in force, if they are not, and gives the whole book.
    /// Refused where a version that has been adopted says something else by now.
    pub async fn adopt_rules(&self) -> Result<RuleBook, LogError<RulesRefusal>> {
        let adopt = AdoptRules {
            at: self.now(),
            rules: Arc::clone(self.rules()),
        };
        let why = Why::request(Uuid::now_v7());
        self.rules_log
            .execute(RULE_BOOK, adopt, None, &why, None, None)
            .await?;
        self.rule_book().await
    }

    /// The rules that a deadline names; None where the book does not have them.
    pub(crate) async fn rules_named(&self, name: &str) -> Result<Option<Arc<Rules>>, CaseworkError> {
        if name == self.rules.name() {
            return Ok(Some(Arc::clone(&self.rules)));
        }
        let book = self.rule_book().await.map_err(CaseworkError::internal)?;
        Ok(book.version(name))
    }

    /// Where a late notice moved deadlines of a case, by the sequence of that event: the days that it made worked or free
    /// between filing and the deadlines it moved.
    pub(crate) async fn days_of_notices(
        &self,
        timeline: &[TimelineEntry],
    ) -> Result<BTreeMap<u64, Vec<ChangedDay>>, CaseworkError> {
        let mut days = BTreeMap::new();
        let is_notice = |fact: &CaseFact| matches!(fact, CaseFact::DeadlinesRecomputed { .. });
        if !timeline.iter().any(|entry| is_notice(&entry.event.fact)) {
            return Ok(days);
        }
        let book = self.rule_book().await.map_err(CaseworkError::internal)?;
        let mut known: BTreeMap<ClockKind, &Deadline> = BTreeMap::new();
        for entry in timeline {
            let set = &entry.event.deadlines;
            if is_notice(&entry.event.fact) {
                let moved = set.iter().filter_map(|set| {
                    let before = known.get(&set.clock)?;
                    let old = book.version(&before.rules)?;
                    let new = book.version(&set.deadline.rules)?;
                    let from = city_date(timeline.first()?.event.at);
                    let last = city_date(before.due_at.max(set.deadline.due_at));
                    let mut changed = old.calendar.changed_days(&new.calendar);
                    changed.retain(|day| (from..=last).contains(&day.date));
                    Some(changed)
                });
                let by_date = moved.flatten().map(|day| (day.date, day));
                let changed: BTreeMap<_, _> = by_date.collect();
                days.insert(entry.sequence, changed.into_values().collect());
            }
            known.extend(set.iter().map(|set| (set.clock, &set.deadline)));
        }
        Ok(days)
    }

    /// Every policy and calendar that ever ruled, as the log has it now.
    pub async fn rule_book(&self) -> Result<RuleBook, LogError<RulesRefusal>> {
        let (book, _) = self.rules_log.load(RULE_BOOK).await?;
        Ok(book)
    }
}
