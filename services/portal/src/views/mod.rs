//! One struct per page, holding all the page shows and nothing it has to look up.
//!
//! Every struct derives [`askama::Template`]; `render()` gives the HTML. Words from the catalogues are looked
//! up by the templates through [`Ui`]; names of offices, categories and streets come ready to show.

mod board;
mod case;
mod common;
mod home;
mod icons;
mod pages;
pub mod samples;
mod staff;
mod staff_case;
mod submit;
mod ui;

pub use askama::Template;
pub use board::{
    BoardCasesPage, BoardFilters, BoardPage, Chart, ChartRow, CountTile, RangeChart, RangeRow, Tile,
};
pub use case::{
    LookupPage, MaterialRow, MaterialsForm, RateForm, RatingView, ReopenForm, ResidentCasePage, ResultView,
    ReviewForm, TripView,
};
pub use common::{
    Choice, ChoiceGroup, Due, DueLevel, HeldRow, Kind, LedgerRow, Photo, Steps, TimelineEntry, Tone,
    UnknownKind,
};
pub use home::{HomePage, Limits};
pub use pages::{ConflictPage, ErrorKind, ErrorPage, PrivacyPage, TypedField};
pub use staff::{
    FilePage, FiledPage, FilterChip, FilterGroup, Mark, QueuePage, QueueRow, SignInPage, StartPage,
};
pub(crate) use staff_case::waiting_photos;
pub use staff_case::{Act, ActSection, ResidentContact, StaffCasePage, TypedValues};
pub use submit::{
    AnswerRow, CheckPage, ContactPage, NextStep, SharedChoice, SubmittedPage, WhatPage, WherePage,
};
pub use ui::{Errors, Help, StaffBadge, StaffPart, Ui};
