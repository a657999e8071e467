use crate::{
    append::{AppendError, AppendHook, Pending},
    ask::Questions,
    error::LogError,
    inline::InlineProjection,
    lanes::Lanes,
    load::{Loaded, Snapshot},
    persons::ContactDigest,
    pool::Pool,
    prepare::FirstSeen,
    read::Cursor,
    requests::{self, RequestKey, StoredAnswer},
    together::Together,
    vault::Vault,
    write::Appended,
};
use cqrs_es::{Aggregate, event_sink::EventSink, persist::EventUpcaster};
use onetrip_model::{HoldsPrivate, PersonId};
use quick_cache::sync::Cache;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

/// Tries before a command on a busy aggregate is given back to the caller.
const TRIES_MAX: u32 = 16;

/// Why something happened, stored beside the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why {
    /// Everything that goes back to one wish of one person.
    pub correlation_id: Uuid,
    /// The command that caused it; left out of the log where it is the same.
    pub causation_id: Uuid,
}

impl Why {
    /// Caused directly by the request `id`.
    pub fn request(id: Uuid) -> Why {
        Why {
            correlation_id: id,
            causation_id: id,
        }
    }

    pub(crate) fn to_json(self) -> String {
        let Why {
            correlation_id,
            causation_id,
        } = self;
        // It stands beside every event of the log for ever: what says nothing new is left out.
        if causation_id == correlation_id {
            json!({"correlation_id": correlation_id}).to_string()
        } else {
            json!({"correlation_id": correlation_id, "causation_id": causation_id}).to_string()
        }
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Appended(Appended),
    /// The wish was already fulfilled; nothing was written.
    Unchanged {
        version: u64,
    },
    /// The same request was answered before.
    Replayed(StoredAnswer),
}

/// How much of the process and of the database a log may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Aggregates kept in memory; 0 for none.
    pub remembered: usize,
    /// Commands at work or waiting; more are refused as [`LogError::Busy`].
    pub commands: usize,
    /// Transactions that append at the same time.
    pub appenders: usize,
    /// Statements that load at the same time; as many besides look persons up.
    pub loaders: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            remembered: 16_384,
            commands: 4_096,
            appenders: 2,
            loaders: 2,
        }
    }
}

/// Connections for appends with hooks, beside those of the appenders.
const HOOK_CONNECTIONS: u32 = 4;
/// A connection for an append that is not to be had within this is answered as unavailable.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(1);

/// How long a statement of an append or a load may take; less than a batch may.
const STATEMENT_MILLISECONDS_MAX: &str = "2500";

/// What an aggregate has to be for its commands to be executed here.
pub trait Logged:
    Aggregate<Services = (), Command: Clone + Send + Sync, Event: HoldsPrivate, Error: Send + Sync + 'static>
    + Clone
    + 'static
{
}

impl<A> Logged for A where
    A: Aggregate<
            Services = (),
            Command: Clone + Send + Sync,
            Event: HoldsPrivate,
            Error: Send + Sync + 'static,
        > + Clone
        + 'static
{
}

/// The log of one kind of aggregate. Cheap to clone.
pub struct EventLog<A: Aggregate> {
    inner: Arc<Inner<A>>,
}

impl<A: Aggregate> Clone for EventLog<A> {
    fn clone(&self) -> Self {
        EventLog {
            inner: Arc::clone(&self.inner),
        }
    }
}

struct Inner<A: Aggregate> {
    pool: Pool,
    /// Connections for appends and loads: what others read never keeps a command waiting.
    own_pool: Pool,
    vault: Vault,
    inline: Box<dyn InlineProjection<A>>,
    upcasters: Vec<Box<dyn EventUpcaster>>,
    snapshots: Option<Cache<String, Arc<Snapshot<A>>>>,
    commands_max: usize,
    running: Semaphore,
    /// One command at a time on each aggregate, and one send at a time of each request key.
    lanes: Lanes,
    requests: Lanes,
    loads: Questions<String, Arc<Loaded>>,
    persons: Questions<ContactDigest, Option<PersonId>>,
    appends: Arc<Together<Pending<A>>>,
    appended: Notify,
}

