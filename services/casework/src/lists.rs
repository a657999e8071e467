//! Lists and figures, each cut to what its asker may see.

use crate::{Casework, error::CaseworkError, view::QueueItem};
use chrono::{DateTime, TimeDelta, Utc};
use onetrip_model::{
    CaseNumber,
    access::{Act, Actor, authorize, scope},
    figures::{Figure, Figures, Times},
};
use onetrip_read_models::{
    case_file::{self, CaseFile},
    queue::{self, QueueCursor, QueueFilter},
    resolution::{self, BoardFilter, CaseRef, Grouping, Paging},
};
use uuid::Uuid;

/// Rows of one page of any list.
pub const PAGE_ROWS_MAX: i64 = 100;

/// A page and where the next one starts.
#[derive(Clone, Debug)]
pub struct Page<T, C> {
    pub items: Vec<T>,
    pub next: Option<C>,
}

#[derive(Clone, Debug)]
pub struct QueuePage {
    pub page: Page<QueueItem, QueueCursor>,
    /// All cases that the filter leaves.
    pub count: u64,
    /// Of these, how many were due before now.
    pub overdue: u64,
}

/// The figures of one group with its times.
#[derive(Clone, Debug)]
pub struct BoardGroup {
    pub name: String,
    pub figures: Figures,
    pub times: Times,
}

#[derive(Clone, Debug)]
pub struct Board {
    pub as_of: DateTime<Utc>,
    pub total: BoardGroup,
    /// One list of groups for each grouping asked for.
    pub groups: Vec<(Grouping, Vec<BoardGroup>)>,
}

impl Casework {
    pub async fn queue(
        &self,
        actor: &Actor,
        filter: &QueueFilter,
        after: Option<QueueCursor>,
        limit: i64,
    ) -> Result<QueuePage, CaseworkError> {
        authorize(actor, Act::ViewQueue, None)?;
        let scope = scope(actor);
        let limit = limit.clamp(1, PAGE_ROWS_MAX);
        let mut connection = self.pool().acquire().await?;
        let mut entries = queue::page(&mut connection, &scope, filter, after, limit + 1).await?;
        let count = queue::count(&mut connection, &scope, filter).await?;
        // Filters take what is due at their instant too; overdue is what was due before now, as on every page.
        let before_now = self.now() - TimeDelta::microseconds(1);
        let overdue_filter = QueueFilter {
            due_by: Some(filter.due_by.map_or(before_now, |due_by| due_by.min(before_now))),
            ..filter.clone()
        };
        let overdue = queue::count(&mut connection, &scope, &overdue_filter).await?;
        connection.release();
        let next = cut(&mut entries, limit)
            .then(|| entries.last().map(queue::QueueEntry::cursor))
            .flatten();
        let items = self.open_queue(entries).await?;
        Ok(QueuePage {
            page: Page { items, next },
            count,
            overdue,
        })
    }

    /// How many cases a filter leaves.
    pub async fn queue_count(&self, actor: &Actor, filter: &QueueFilter) -> Result<u64, CaseworkError> {
        authorize(actor, Act::ViewQueue, None)?;
        let mut connection = self.pool().acquire().await?;
        Ok(queue::count(&mut connection, &scope(actor), filter).await?)
    }

    /// Cases of any stage inside what the actor may see, newest first.
    pub async fn cases(
        &self,
        actor: &Actor,
        stage: Option<&str>,
        before: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Page<CaseFile, (DateTime<Utc>, Uuid)>, CaseworkError> {
        authorize(actor, Act::ViewQueue, None)?;
        let limit = limit.clamp(1, PAGE_ROWS_MAX);
        let mut connection = self.pool().acquire().await?;
        let mut items = case_file::list(&mut connection, &scope(actor), stage, before, limit + 1).await?;
        let next = cut(&mut items, limit)
            .then(|| items.last().map(|file| (file.submitted_at, file.case.0)))
            .flatten();
        Ok(Page { items, next })
    }

    /// The case with this number, ours or another system's, if the actor may see it.
    pub async fn find(&self, actor: &Actor, text: &str) -> Result<Option<CaseNumber>, CaseworkError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let mut connection = self.pool().acquire().await?;
        if let Ok(number) = text.parse::<CaseNumber>() {
            let file = case_file::by_number(&mut connection, &number).await?;
            let visible =
                |file: &CaseFile| authorize(actor, Act::ViewCase, Some(&file.filed.relation())).is_ok();
            return Ok(file.filter(visible).map(|_| number));
        }
        let file = case_file::by_source(&mut connection, &scope(actor), text).await?;
        Ok(file.map(|file| file.filed.number))
    }

    /// The supervisor's board.
    pub async fn board(
        &self,
        actor: &Actor,
        filter: &BoardFilter,
        groupings: &[Grouping],
    ) -> Result<Board, CaseworkError> {
        authorize(actor, Act::ViewBoard, None)?;
        let as_of = self.now();
        let mut connection = self.pool().acquire().await?;
        let (total, groups) =
            resolution::board(&mut connection, &scope(actor), filter, groupings, as_of).await?;
        let group = |name: String, mut figures: Figures| BoardGroup {
            times: figures.times(),
            name,
            figures,
        };
        let groups = groupings
            .iter()
            .copied()
            .zip(groups.into_iter().map(|groups| {
                groups
                    .into_iter()
                    .map(|(name, figures)| group(name, figures))
                    .collect()
            }))
            .collect();
        Ok(Board {
            as_of,
            total: group(String::new(), total),
            groups,
        })
    }

    /// The cases behind one number of the board, newest first, and how many there are.
    pub async fn board_cases(
        &self,
        actor: &Actor,
        filter: &BoardFilter,
        figure: Figure,
        group: Option<(Grouping, &str)>,
        skip: usize,
        limit: usize,
    ) -> Result<(u64, Vec<CaseRef>), CaseworkError> {
        authorize(actor, Act::ViewBoard, None)?;
        let mut connection = self.pool().acquire().await?;
        let paging = Paging {
            skip,
            limit: limit.clamp(1, PAGE_ROWS_MAX as usize),
        };
        Ok(resolution::cases(
            &mut connection,
            &scope(actor),
            filter,
            figure,
            group,
            self.now(),
            paging,
        )
        .await?)
    }
}

/// Cuts the one row too many that tells whether there is another page.
fn cut<T>(rows: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}
