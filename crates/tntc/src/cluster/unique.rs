//! Names that no other call has.

use std::hash::{BuildHasher, RandomState};

/// Eight hexadecimal digits, from the hasher's random keys, which the operating system seeds.
pub fn suffix() -> String {
    let random = RandomState::new().hash_one(std::process::id());
    format!("{:08x}", random & 0xffff_ffff)
}