impl<A: Aggregate> EventLog<A> {
    pub fn new(
        pool: impl Into<Pool>,
        vault: Vault,
        inline: impl InlineProjection<A> + 'static,
        upcasters: Vec<Box<dyn EventUpcaster>>,
    ) -> Self {
        EventLog::with_limits(pool, vault, inline, upcasters, &Limits::default())
    }

    pub fn with_limits(
        pool: impl Into<Pool>,
        vault: Vault,
        inline: impl InlineProjection<A> + 'static,
        upcasters: Vec<Box<dyn EventUpcaster>>,
        limits: &Limits,
    ) -> Self {
        let connections = u32::try_from(limits.appenders + 2 * limits.loaders).unwrap_or(u32::MAX);
        let pool = pool.into();
        // Planning an append anew for its values takes longer than doing it, and gains nothing: every row is found by its
        // key, also where the plan was made while a table was empty.
        let options = pool.options().clone().options([
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            // The server gives up before we do: what is told to be unknown is not stored a minute later.
            ("statement_timeout", STATEMENT_MILLISECONDS_MAX),
            ("lock_timeout", STATEMENT_MILLISECONDS_MAX),
        ]);
        let connections = connections.saturating_add(HOOK_CONNECTIONS);
        let own_pool = Pool::new(options, connections, CONNECTION_PATIENCE);
        let inline = Box::new(inline);
        EventLog {
            inner: Arc::new(Inner {
                pool,
                own_pool,
                vault,
                inline,
                upcasters,
                snapshots: (limits.remembered > 0).then(|| Cache::new(limits.remembered)),
                commands_max: limits.commands,
                running: Semaphore::new(limits.commands),
                lanes: Lanes::default(),
                requests: Lanes::default(),
                loads: Questions::new(limits.loaders, limits.commands),
                persons: Questions::new(limits.loaders, limits.commands),
                appends: Together::new(limits.appenders, limits.commands),
                appended: Notify::new(),
            }),
        }
    }

    pub fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    pub(crate) fn own_pool(&self) -> &Pool {
        &self.inner.own_pool
    }

    pub fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    pub(crate) fn inline(&self) -> &dyn InlineProjection<A> {
        &*self.inner.inline
    }

    pub(crate) fn snapshots(&self) -> Option<&Cache<String, Arc<Snapshot<A>>>> {
        self.inner.snapshots.as_ref()
    }

    pub(crate) fn loads(&self) -> &Questions<String, Arc<Loaded>> {
        &self.inner.loads
    }

    pub(crate) fn persons(&self) -> &Questions<ContactDigest, Option<PersonId>> {
        &self.inner.persons
    }

    pub(crate) fn appends(&self) -> &Arc<Together<Pending<A>>> {
        &self.inner.appends
    }

    pub(crate) fn lanes(&self) -> &Lanes {
        &self.inner.lanes
    }

    pub(crate) fn upcasters(&self) -> &[Box<dyn EventUpcaster>] {
        &self.inner.upcasters
    }

    pub(crate) fn wake_readers(&self) {
        self.inner.appended.notify_waiters();
    }

    /// Resolves at the next append of this process: a nudge for readers, who poll besides.
    pub async fn appended(&self) {
        self.inner.appended.notified().await;
    }

    /// Connections of the log's own that are in use; those of [`EventLog::pool`] are not among them.
    pub fn busy_connections(&self) -> usize {
        self.inner.own_pool.busy()
    }

    /// Commands that wait for a transaction, and commands at work.
    pub fn pressure(&self) -> (usize, usize) {
        let free = self.inner.running.available_permits();
        (self.inner.appends.waiting(), self.inner.commands_max - free)
    }
}

/// On what a command is decided.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Basis {
    /// The newest version, or only this one.
    Newest(Option<u64>),
    /// Nothing: it begins the aggregate.
    Nothing,
}

impl<A: Logged> EventLog<A> {
    /// The aggregate and its version (0: not in the log), as the database has it now.
    pub async fn load(&self, aggregate_id: &str) -> Result<(A, u64), LogError<A::Error>> {
        let snapshot = self.read_snapshot(aggregate_id).await?;
        Ok((snapshot.state, snapshot.version))
    }

