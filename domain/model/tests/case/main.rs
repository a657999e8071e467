//! The rules of DOMAIN.md, the life of a case and the run-once table, each as given/when/then.

mod clocks;
mod filing;
mod properties;
mod receiving;
mod result;
mod run_once;
mod samples;
