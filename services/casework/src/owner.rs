//! Whose drafts, uploads and request keys something is.

use crate::Casework;
use onetrip_model::CaseNumber;

impl Casework {
    /// A visitor; `token` is their cookie, which nobody can find from this.
    pub fn owner_of_visitor(&self, token: &str) -> String {
        self.owner("visitor", "visitor", token)
    }

    /// The resident of a case: whoever shows its secret.
    pub fn owner_of_case(&self, number: &CaseNumber) -> String {
        self.owner("case", "case-owner", number.digits())
    }

    /// A name for `who` by a keyed digest, made for one `purpose`.
    fn owner(&self, kind: &str, purpose: &str, who: &str) -> String {
        let digest = self.vault().digest(purpose, who.as_bytes());
        let digits: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{kind}:{digits}")
    }
}
