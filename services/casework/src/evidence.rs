//! What proves that a case was taken in, and that the log is whole.

use crate::{Casework, error::CaseworkError};
use onetrip_evidence::{EvidenceError, KeyFault, Receipt, Signer, StoredHead};
use onetrip_model::{
    CaseNumber,
    access::{Act, Actor, authorize},
};
use onetrip_read_models::case_file;
use std::sync::Arc;

/// The log's name where no other is set.
pub const DEFAULT_ORIGIN: &str = "onetrip";

/// The aggregate type of cases.
const CASE: &str = "case";
/// The event with which a case is filed.
const FILING: i64 = 1;

impl Casework {
    /// Under another name of the log than [`DEFAULT_ORIGIN`]: heads are signed in it.
    pub fn with_origin(self, origin: &str) -> Result<Casework, KeyFault> {
        let signer = Arc::new(Signer::new(self.vault(), origin)?);
        Ok(Casework { signer, ..self })
    }

    pub fn signer(&self) -> &Arc<Signer> {
        &self.signer
    }

    /// The proof that the case was filed: for its resident, and for staff who may know who that is, since the receipt
    /// carries the event as it is stored.
    pub async fn receipt(&self, actor: &Actor, number: &CaseNumber) -> Result<Receipt, CaseworkError> {
        self.in_time(self.try_receipt(actor, number)).await
    }

    async fn try_receipt(&self, actor: &Actor, number: &CaseNumber) -> Result<Receipt, CaseworkError> {
        if *actor == Actor::Visitor {
            return Err(CaseworkError::NotSignedIn);
        }
        let (case, _) = self.find_case(number).await?.ok_or(CaseworkError::NotFound)?;
        let mut connection = self.pool().acquire().await?;
        match actor {
            // The resident may ask before any read model knows the case.
            Actor::Resident { case: own, .. } if *own == case => {}
            _ => {
                let file = case_file::by_id(&mut connection, case)
                    .await?
                    .ok_or(CaseworkError::NotFound)?;
                let relation = file.filed.relation();
                authorize(actor, Act::ViewCase, Some(&relation))?;
                authorize(actor, Act::ViewContact, Some(&relation))?;
            }
        }
        let key = self.signer.verifier();
        onetrip_evidence::receipt(&mut connection, key, CASE, &case.to_string(), FILING)
            .await?
            .ok_or(CaseworkError::NotFound)
    }

    /// The newest signed heads below a size, newest first; at most 100. They are for everybody.
    pub async fn heads(&self, before: Option<u64>, limit: i64) -> Result<Vec<StoredHead>, CaseworkError> {
        let reading = async {
            let mut connection = self.pool().acquire().await?;
            Ok(onetrip_evidence::heads(&mut connection, before, limit).await?)
        };
        self.in_time(reading).await
    }

    /// The public key with which heads and receipts are checked.
    pub fn verifier_key(&self) -> String {
        self.signer.verifier().to_string()
    }
}

impl From<EvidenceError> for CaseworkError {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Database(error) => error.into(),
            error => CaseworkError::internal(error),
        }
    }
}
