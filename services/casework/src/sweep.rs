//! What is kept for a time only goes when its time is over.

use crate::{Casework, error::CaseworkError};

impl Casework {
    /// Removes what has passed its term: drafts, uploads, sessions, old request keys and counted guesses.
    pub async fn sweep(&self) -> Result<(), CaseworkError> {
        for statement in [
            "DELETE FROM drafts WHERE expires_at <= now()",
            "DELETE FROM uploads WHERE expires_at <= now()",
            "DELETE FROM sessions WHERE expires_at <= now()",
            "DELETE FROM requests WHERE recorded_at <= now() - interval '30 days'",
            "DELETE FROM guesses WHERE at <= now() - interval '1 day'",
        ] {
            sqlx::query(statement).execute(self.pool()).await?;
        }
        Ok(())
    }
}
