//! The public pages and the staff's pages, rendered on the server and complete without JavaScript.
//!
//! `web` are the endpoints; `views` holds what each page needs as plain structs with samples; `templates/` draws them and holds no
//! prose; `assets` serves the one style sheet and the one small script. See `README.md` for addresses and
//! form fields.

pub mod assets;
pub mod proof;
pub mod views;
mod web;

pub use web::{HelpText, Portal, router};
