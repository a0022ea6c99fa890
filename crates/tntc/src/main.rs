//! `tntc`.
fn main() {}
