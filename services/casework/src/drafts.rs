//! Half-written submissions, kept sealed for a day so that nothing typed is lost between two pages.

use crate::{Casework, error::CaseworkError};
use onetrip_model::CaseKind;

const PURPOSE: &str = "draft";

impl Casework {
    /// What was typed so far, as the pages wrote it.
    pub async fn draft(&self, owner: &str, kind: CaseKind) -> Result<Option<String>, CaseworkError> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT sealed FROM drafts WHERE owner = $1 AND kind = $2 AND expires_at > now()",
        )
        .bind(owner)
        .bind(kind.as_str())
        .fetch_optional(self.pool())
        .await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let plain = self.vault().open_loose(PURPOSE, &sealed)?;
        String::from_utf8(plain)
            .map(Some)
            .map_err(CaseworkError::internal)
    }

    pub async fn keep_draft(&self, owner: &str, kind: CaseKind, draft: &str) -> Result<(), CaseworkError> {
        let sealed = self.vault().seal_loose(PURPOSE, draft.as_bytes())?;
        sqlx::query(
            "INSERT INTO drafts (owner, kind, sealed, expires_at) VALUES ($1, $2, $3, now() + interval '24 hours')
             ON CONFLICT (owner, kind) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at",
        )
        .bind(owner)
        .bind(kind.as_str())
        .bind(sealed)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    pub async fn drop_draft(&self, owner: &str, kind: CaseKind) -> Result<(), CaseworkError> {
        sqlx::query("DELETE FROM drafts WHERE owner = $1 AND kind = $2")
            .bind(owner)
            .bind(kind.as_str())
            .execute(self.pool())
            .await?;
        Ok(())
    }
}
