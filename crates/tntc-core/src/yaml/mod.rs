//! YAML as a tree that remembers where everything stands.
//!
//! Plain scalars keep their text until someone asks for a type, so `1.10` is still `1.10`. Aliases and merge keys are
//! read as what they stand for. Tags and several documents in one file are refused: a workflow file is data, and the
//! engine's parser and this one must never read it differently.

mod anchors;
mod fields;
mod key;
mod mapping;
mod path;
mod problems;
mod scalar;
mod sink;
mod tree;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use fields::{
    EXTENSION, Fields, Items, accept, boolean, integer, json, json_map, list, owned_string, parsed,
    string, wrong_type,
};
pub(crate) use path::{Path, Spot};
pub(crate) use scalar::{Kind, Scalar};
pub(crate) use sink::Sink;
pub(crate) use tree::{parse, uses_aliases};

/// A value and the bytes of the source it stands at. Offsets fit because files over a megabyte are refused before.
#[derive(Debug, PartialEq)]
pub(crate) struct Node<'s> {
    start: u32,
    end: u32,
    pub(crate) value: Value<'s>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Value<'s> {
    Scalar(Scalar<'s>),
    List(Vec<Node<'s>>),
    Map(Vec<Entry<'s>>),
    /// Already reported; whoever meets it stays silent.
    Broken,
}

/// A key with its value. The key's text is what was written, also where YAML would read a number.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry<'s> {
    start: u32,
    end: u32,
    pub(crate) key: Cow<'s, str>,
    pub(crate) node: Node<'s>,
}

impl Node<'_> {
    pub(crate) fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.kind() == Kind::Null)
    }
}

impl Entry<'_> {
    pub(crate) fn key_span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}