    /// Loads, decides, appends. With `expected`, only on that version; without, again after a lost race.
    pub async fn execute(
        &self,
        aggregate_id: &str,
        command: A::Command,
        expected: Option<u64>,
        why: &Why,
        request: Option<&RequestKey>,
        hook: Option<&dyn AppendHook>,
    ) -> Result<Outcome, LogError<A::Error>> {
        let first_seen = FirstSeen::default();
        let done = self.run(
            aggregate_id,
            command,
            Basis::Newest(expected),
            first_seen,
            why,
            request,
            hook,
        );
        Ok(done.await?.0)
    }

    /// Decides and appends the first command of a new aggregate: nothing is loaded. Should the aggregate be there all
    /// the same, it is decided on what there is. With the events that were appended, as they are stored.
    pub async fn execute_first(
        &self,
        aggregate_id: &str,
        command: A::Command,
        first_seen: FirstSeen,
        why: &Why,
        request: Option<&RequestKey>,
        hook: Option<&dyn AppendHook>,
    ) -> Result<(Outcome, Vec<A::Event>), LogError<A::Error>> {
        self.run(
            aggregate_id,
            command,
            Basis::Nothing,
            first_seen,
            why,
            request,
            hook,
        )
        .await
    }

    #[expect(clippy::too_many_arguments, reason = "the body of the two above")]
    async fn run(
        &self,
        aggregate_id: &str,
        command: A::Command,
        mut basis: Basis,
        mut first_seen: FirstSeen,
        why: &Why,
        request: Option<&RequestKey>,
        hook: Option<&dyn AppendHook>,
    ) -> Result<(Outcome, Vec<A::Event>), LogError<A::Error>> {
        let nothing = |outcome| (outcome, Vec::new());
        let _place = self.inner.running.try_acquire().map_err(|_| LogError::Busy)?;
        let mut may_be_answered = false;
        let mut _turn = None;
        if let Some(request) = request {
            // Sent twice at once, the second waits for the answer of the first.
            let name = format!("{}\0{}", request.actor, request.key);
            let (turn, waited) = self.inner.requests.enter(&name).await;
            (may_be_answered, _turn) = (waited, Some(turn));
        }
        for _ in 0..TRIES_MAX {
            if let (true, Some(request)) = (may_be_answered, request)
                && let Some(answer) = self.answered(request).await?
            {
                return Ok(nothing(Outcome::Replayed(answer)));
            }
            let (lane, _) = self.lanes().enter(aggregate_id).await;
            let remembered = match basis {
                Basis::Newest(_) => self.remembered(aggregate_id),
                Basis::Nothing => Some(Arc::default()),
            };
            let certain = remembered.is_none();
            let before = match remembered {
                Some(snapshot) => snapshot,
                None => Arc::new(self.read_snapshot(aggregate_id).await?),
            };
            let events = match decide(&before, command.clone(), basis).await {
                Decided::Events(events) => events,
                // Only what is stored may say no: what this process remembers may be old.
                _ if !certain => {
                    self.forget(aggregate_id);
                    basis = basis.reloaded();
                    continue;
                }
                Decided::No(outcome) => return self.unless_answered(request, outcome).await.map(nothing),
            };
            let prepared = self
                .prepare(aggregate_id, &before, events, why, &first_seen)
                .await?;
            let events = prepared.events.clone();
            let outcome = match hook {
                Some(hook) => self.append_with_hook(prepared, request, hook, lane).await,
                None => self.append_shared(prepared, request, lane).await,
            };
            match outcome {
                Ok(appended) => return Ok((Outcome::Appended(appended), events)),
                Err(AppendError::Conflict | AppendError::AlreadyAnswered) => {
                    (may_be_answered, basis) = (true, basis.reloaded());
                }
                Err(AppendError::KeyLost) => first_seen.subjects.clear(),
                Err(AppendError::Failed(error)) => {
                    return self.unless_answered(request, Err(error)).await.map(nothing);
                }
            }
        }
        Err(LogError::Contended)
    }

