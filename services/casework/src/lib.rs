//! The use cases that the pages, the API and the tools share: who is asking, may they, what is decided, what is
//! stored, what is shown. Every endpoint goes through here, so that no rule is written at an edge.

mod acts;
mod directory;
mod drafts;
mod duplicates;
mod error;
mod evidence;
mod files;
mod follow;
mod lists;
mod merging;
mod metrics;
mod owner;
mod patience;
mod rules;
mod sessions;
mod submit;
mod supervise;
mod sweep;
mod view;

pub use acts::{ActInput, Acted, MaterialInput, PromiseInput};
pub use directory::{ContactDistrict, Directory, Division, StaffName, Unit};
pub use duplicates::{Draft, Progress, SharedCase};
pub use error::{CaseworkError, Fault, FieldFault};
pub use evidence::DEFAULT_ORIGIN;
pub use files::{PAPERS_MAX, PHOTO_BYTES_MAX, Photo, PhotoFault, Upload};
pub use follow::Secret;
pub use lists::{Board, BoardGroup, Page, QueuePage};
pub use merging::{Answer, LeadOutcome, by_the_service};
pub use onetrip_event_log::RequestKey;
pub use onetrip_evidence::{Receipt, StoredHead};
pub use patience::one_request;
pub use sessions::{NewStaff, SignedIn};
pub use submit::{NAME_CHARS_MAX, NewCase, PHOTOS_MAX, PLACE_CHARS_MAX, Submitted};
pub use view::{CaseView, Happening, QueueItem, Text};

use chrono::{DateTime, SubsecRound, Utc};
use onetrip_event_log::{Cursor, EventLog, Pool, Vault};
use onetrip_evidence::Signer;
use onetrip_model::{Case, case, policy::Rules, rules::RuleBook};
use onetrip_read_models::RunOnceLedger;
use onetrip_runner::Waiting;
use patience::within;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// How long a form post waits for the read models before it answers all the same.
const SETTLE_PATIENCE: Duration = Duration::from_secs(2);

/// Who asks is told within a second that the database does not answer. A command may be done all the same: its key settles
/// that.
const PATIENCE: Duration = Duration::from_millis(800);
/// Photos are written with what they belong to, and are large.
const PHOTOS_PATIENCE: Duration = Duration::from_secs(10);

/// Drafts compared at the same time.
const COMPARING_MAX: usize = 2;

/// Where instants come from; tests name their own.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The system clock, in the microseconds that PostgreSQL keeps.
pub fn system_clock() -> Clock {
    Arc::new(|| Utc::now().trunc_subsecs(6))
}

/// Everything a use case needs. Cheap to clone.
#[derive(Clone)]
pub struct Casework {
    log: EventLog<Case>,
    waiting: Waiting,
    rules: Arc<Rules>,
    rules_log: EventLog<RuleBook>,
    directory: Directory,
    clock: Clock,
    metrics: Arc<metrics::Metrics>,
    signer: Arc<Signer>,
    patience: Duration,
    /// Turns at comparing drafts of whoever comes with the cases there are.
    comparing: Arc<Semaphore>,
}

impl Casework {
    /// Fails if the directory cannot be read or a metric's name is taken.
    pub async fn new(
        pool: impl Into<Pool>,
        vault: Vault,
        rules: Arc<Rules>,
        clock: Clock,
        registry: &prometheus::Registry,
    ) -> Result<Casework, CaseworkError> {
        let pool = pool.into();
        let ledger = RunOnceLedger::new(&rules.policy);
        let directory = Directory::load(&pool).await?;
        let signer = Signer::new(&vault, DEFAULT_ORIGIN).map_err(CaseworkError::internal)?;
        let rules_log = rules::log(pool.clone(), vault.clone());
        let waiting = Waiting::new(pool.clone(), &onetrip_read_models::NAMES);
        let log = EventLog::new(pool, vault, ledger, case::upcasters());
        let metrics = Arc::new(metrics::Metrics::register(registry).map_err(CaseworkError::internal)?);
        Ok(Casework {
            log,
            waiting,
            rules,
            rules_log,
            directory,
            clock,
            metrics,
            signer: Arc::new(signer),
            patience: PATIENCE,
            comparing: Arc::new(Semaphore::new(COMPARING_MAX)),
        })
    }

    /// With so much time for the database to answer: for tests that hold it up.
    pub fn with_patience(self, patience: Duration) -> Casework {
        Casework { patience, ..self }
    }

    pub fn log(&self) -> &EventLog<Case> {
        &self.log
    }

    pub fn pool(&self) -> &Pool {
        self.log.pool()
    }

    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    pub(crate) fn vault(&self) -> &Vault {
        self.log.vault()
    }

    /// Waits until the pages show what was just written; false where they are late, and the answer should say
    /// "received" instead of showing it.
    ///
    /// What was written is written, so a database that does not answer any more is no failure here.
    pub async fn settle(&self, cursor: Cursor) -> bool {
        self.waiting.passed(cursor, SETTLE_PATIENCE).await
    }

    /// Gives up waiting for the database in time. What is dropped then leaves nothing half done: see
    /// `event-log/connection.rs`.
    pub(crate) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, CaseworkError>>,
    ) -> Result<T, CaseworkError> {
        within(self.patience, work).await
    }

    /// The same for what has photos.
    pub(crate) async fn in_time_with<T>(
        &self,
        photos: &[uuid::Uuid],
        work: impl Future<Output = Result<T, CaseworkError>>,
    ) -> Result<T, CaseworkError> {
        if photos.is_empty() {
            self.in_time(work).await
        } else {
            within(self.patience.max(PHOTOS_PATIENCE), work).await
        }
    }
}
