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
    /// Whether it writes anything for this event; one that it leaves alone can be appended with fewer statements.
    fn concerns(&self, event: &A::Event) -> bool;

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
    fn concerns(&self, _: &A::Event) -> bool {
        false
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
