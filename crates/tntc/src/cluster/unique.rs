//! Names that no other call has.

/// Eight hexadecimal digits.
pub fn suffix() -> String {
    format!("{:08x}", fastrand::u32(..))
}
