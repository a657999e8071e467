use chrono::{DateTime, Utc};
use onetrip_event_log::Statement;
use onetrip_model::{
    By, CaseEvent, CaseFact,
    case::{CaseSubmitted, ReviewDecision, ReviewLevel, RunOnceLimit},
    policy::Policy,
};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Writes the ledger. The limits come from the policy; the constraints of the tables hold them.
#[derive(Clone, Debug)]
pub struct RunOnceLedger {
    trips_max: i32,
    material_requests_max: i32,
    /// Kinds described in words, of which two are never the same paper.
    described: Vec<String>,
}

pub(super) type Numbered<'a> = (Uuid, u64, &'a CaseEvent);

/// A case and how it was filed.
type Filing<'a> = (Uuid, &'a CaseSubmitted);

fn filings<'a>(events: &[Numbered<'a>]) -> Vec<Filing<'a>> {
    let filings = events.iter().filter_map(|(case, _, event)| match &event.fact {
        CaseFact::CaseSubmitted(filed) => Some((*case, &**filed)),
        _ => None,
    });
    filings.collect()
}

/// Why the ledger is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// With an append, which the constraints may refuse.
    Append,
    /// Anew from the log, page by page and in the order in which transactions began, which is not always that in which
    /// they got their locks. What is in the log was allowed, so nothing is refused: matters are opened at the end, by
    /// [`RunOnceLedger::open_unclosed`], a paper that was asked for without a waiver was not held at that time, and a
    /// limit that today's policy has lowered was then as high as what was asked for.
    Rebuild,
}

impl RunOnceLedger {
    pub fn new(policy: &Policy) -> RunOnceLedger {
        let limit = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        let described = policy.materials.iter().filter(|material| material.described);
        RunOnceLedger {
            trips_max: limit(policy.run_once.trips_max),
            material_requests_max: limit(policy.run_once.material_requests_max),
            described: described.map(|material| material.id.clone()).collect(),
        }
    }

    /// Whether the event changes the ledger.
    fn concerns(fact: &CaseFact) -> bool {
        match fact {
            CaseFact::CaseSubmitted(_)
            | CaseFact::CaseDeclined { .. }
            | CaseFact::CaseAssigned { .. }
            | CaseFact::HandOverOffered { .. }
            | CaseFact::HandOverReturned { .. }
            | CaseFact::HandOverReferred { .. }
            | CaseFact::HandOverTaken { .. }
            | CaseFact::TripAsked { .. }
            | CaseFact::MaterialsRequested { .. }
            | CaseFact::MaterialsAnswered { .. }
            | CaseFact::LimitWaived { .. }
            | CaseFact::CaseClosed { .. }
            | CaseFact::CaseReopened { .. }
            | CaseFact::ReviewAsked { .. }
            | CaseFact::ReviewDecided { .. }
            | CaseFact::CaseMerged { .. }
            | CaseFact::CaseUnmerged { .. }
            | CaseFact::ResultGiven { .. }
            | CaseFact::CaseWithdrawn { .. } => true,
            CaseFact::CaseAccepted { .. }
            | CaseFact::FollowUpRecorded { .. }
            | CaseFact::SupplementAdded { .. }
            | CaseFact::SilenceRecorded { .. }
            | CaseFact::ResultRated { .. }
            | CaseFact::JointHandlingOrdered { .. }
            | CaseFact::ContributionGiven { .. }
            | CaseFact::LawPauseBegun { .. }
            | CaseFact::LawPauseEnded {}
            | CaseFact::LegalLimitExtended { .. }
            | CaseFact::PromiseMade { .. }
            | CaseFact::PromiseKept { .. }
            | CaseFact::RatingOwned {}
            | CaseFact::CaseUrged { .. }
            | CaseFact::WarningRaised { .. }
            | CaseFact::LimitBreached { .. }
            | CaseFact::CaseEscalated { .. }
            | CaseFact::RaisingWithdrawn { .. }
            | CaseFact::DeadlinesRecomputed { .. } => false,
        }
    }

