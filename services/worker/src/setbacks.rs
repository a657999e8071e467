//! What went wrong in a turn over many cases.

use onetrip_casework::CaseworkError;

/// So often in one turn the log may not take a case before the turn is given up: nothing can be done for the others
/// either. One case alone that cannot be read or written keeps nobody else waiting.
const UNAVAILABLE_MAX: u32 = 8;

#[derive(Default)]
pub(crate) struct Setbacks {
    failed: i64,
    unavailable: u32,
}

impl Setbacks {
    /// Counts a failure that has been told; gives it back where the turn is to end with it.
    pub fn take(&mut self, error: CaseworkError) -> Result<(), CaseworkError> {
        self.failed += 1;
        if matches!(error, CaseworkError::Unavailable(_)) {
            self.unavailable += 1;
            if self.unavailable >= UNAVAILABLE_MAX {
                return Err(error);
            }
        }
        Ok(())
    }

    pub fn failed(&self) -> i64 {
        self.failed
    }
}