    /// The same request may have been sent twice at once: what one of the two did is what the other finds in its way.
    /// Its answer is then the answer to both; it also settles a commit whose outcome was lost.
    async fn unless_answered(
        &self,
        request: Option<&RequestKey>,
        outcome: Result<Outcome, LogError<A::Error>>,
    ) -> Result<Outcome, LogError<A::Error>> {
        let Some(request) = request else { return outcome };
        match self.answered(request).await {
            Ok(Some(answer)) => Ok(Outcome::Replayed(answer)),
            Err(LogError::KeyReused) => Err(LogError::KeyReused),
            Ok(None) | Err(_) => outcome,
        }
    }

    /// The answer to an earlier request with this key.
    pub async fn answered(&self, request: &RequestKey) -> Result<Option<StoredAnswer>, LogError<A::Error>> {
        let mut connection = self.pool().acquire().await?;
        let found = requests::find(&mut connection, request).await?;
        connection.release();
        match found {
            None => Ok(None),
            Some((answer, true)) => Ok(Some(answer)),
            Some((_, false)) => Err(LogError::KeyReused),
        }
    }

    /// The newest version of an aggregate and where it lies in the log; None where it is not there.
    pub async fn newest(&self, aggregate_id: &str) -> Result<Option<(u64, Cursor)>, LogError<A::Error>> {
        let row: Option<(i64, i64, i64)> = sqlx::query_as(
            "SELECT sequence, transaction_id::text::bigint, position FROM events
             WHERE aggregate_type = $1 AND aggregate_id = $2 ORDER BY sequence DESC LIMIT 1",
        )
        .bind(A::TYPE)
        .bind(aggregate_id)
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|(version, transaction_id, position)| {
            let cursor = Cursor {
                transaction_id,
                position,
            };
            (version.unsigned_abs(), cursor)
        }))
    }

    /// An event of an aggregate, in today's shape, private values sealed; None where it is not there.
    pub async fn event(
        &self,
        aggregate_id: &str,
        sequence: u64,
    ) -> Result<Option<A::Event>, LogError<A::Error>> {
        let row: Option<(String, String, String)> = sqlx::query_as(
            "SELECT event_type, event_version, payload::text FROM events
             WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence = $3",
        )
        .bind(A::TYPE)
        .bind(aggregate_id)
        .bind(i64::try_from(sequence).unwrap_or(i64::MAX))
        .fetch_optional(self.pool())
        .await?;
        let Some((event_type, event_version, payload)) = row else {
            return Ok(None);
        };
        let place = usize::try_from(sequence).unwrap_or(usize::MAX);
        let payload = serde_json::from_str(&payload)?;
        Ok(Some(self.read(
            aggregate_id,
            place,
            &event_type,
            &event_version,
            payload,
        )?))
    }

    /// Which of these aggregates are in the log.
    pub async fn known(&self, aggregate_ids: &[String]) -> Result<Vec<String>, LogError<A::Error>> {
        Ok(sqlx::query_scalar(
            "SELECT aggregate_id FROM events WHERE aggregate_type = $1 AND aggregate_id = ANY($2) AND sequence = 1",
        )
        .bind(A::TYPE)
        .bind(aggregate_ids)
        .fetch_all(self.pool())
        .await?)
    }
}

impl Basis {
    /// After what was thought to be new, or remembered, turned out to be neither.
    fn reloaded(self) -> Basis {
        match self {
            Basis::Newest(expected) => Basis::Newest(expected),
            Basis::Nothing => Basis::Newest(None),
        }
    }
}

enum Decided<A: Aggregate> {
    Events(Vec<A::Event>),
    /// Nothing is to be written.
    No(Result<Outcome, LogError<A::Error>>),
}

async fn decide<A: Logged>(before: &Snapshot<A>, command: A::Command, basis: Basis) -> Decided<A> {
    let actual = before.version;
    if let Basis::Newest(Some(expected)) = basis
        && expected != actual
    {
        return Decided::No(Err(LogError::Stale { expected, actual }));
    }
    let sink = EventSink::<A>::default();
    let mut aggregate = before.state.clone();
    if let Err(refusal) = aggregate.handle(command, &(), &sink).await {
        return Decided::No(Err(LogError::Refused(refusal)));
    }
    let events = sink.collect().await;
    if events.is_empty() {
        return Decided::No(Ok(Outcome::Unchanged { version: actual }));
    }
    Decided::Events(events)
}