    /// Runs of events that only change rows are written together (a batch brings dozens of cases, an import thousands of
    /// events); what reads the ledger sees everything before it.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        events: &[Numbered<'_>],
        writing: Writing,
    ) -> Result<(), sqlx::Error> {
        let mut opening = Statement::default();
        self.open_matters(&mut filings(events), writing, &mut opening);
        opening.execute(&mut *connection).await?;
        let mut changes = Changes::default();
        for (case, sequence, event) in events {
            if !changes.take(*case, *sequence, event) {
                changes.write(connection, writing).await?;
                self.write_one(connection, *case, *sequence, event, writing)
                    .await?;
            }
        }
        changes.write(connection, writing).await
    }

    /// The same as parts of the statement of an append; false if the events need more than that.
    pub(super) fn write_beside(&self, events: &[Numbered<'_>], statement: &mut Statement) -> bool {
        let mut changes = Changes::default();
        let taken = |(case, sequence, event): &Numbered<'_>| changes.take(*case, *sequence, event);
        if !events.iter().all(taken) {
            return false;
        }
        let mut filings = filings(events);
        // What one part writes, another one does not see.
        if filings.iter().any(|(case, _)| changes.concern(*case)) {
            return false;
        }
        self.open_matters(&mut filings, Writing::Append, statement);
        changes.write_beside(statement)
    }

    /// Ends a rebuild: opens every matter that was not closed.
    pub(super) async fn open_unclosed(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE run_once_matters SET open = true WHERE closed_at IS NULL")
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Opens the matters of filings and their accounts.
    fn open_matters(&self, filings: &mut [Filing<'_>], writing: Writing, statement: &mut Statement) {
        if filings.is_empty() {
            return;
        }
        // In one order everywhere, so that two appends that open the same matters wait for each other and don't lock up.
        filings.sort_by_key(|(_, filed)| (filed.person, &filed.matter));
        let cases: Vec<Uuid> = filings.iter().map(|(case, _)| *case).collect();
        let persons: Vec<Uuid> = filings.iter().map(|(_, filed)| filed.person.0).collect();
        let text = |pick: fn(&CaseSubmitted) -> &str| {
            filings.iter().map(|(_, filed)| pick(filed)).collect::<Vec<_>>()
        };
        // Other systems' cases are taken as they come.
        let flag = |pick: fn(&CaseSubmitted) -> bool| {
            let flags = filings
                .iter()
                .map(|(_, filed)| filed.source.is_none() && pick(filed));
            flags.collect::<Vec<bool>>()
        };
        let (cases, persons) = (statement.bind(cases), statement.bind(persons));
        let open = statement.bind(writing == Writing::Append);
        let columns = [
            statement.bind(text(|filed| &filed.matter)),
            statement.bind(flag(|filed| filed.previous.is_none())),
            statement.bind(flag(|filed| filed.new_fact.is_none())),
        ]
        .join(", ");
        statement.part(
            "opened",
            &format!(
                "INSERT INTO run_once_matters (case_id, person_id, matter, unlinked, repeats, open)
                 SELECT *, {open} FROM unnest({cases}, {persons}, {columns})"
            ),
        );
        let columns = [
            statement.bind(text(|filed| filed.number.digits())),
            statement.bind(text(|filed| filed.first_receiver.as_str())),
        ]
        .join(", ");
        let limits = [
            statement.bind(self.trips_max),
            statement.bind(self.material_requests_max),
        ]
        .join(", ");
        statement.part(
            "accounts",
            &format!(
                "INSERT INTO run_once_cases (case_id, person_id, number, holder, trips_max, material_requests_max)
                 SELECT *, {limits} FROM unnest({cases}, {persons}, {columns})"
            ),
        );
    }

    async fn write_one(
        &self,
        connection: &mut PgConnection,
        case: Uuid,
        sequence: u64,
        event: &CaseEvent,
        writing: Writing,
    ) -> Result<(), sqlx::Error> {
        let sequence = number(sequence);
        match &event.fact {
            CaseFact::CaseSubmitted(submitted) => match submitted.previous {
                Some(previous) if !is_new_to(connection, submitted, previous.0).await? => {
                    refiled(connection, previous.0, sequence, event.at, case).await
                }
                _ => Ok(()),
            },
            CaseFact::MaterialsRequested { items, .. } => {
                sqlx::query(
                    "UPDATE run_once_cases
                     SET material_requests = material_requests + 1,
                         material_requests_max = CASE WHEN $2 THEN material_requests_max
                                                 ELSE greatest(material_requests_max, material_requests + 1) END
                     WHERE case_id = $1",
                )
                .bind(case)
                .bind(writing == Writing::Append)
                .execute(&mut *connection)
                .await?;
                let kinds = self.named(items.iter().map(|item| item.kind.as_str()));
                lock_papers(connection, case).await?;
                ask_papers(connection, case, sequence, &kinds, writing).await
            }
            CaseFact::MaterialsAnswered { handed_over, .. } => {
                let kinds = self.named(handed_over.iter().map(String::as_str));
                lock_papers(connection, case).await?;
                hold_papers(connection, case, &kinds, event.at).await
            }
            // What is reviewed is open again, and whatever is filed of its matter joins it.
            CaseFact::CaseReopened { .. } | CaseFact::ReviewAsked { .. } => {
                sqlx::query(
                    "UPDATE run_once_matters SET open = $2, closed_at = NULL, closed_by = NULL WHERE case_id = $1",
                )
                .bind(case)
                .bind(writing == Writing::Append)
                .execute(connection)
                .await?;
                Ok(())
            }
            CaseFact::ReviewDecided { level, decision, .. } if concludes(*level, *decision) => {
                sqlx::query("UPDATE run_once_matters SET concluded = true WHERE case_id = $1")
                    .bind(case)
                    .execute(connection)
                    .await?;
                Ok(())
            }
            CaseFact::CaseMerged { into, .. } => merge(connection, case, into.0, writing).await,
            CaseFact::CaseUnmerged { .. } => {
                sqlx::query("DELETE FROM run_once_merges WHERE case_id = $1")
                    .bind(case)
                    .execute(connection)
                    .await?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Kinds of which two are the same paper.
    fn named<'a>(&self, kinds: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        kinds
            .filter(|kind| !self.described.iter().any(|described| described == kind))
            .collect()
    }
}

/// Changes of rows that need not be read first.
#[derive(Default)]
struct Changes {
    ledgers: BTreeMap<Uuid, LedgerChange>,
    ended: Endings,
    /// Cases that wait for the answer of their lead no more, if they did.
    parted: Vec<Uuid>,
}

/// What happened to one case's row of the ledger since the last write.
#[derive(Default)]
struct LedgerChange {
    trips: i32,
    trips_max: i32,
    material_requests_max: i32,
    held_paper_waivers: i32,
    holder: Option<String>,
    /// To whom it is offered now; None where no event said so.
    offered: Option<Option<String>>,
    /// Who has taken it on an offer that only the row knows.
    taken_by: Option<String>,
    taken_without_offer: bool,
    breaches: Vec<NewBreach>,
}

struct NewBreach {
    row: &'static str,
    sequence: i64,
    at: DateTime<Utc>,
    /// Who held the case then; None where only its row knows.
    holder: Option<String>,
}

impl Changes {
    /// Whether the event was taken; if not, it has to be written on its own, after what has been taken so far.
    fn take(&mut self, case: Uuid, sequence: u64, event: &CaseEvent) -> bool {
        let mut changed = |change: &dyn Fn(&mut LedgerChange)| change(self.ledgers.entry(case).or_default());
        match &event.fact {
            CaseFact::TripAsked { .. } => changed(&|ledger| ledger.trips += 1),
            CaseFact::CaseDeclined { next_owner: to, .. } | CaseFact::HandOverOffered { to, .. } => {
                changed(&|ledger| ledger.offered = Some(Some(to.as_str().to_owned())));
            }
            CaseFact::HandOverReferred { .. } => changed(&|ledger| ledger.offered = Some(None)),
            CaseFact::HandOverReturned { .. } => changed(&|ledger| {
                ledger.offered = Some(None);
                ledger.breach("hand_over", sequence, event.at);
            }),
            CaseFact::HandOverTaken { unit } => changed(&|ledger| ledger.taken(unit.as_str())),
            CaseFact::CaseAssigned { unit, .. } => changed(&|ledger| {
                ledger.holder = Some(unit.as_str().to_owned());
                ledger.offered = Some(None);
            }),
            CaseFact::LimitWaived { limit, .. } => changed(&|ledger| {
                match limit {
                    RunOnceLimit::Trip => ledger.trips_max += 1,
                    RunOnceLimit::MaterialRequest => ledger.material_requests_max += 1,
                    RunOnceLimit::HeldPaper => ledger.held_paper_waivers += 1,
                }
                ledger.breach(limit.as_str(), sequence, event.at);
            }),
            CaseFact::CaseClosed { .. } => self.ended.push(case, event.at, true),
            CaseFact::CaseWithdrawn { .. } => {
                self.ended.push(case, event.at, false);
                self.parted.push(case);
            }
            // Nobody else answers a case that is merged.
            CaseFact::ResultGiven { .. } => {
                if event.by == By::Service {
                    self.parted.push(case);
                }
            }
            CaseFact::ReviewDecided { level, decision, .. } => return !concludes(*level, *decision),
            CaseFact::CaseSubmitted(submitted) => return submitted.previous.is_none(),
            fact => return !RunOnceLedger::concerns(fact),
        }
        true
    }

    /// Writes what has been taken so far: who holds a case now has to be there before it is closed in their name.
    async fn write(&mut self, connection: &mut PgConnection, writing: Writing) -> Result<(), sqlx::Error> {
        let mut ledgers = Statement::default();
        update_ledgers(&std::mem::take(&mut self.ledgers), writing, &mut ledgers);
        ledgers.execute(&mut *connection).await?;
        let mut matters = Statement::default();
        std::mem::take(&mut self.ended).update(&mut matters);
        part(&std::mem::take(&mut self.parted), &mut matters);
        matters.execute(connection).await
    }

    fn concern(&self, case: Uuid) -> bool {
        self.ledgers.contains_key(&case) || self.ended.cases.contains(&case)
    }

    /// The same as parts of one statement; false where one of them would have to see what another one writes.
    fn write_beside(&self, statement: &mut Statement) -> bool {
        if self
            .ended
            .cases
            .iter()
            .any(|case| self.ledgers.contains_key(case))
        {
            return false;
        }
        update_ledgers(&self.ledgers, Writing::Append, statement);
        self.ended.update(statement);
        part(&self.parted, statement);
        true
    }
}

impl LedgerChange {
    fn taken(&mut self, unit: &str) {
        match &self.offered {
            Some(offered) => self.taken_without_offer |= offered.as_deref() != Some(unit),
            None => self.taken_by = Some(unit.to_owned()),
        }
        self.holder = Some(unit.to_owned());
        self.offered = Some(None);
    }

    fn breach(&mut self, row: &'static str, sequence: u64, at: DateTime<Utc>) {
        self.breaches.push(NewBreach {
            row,
            sequence: number(sequence),
            at,
            holder: self.holder.clone(),
        });
    }
}

fn number(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// Without an offer to the unit that takes a case the constraint refuses, and the holder stays. A rebuild refuses nothing,
/// also under a policy that is stricter than that of the time.
fn update_ledgers(changes: &BTreeMap<Uuid, LedgerChange>, writing: Writing, statement: &mut Statement) {
    if changes.is_empty() {
        return;
    }
    let column = |pick: fn(&LedgerChange) -> i32| changes.values().map(pick).collect::<Vec<i32>>();
    let text =
        |pick: fn(&LedgerChange) -> Option<&str>| changes.values().map(pick).collect::<Vec<Option<&str>>>();
    let flag = |pick: fn(&LedgerChange) -> bool| changes.values().map(pick).collect::<Vec<bool>>();
    let columns = [
        statement.bind(changes.keys().copied().collect::<Vec<Uuid>>()),
        statement.bind(column(|change| change.trips)),
        statement.bind(column(|change| change.trips_max)),
        statement.bind(column(|change| change.material_requests_max)),
        statement.bind(column(|change| change.held_paper_waivers)),
        statement.bind(text(|change| change.holder.as_deref())),
        statement.bind(flag(|change| change.offered.is_some())),
        statement.bind(text(|change| change.offered.as_ref()?.as_deref())),
        statement.bind(text(|change| change.taken_by.as_deref())),
        statement.bind(flag(|change| change.taken_without_offer)),
        statement.bind(column(|change| {
            i32::try_from(change.breaches.len()).unwrap_or(i32::MAX)
        })),
    ];
    let refuses = statement.bind(writing == Writing::Append);
    statement.part(
        "ledger",
        &format!(
            "UPDATE run_once_cases ledger
             SET trips = ledger.trips + change.trips,
                 trips_max = greatest(ledger.trips_max + change.trips_max,
                                      CASE WHEN NOT {refuses} THEN ledger.trips + change.trips END),
                 material_requests_max = ledger.material_requests_max + change.material_requests_max,
                 held_paper_waivers = ledger.held_paper_waivers + change.held_paper_waivers,
                 breaches = ledger.breaches + change.breaches,
                 holder = coalesce(change.holder, ledger.holder),
                 offered_to = CASE WHEN change.offer_changed THEN change.offered_to ELSE ledger.offered_to END,
                 taken_without_offer = change.without_offer
                     OR change.taken_by IS NOT NULL AND ledger.offered_to IS DISTINCT FROM change.taken_by
             FROM unnest({})
                  AS change (id, trips, trips_max, material_requests_max, held_paper_waivers, holder, offer_changed,
                             offered_to, taken_by, without_offer, breaches)
             WHERE ledger.case_id = change.id",
            columns.join(", ")
        ),
    );
    insert_breaches(changes, statement);
}

/// A breach is the unit's that closed the case, or holds it.
fn insert_breaches(changes: &BTreeMap<Uuid, LedgerChange>, statement: &mut Statement) {
    let mut all: Vec<(Uuid, &NewBreach)> = Vec::new();
    for (case, change) in changes {
        all.extend(change.breaches.iter().map(|breach| (*case, breach)));
    }
    if all.is_empty() {
        return;
    }
    let columns = [
        statement.bind(all.iter().map(|(case, _)| *case).collect::<Vec<_>>()),
        statement.bind(all.iter().map(|(_, breach)| breach.row).collect::<Vec<_>>()),
        statement.bind(all.iter().map(|(_, breach)| breach.sequence).collect::<Vec<_>>()),
        statement.bind(all.iter().map(|(_, breach)| breach.at).collect::<Vec<_>>()),
        statement.bind(
            all.iter()
                .map(|(_, breach)| breach.holder.as_deref())
                .collect::<Vec<_>>(),
        ),
    ];
    statement.part(
        "breaches",
        &format!(
            "INSERT INTO run_once_breaches (case_id, row, sequence, unit, at)
             SELECT breach.id, breach.row, breach.sequence,
                    coalesce(matter.closed_by, breach.holder, ledger.holder), breach.at
             FROM unnest({}) AS breach (id, row, sequence, at, holder)
                  JOIN run_once_cases ledger ON ledger.case_id = breach.id
                  JOIN run_once_matters matter ON matter.case_id = breach.id",
            columns.join(", ")
        ),
    );
}

#[derive(Default)]
struct Endings {
    cases: Vec<Uuid>,
    ats: Vec<DateTime<Utc>>,
    /// Closed by the holder; a withdrawal is the resident's own, and filing again after it is no breach.
    by_holder: Vec<bool>,
}

impl Endings {
    fn push(&mut self, case: Uuid, at: DateTime<Utc>, by_holder: bool) {
        self.cases.push(case);
        self.ats.push(at);
        self.by_holder.push(by_holder);
    }

    fn update(&self, statement: &mut Statement) {
        if self.cases.is_empty() {
            return;
        }
        let columns = [
            statement.bind(&self.cases),
            statement.bind(&self.ats),
            statement.bind(&self.by_holder),
        ];
        statement.part(
            "matters",
            &format!(
                "UPDATE run_once_matters matter
                 SET open = false, closed_at = ended.at, closed_by = CASE WHEN ended.by_holder THEN ledger.holder END
                 FROM unnest({}) AS ended (id, at, by_holder)
                      JOIN run_once_cases ledger ON ledger.case_id = ended.id
                 WHERE matter.case_id = ended.id",
                columns.join(", ")
            ),
        );
    }
}

/// The matter of a case was filed again, as another one.
async fn refiled(
    connection: &mut PgConnection,
    case: Uuid,
    sequence: i64,
    at: DateTime<Utc>,
    again: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH breach AS (
             INSERT INTO run_once_breaches (case_id, row, sequence, unit, at, other_case)
             SELECT $1, 'refiling', $2, coalesce(matter.closed_by, ledger.holder), $3, $4
             FROM run_once_cases ledger JOIN run_once_matters matter USING (case_id) WHERE case_id = $1
             ON CONFLICT DO NOTHING RETURNING case_id)
         UPDATE run_once_cases SET breaches = breaches + 1 WHERE case_id IN (SELECT case_id FROM breach)",
    )
    .bind(case)
    .bind(sequence)
    .bind(at)
    .bind(again)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a filing brings a new fact into a matter that has had its final review: it may, and is nobody's breach.
async fn is_new_to(
    connection: &mut PgConnection,
    filed: &CaseSubmitted,
    previous: Uuid,
) -> Result<bool, sqlx::Error> {
    if filed.new_fact.is_none() {
        return Ok(false);
    }
    let concluded = sqlx::query_scalar("SELECT concluded FROM run_once_matters WHERE case_id = $1")
        .bind(previous)
        .fetch_optional(connection)
        .await?;
    Ok(concluded.unwrap_or(false))
}

/// Whether the matter is not taken again after this decision.
fn concludes(level: ReviewLevel, decision: ReviewDecision) -> bool {
    match decision {
        ReviewDecision::Upheld | ReviewDecision::Changed => level == ReviewLevel::FinalReview,
        ReviewDecision::SentBack => false,
    }
}

async fn merge(
    connection: &mut PgConnection,
    case: Uuid,
    lead: Uuid,
    writing: Writing,
) -> Result<(), sqlx::Error> {
    if writing == Writing::Append {
        sqlx::query("SELECT run_once_refuse_chained($1, $2)")
            .bind(case)
            .bind(lead)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query(
        "INSERT INTO run_once_merges (case_id, lead, open) VALUES ($1, $2, true)
         ON CONFLICT (case_id) DO UPDATE SET lead = excluded.lead, open = true",
    )
    .bind(case)
    .bind(lead)
    .execute(connection)
    .await?;
    Ok(())
}

fn part(cases: &[Uuid], statement: &mut Statement) {
    if cases.is_empty() {
        return;
    }
    let cases = statement.bind(cases);
    statement.part(
        "parted",
        &format!("UPDATE run_once_merges SET open = false WHERE open AND case_id = ANY({cases})"),
    );
}

/// One person's papers change in one transaction at a time, so that a paper handed over in one case and a request
/// for it in another can't pass each other.
async fn lock_papers(connection: &mut PgConnection, case: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended(person_id::text, 1)) FROM run_once_cases WHERE case_id = $1",
    )
    .bind(case)
    .execute(connection)
    .await?;
    Ok(())
}

async fn ask_papers(
    connection: &mut PgConnection,
    case: Uuid,
    sequence: i64,
    kinds: &[&str],
    writing: Writing,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO run_once_paper_asks (case_id, sequence, kind, held_in, waived)
         SELECT DISTINCT ledger.case_id, $2, asked.kind, CASE WHEN $4 OR held_paper_waivers > 0 THEN held.case_id END,
                held_paper_waivers > 0
         FROM run_once_cases ledger CROSS JOIN unnest($3::text[]) AS asked (kind)
              LEFT JOIN LATERAL (SELECT held.case_id FROM run_once_held_papers held
                                 WHERE held.person_id = ledger.person_id AND held.kind = asked.kind) held ON true
         WHERE ledger.case_id = $1",
    )
    .bind(case)
    .bind(sequence)
    .bind(kinds)
    .bind(writing == Writing::Append)
    .execute(connection)
    .await?;
    Ok(())
}

async fn hold_papers(
    connection: &mut PgConnection,
    case: Uuid,
    kinds: &[&str],
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO run_once_held_papers (person_id, kind, case_id, number, held_at)
         SELECT DISTINCT person_id, handed.kind, case_id, number, $3::timestamptz
         FROM run_once_cases CROSS JOIN unnest($2::text[]) AS handed (kind) WHERE case_id = $1
         ON CONFLICT DO NOTHING",
    )
    .bind(case)
    .bind(kinds)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}
