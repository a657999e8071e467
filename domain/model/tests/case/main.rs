//! The rules of DOMAIN.md, the life of a case and the run-once table, each as given/when/then; what holds for every
//! history is in `properties.rs`, `laws.rs` and `forbidden.rs`.

mod acts;
mod clock_jumps;
mod clocks;
mod extension;
mod filing;
mod forbidden;
mod hand_overs;
mod histories;
mod holding;
mod imported;
mod joint;
mod laws;
mod merge;
mod old_histories;
mod pauses;
mod promise;
mod properties;
mod raising;
mod ratings;
mod receiving;
mod recompute;
mod result;
mod review;
mod run_once;
mod samples;
mod supervision;
mod two_clocks;
