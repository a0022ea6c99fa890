//! The `metadata` section.

use crate::diagnostic::{Invalid, shown};
use crate::workflow::{MAX_METADATA, MAX_TAG, MAX_TAGS, Metadata, tag_label};
use crate::yaml::{Fields, Items, Sink, Spot, string};

pub(super) fn read(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Metadata> {
    let fields = Fields::open(sink, spot)?;
    let known = ["owner", "team", "group", "environment", "tags"];
    let extensions = fields.extensions(sink, &known);
    Some(Metadata {
        owner: fields.optional(sink, "owner", text),
        team: fields.optional(sink, "team", text),
        group: fields.optional(sink, "group", text),
        environment: fields.optional(sink, "environment", text),
        tags: fields.optional(sink, "tags", tags).unwrap_or_default(),
        extensions,
    })
}

fn text(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<String> {
    short(sink, spot, MAX_METADATA)
}

fn short(sink: &mut Sink<'_>, spot: Spot<'_>, most: usize) -> Option<String> {
    let text = string(sink, spot)?;
    if text.len() <= most {
        return Some(text.to_owned());
    }
    let message = format!(
        "the text has {} bytes; an annotation gets at most {most}",
        text.len()
    );
    let help = "keep the long version in `description`";
    sink.error(spot, Invalid::new("metadata", message).help(help));
    None
}

fn tags(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<Vec<String>> {
    let items = Items::open(sink, spot)?;
    if items.nodes.len() > MAX_TAGS {
        let problem = Invalid::new(
            "metadata",
            format!("a workflow has at most {MAX_TAGS} tags"),
        );
        sink.error(spot, problem.help("keep those that someone looks for"));
        return None;
    }
    Some(items.iter().filter_map(|item| tag(sink, item)).collect())
}

/// A tag that cannot be part of a label's name is kept as text only.
fn tag(sink: &mut Sink<'_>, spot: Spot<'_>) -> Option<String> {
    let tag = short(sink, spot, MAX_TAG)?;
    if tag_label(&tag).is_none() {
        let message = format!(
            "no label can hold the tag `{}`, so `list -l` does not find it",
            shown(&tag)
        );
        let help = "use up to 59 letters, digits, `-`, `_` and `.`, and end with a letter or digit";
        sink.warning(spot, Invalid::new("tag", message).help(help));
    }
    Some(tag)
}
