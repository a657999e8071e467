//! Whole use cases on a real PostgreSQL: filing, acting, reading, and what races and aborts do to them.

mod aborts;
mod access;
mod common;
mod duplicates;
mod filing;
mod late;
mod ledger_races;
mod lists;
mod logs;
mod merging;
mod photos;
mod races;
mod requests;
mod rules;
mod seed;
mod sign_in;
