//! The key of a mapping's entry whose value has not come yet.

use std::borrow::Cow;

pub(super) struct Key<'s> {
    /// Bytes of the source that it stands at.
    pub(super) span: (u32, u32),
    pub(super) name: Name<'s>,
}

pub(super) enum Name<'s> {
    Text(Cow<'s, str>),
    /// `<<`: the value's entries become the mapping's.
    Merge,
    /// Already reported; its value is dropped.
    Refused,
}
