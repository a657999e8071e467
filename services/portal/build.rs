//! Tells cargo that a new static file is a reason to build again: they are embedded by listing the folder.

fn main() {
    println!("cargo:rerun-if-changed=static");
    println!("cargo:rerun-if-changed=templates");
}
