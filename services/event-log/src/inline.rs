use crate::statement::Statement;
use async_trait::async_trait;
use cqrs_es::Aggregate;
use sqlx::PgConnection;

/// An event about to be appended, as an inline projection sees it.
#[derive(Debug)]
pub struct Appending<'a, A: Aggregate> {
    pub aggregate_id: &'a str,
    pub sequence: u64,
    pub event: &'a A::Event,
}

/// A projection updated in the transaction of the append, so that it can refuse: its constraints hold whatever races.
#[async_trait]
pub trait InlineProjection<A: Aggregate>: Send + Sync {
    /// Makes its rows part of the one statement of the append: for events whose rows need nothing read first. False if
    /// these are not such, and then nothing of `statement` is used: the append is a transaction with
    /// [`InlineProjection::project`] in it.
    fn beside(&self, _events: &[Appending<'_, A>], _statement: &mut Statement) -> bool {
        false
    }

    /// Writes the rows of these events. A violated constraint rolls the whole append back.
    async fn project(
        &self,
        connection: &mut PgConnection,
        events: &[Appending<'_, A>],
    ) -> Result<(), sqlx::Error>;

    /// What the violation of `constraint` by these events means, asked after the rollback.
    async fn explain(
        &self,
        connection: &mut PgConnection,
        constraint: &str,
        events: &[Appending<'_, A>],
    ) -> Result<Option<A::Error>, sqlx::Error>;
}

/// No inline projection.
pub struct NoInline;

#[async_trait]
impl<A: Aggregate> InlineProjection<A> for NoInline {
    fn beside(&self, _: &[Appending<'_, A>], _: &mut Statement) -> bool {
        true
    }

    async fn project(&self, _: &mut PgConnection, _: &[Appending<'_, A>]) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn explain(
        &self,
        _: &mut PgConnection,
        _: &str,
        _: &[Appending<'_, A>],
    ) -> Result<Option<A::Error>, sqlx::Error> {
        Ok(None)
    }
}
