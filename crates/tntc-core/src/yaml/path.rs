//! Where a value stands: as a JSON pointer, and in the source.

use std::fmt::{self, Write as _};
use std::ops::Range;

use super::{Node, Value};

/// Steps from the top of a file to a value, kept on the stack of whoever walks there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    /// The path as a JSON pointer (RFC 6901).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Index(parent, index) => write!(f, "{parent}/{index}"),
            Path::Key(parent, key) => {
                write!(f, "{parent}/")?;
                key.chars().try_for_each(|c| match c {
                    '~' => f.write_str("~0"),
                    '/' => f.write_str("~1"),
                    c => f.write_char(c),
                })
            }
        }
    }
}

/// A value together with where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) node: &'a Node<'a>,
    pub(crate) path: Path<'a>,
    /// Bytes of the key that leads here, when one does.
    key: Option<(u32, u32)>,
}

impl<'a> Spot<'a> {
    pub(crate) fn root(node: &'a Node<'a>) -> Self {
        Self {
            node,
            path: Path::Root,
            key: None,
        }
    }

    pub(crate) fn entry(node: &'a Node<'a>, path: Path<'a>, key: Range<usize>) -> Self {
        let [start, end] =
            [key.start, key.end].map(|offset| u32::try_from(offset).unwrap_or(u32::MAX));
        Self {
            node,
            path,
            key: Some((start, end)),
        }
    }

    pub(crate) fn item(node: &'a Node<'a>, path: Path<'a>) -> Self {
        Self {
            node,
            path,
            key: None,
        }
    }

    /// What a finding about this value's key underlines.
    pub(crate) fn key_place(&self) -> Range<usize> {
        self.key
            .map_or_else(|| self.place(), |(start, end)| start as usize..end as usize)
    }

    /// What a finding about this value underlines: a scalar itself, and else the key that names it.
    pub(crate) fn place(&self) -> Range<usize> {
        let span = self.node.span();
        let is_visible = matches!(self.node.value, Value::Scalar(_)) && !span.is_empty();
        match self.key {
            Some((start, end)) if !is_visible => start as usize..end as usize,
            _ => span,
        }
    }
}
