//! Tells cargo that a new catalogue file is a reason to build again: the macro that embeds them lists the
//! folder, and cargo only watches files it has seen before.

fn main() {
    println!("cargo:rerun-if-changed=locales");
}
