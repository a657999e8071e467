use super::query::previous_case;
use chrono::{DateTime, Utc};
use onetrip_model::{
    CaseEvent, CaseFact,
    case::{CaseSubmitted, RunOnceLimit},
    policy::Policy,
};
use sqlx::PgConnection;
use uuid::Uuid;

/// Writes the ledger. The limits come from the policy; the constraints of the tables hold them.
#[derive(Clone, Debug)]
pub struct RunOnceLedger {
    trips_max: i32,
    material_requests_max: i32,
    /// Kinds described in words, of which two are never the same paper.
    described: Vec<String>,
}

type Numbered<'a> = (Uuid, u64, &'a CaseEvent);

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

    /// Runs of submissions and of endings are written in one statement each (imports bring thousands); everything
    /// else happens to one case at a time.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        events: &[Numbered<'_>],
        writing: Writing,
    ) -> Result<(), sqlx::Error> {
        let submissions: Vec<(Uuid, &CaseSubmitted)> = events
            .iter()
            .filter_map(|(case, _, event)| match &event.fact {
                CaseFact::CaseSubmitted(submitted) => Some((*case, &**submitted)),
                _ => None,
            })
            .collect();
        self.open_matters(connection, &submissions, writing).await?;
        let mut ended = Endings::default();
        for (case, sequence, event) in events {
            match &event.fact {
                CaseFact::CaseClosed { .. } => ended.push(*case, event.at, true),
                CaseFact::CaseWithdrawn { .. } => ended.push(*case, event.at, false),
                // A case may end and be reopened in one batch: keep the order.
                CaseFact::CaseReopened { .. } => {
                    ended.write(connection).await?;
                    self.write_one(connection, *case, *sequence, event, writing)
                        .await?;
                }
                _ => {
                    self.write_one(connection, *case, *sequence, event, writing)
                        .await?
                }
            }
        }
        ended.write(connection).await
    }

    /// Ends a rebuild: opens every matter that was not closed.
    pub(super) async fn open_unclosed(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE run_once_matters SET open = true WHERE closed_at IS NULL")
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn open_matters(
        &self,
        connection: &mut PgConnection,
        submissions: &[(Uuid, &CaseSubmitted)],
        writing: Writing,
    ) -> Result<(), sqlx::Error> {
        if submissions.is_empty() {
            return Ok(());
        }
        let cases: Vec<Uuid> = submissions.iter().map(|(case, _)| *case).collect();
        let persons: Vec<Uuid> = submissions
            .iter()
            .map(|(_, submitted)| submitted.person.0)
            .collect();
        let matters: Vec<&str> = submissions
            .iter()
            .map(|(_, submitted)| submitted.matter.as_str())
            .collect();
        let numbers: Vec<&str> = submissions
            .iter()
            .map(|(_, submitted)| submitted.number.digits())
            .collect();
        let holders: Vec<&str> = submissions
            .iter()
            .map(|(_, submitted)| submitted.first_receiver.as_str())
            .collect();
        sqlx::query(
            "INSERT INTO run_once_matters (case_id, person_id, matter, open)
             SELECT *, $4 FROM unnest($1::uuid[], $2::uuid[], $3::text[])",
        )
        .bind(&cases)
        .bind(&persons)
        .bind(&matters)
        .bind(writing == Writing::Append)
        .execute(&mut *connection)
        .await?;
        if writing == Writing::Append {
            refuse_unlinked(connection, submissions).await?;
        }
        sqlx::query(
            "INSERT INTO run_once_cases (case_id, person_id, number, holder, trips_max, material_requests_max)
             SELECT *, $5, $6 FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])",
        )
        .bind(&cases)
        .bind(&persons)
        .bind(&numbers)
        .bind(&holders)
        .bind(self.trips_max)
        .bind(self.material_requests_max)
        .execute(connection)
        .await?;
        Ok(())
    }

    async fn write_one(
        &self,
        connection: &mut PgConnection,
        case: Uuid,
        sequence: u64,
        event: &CaseEvent,
        writing: Writing,
    ) -> Result<(), sqlx::Error> {
        let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
        match &event.fact {
            CaseFact::CaseSubmitted(submitted) => match submitted.previous {
                Some(previous) => refiled(connection, previous.0, case, sequence, event.at).await,
                None => Ok(()),
            },
            CaseFact::TripAsked { .. } => {
                let counted = match writing {
                    Writing::Append => "trips = trips + 1",
                    Writing::Rebuild => "trips = trips + 1, trips_max = greatest(trips_max, trips + 1)",
                };
                update(connection, case, counted).await
            }
            CaseFact::MaterialsRequested { items, .. } => {
                let counted = match writing {
                    Writing::Append => "material_requests = material_requests + 1",
                    Writing::Rebuild => {
                        "material_requests = material_requests + 1,
                         material_requests_max = greatest(material_requests_max, material_requests + 1)"
                    }
                };
                update(connection, case, counted).await?;
                let kinds: Vec<&str> = items
                    .iter()
                    .map(|item| item.kind.as_str())
                    .filter(|kind| !self.described.iter().any(|described| described == kind))
                    .collect();
                lock_papers(connection, case).await?;
                ask_papers(connection, case, sequence, &kinds, writing).await
            }
            CaseFact::MaterialsAnswered { handed_over, .. } => {
                let kinds: Vec<&str> = handed_over
                    .iter()
                    .map(String::as_str)
                    .filter(|kind| !self.described.iter().any(|described| described == kind))
                    .collect();
                lock_papers(connection, case).await?;
                hold_papers(connection, case, &kinds, event.at).await
            }
            CaseFact::LimitWaived { limit, .. } => {
                let widened = match limit {
                    RunOnceLimit::Trip => "trips_max = trips_max + 1",
                    RunOnceLimit::MaterialRequest => "material_requests_max = material_requests_max + 1",
                    RunOnceLimit::HeldPaper => "held_paper_waivers = held_paper_waivers + 1",
                };
                update(connection, case, widened).await?;
                breach(connection, case, limit.as_str(), sequence, event.at, None).await
            }
            CaseFact::CaseDeclined { next_owner: to, .. } | CaseFact::HandOverOffered { to, .. } => {
                set_offer(connection, case, Some(to.as_str())).await
            }
            CaseFact::HandOverReturned { .. } => set_offer(connection, case, None).await,
            CaseFact::HandOverTaken { unit } => take_over(connection, case, unit.as_str()).await,
            CaseFact::CaseAssigned { unit, .. } => {
                sqlx::query("UPDATE run_once_cases SET holder = $2, offered_to = NULL WHERE case_id = $1")
                    .bind(case)
                    .bind(unit.as_str())
                    .execute(connection)
                    .await?;
                Ok(())
            }
            CaseFact::CaseReopened { .. } => {
                sqlx::query(
                    "UPDATE run_once_matters SET open = $2, closed_at = NULL, closed_by = NULL WHERE case_id = $1",
                )
                .bind(case)
                .bind(writing == Writing::Append)
                .execute(connection)
                .await?;
                Ok(())
            }
            _ => Ok(()),
        }
    }
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

    async fn write(&mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.cases.is_empty() {
            return Ok(());
        }
        let Endings {
            cases,
            ats,
            by_holder,
        } = std::mem::take(self);
        sqlx::query(
            "UPDATE run_once_matters matter
             SET open = false, closed_at = ended.at, closed_by = CASE WHEN ended.by_holder THEN ledger.holder END
             FROM unnest($1::uuid[], $2::timestamptz[], $3::boolean[]) AS ended (id, at, by_holder)
                  JOIN run_once_cases ledger ON ledger.case_id = ended.id
             WHERE matter.case_id = ended.id",
        )
        .bind(&cases)
        .bind(&ats)
        .bind(&by_holder)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// A filing may have waited for the closing of the same matter, and so not know of it: it is to look again, and to name
/// the case it follows. Other systems' cases are taken as they come.
async fn refuse_unlinked(
    connection: &mut PgConnection,
    submissions: &[(Uuid, &CaseSubmitted)],
) -> Result<(), sqlx::Error> {
    for (_, submitted) in submissions {
        if submitted.previous.is_some() || submitted.source.is_some() {
            continue;
        }
        if previous_case(connection, submitted.person, &submitted.matter)
            .await?
            .is_some()
        {
            sqlx::query(
                "DO $$ BEGIN RAISE unique_violation USING CONSTRAINT = 'run_once_refiling_is_linked'; END $$",
            )
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}

/// `change` is one of the constant assignments above.
async fn update(connection: &mut PgConnection, case: Uuid, change: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(&format!("UPDATE run_once_cases SET {change} WHERE case_id = $1"))
        .bind(case)
        .execute(connection)
        .await?;
    Ok(())
}

async fn breach(
    connection: &mut PgConnection,
    case: Uuid,
    row: &str,
    sequence: i64,
    at: DateTime<Utc>,
    other_case: Option<Uuid>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "WITH breach AS (
             INSERT INTO run_once_breaches (case_id, row, sequence, unit, at, other_case)
             SELECT $1, $2, $3, coalesce(matter.closed_by, ledger.holder), $4, $5
             FROM run_once_cases ledger JOIN run_once_matters matter USING (case_id) WHERE case_id = $1
             ON CONFLICT DO NOTHING RETURNING case_id)
         UPDATE run_once_cases SET breaches = breaches + 1 WHERE case_id IN (SELECT case_id FROM breach)",
    )
    .bind(case)
    .bind(row)
    .bind(sequence)
    .bind(at)
    .bind(other_case)
    .execute(connection)
    .await?;
    Ok(())
}

/// The later case's submission is a breach of the unit that closed the earlier one.
async fn refiled(
    connection: &mut PgConnection,
    previous: Uuid,
    later: Uuid,
    sequence: i64,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    breach(connection, previous, "refiling", sequence, at, Some(later)).await
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

async fn set_offer(connection: &mut PgConnection, case: Uuid, to: Option<&str>) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE run_once_cases SET offered_to = $2 WHERE case_id = $1")
        .bind(case)
        .bind(to)
        .execute(connection)
        .await?;
    Ok(())
}

/// Without an offer to this unit the constraint refuses, and the holder stays.
async fn take_over(connection: &mut PgConnection, case: Uuid, unit: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE run_once_cases
         SET holder = $2, taken_without_offer = offered_to IS DISTINCT FROM $2, offered_to = NULL WHERE case_id = $1",
    )
    .bind(case)
    .bind(unit)
    .execute(connection)
    .await?;
    Ok(())
}
