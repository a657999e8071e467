//! The endpoints behind the pages: each reads a form, calls a use case and draws a view.

mod failure;
mod form;
mod frame;
mod home;
mod photos;
mod resident;
mod resident_acts;
mod staff_acts;
mod staff_board;
mod staff_case;
mod staff_file;
mod staff_queue;
mod staff_sign_in;
mod submit;
mod submit_fields;
mod visit;
mod words;

pub use frame::{HelpText, Portal, router};
