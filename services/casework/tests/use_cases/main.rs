//! Whole use cases on a real PostgreSQL: filing, acting, reading, and what races and aborts do to them.

mod aborts;
mod access;
mod common;
mod filing;
mod late;
mod lists;
mod logs;
mod photos;
mod races;
mod requests;
mod seed;
mod sign_in;
