//! Small values used by every aggregate.

mod ids;
mod number;
mod private;

pub use ids::{
    AttachmentRef, By, CaseId, CaseKind, Channel, ContactDistrictCode, DivisionCode, PersonId, StaffId, Tier,
    UnitCode,
};
pub use number::{CaseNumber, CaseNumberError};
pub use private::{HoldsPrivate, Private, PrivateValue, Subject};
