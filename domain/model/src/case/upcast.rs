//! Older shapes of case events, brought to today's before anything else sees them.

use cqrs_es::persist::EventUpcaster;

/// The upcasters of the case, oldest first. There is only one version of every event so far; a changed event gets
/// its upcaster here, in the same change, and a sample of its old JSON in `tests/samples/`.
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    Vec::new()
}
