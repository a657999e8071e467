//! What Onetrip is about: cases, their rules, their clocks and who may do what.
//!
//! Nothing here reads a clock, a file, a socket or a database: instants, identifiers, the calendar and the
//! policy arrive in the command, so that every decision can be tested by naming its inputs.

pub mod access;
pub mod calendar;
pub mod case;
pub mod clocks;
pub mod figures;
pub mod likeness;
pub mod policy;
pub mod primitives;
pub mod rules;
pub mod whatif;

pub use case::{Case, CaseAct, CaseCommand, CaseEvent, CaseFact, Refusal};
pub use primitives::{
    AttachmentRef, By, CaseId, CaseKind, CaseNumber, Channel, ContactDistrictCode, DivisionCode,
    HoldsPrivate, PersonId, Private, PrivateValue, StaffId, Subject, Tier, UnitCode,
};
