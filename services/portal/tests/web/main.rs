//! The pages over a database of their own, asked as a browser asks: with cookies, forms and their tokens.

mod browser;
mod failures;
mod filing;
mod staff;
