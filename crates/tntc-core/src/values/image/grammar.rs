//! The grammar at the head of `reference.go` in `distribution/reference`, with digests of SHA-256 alone, and what is
//! wrong with a text that is against it.
//!
//! By hand: a regular expression takes longer to compile than the rest of a build that finds nothing to do.

use crate::diagnostic::{Invalid, shown};

/// Longest repository, registry included, and longest tag, in characters.
const LONGEST_NAME: usize = 255;
const LONGEST_TAG: usize = 128;

/// What comes before the digest, and the digest.
pub fn split_digest(text: &str) -> (&str, Option<&str>) {
    match text.split_once('@') {
        Some((tagged, digest)) => (tagged, Some(digest)),
        None => (text, None),
    }
}

/// What comes before the tag, and the tag. A colon before the last `/` belongs to a registry's port.
pub fn split_tag(tagged: &str) -> (&str, Option<&str>) {
    let last = tagged.rfind('/').map_or(0, |slash| slash + 1);
    match tagged[last..].find(':') {
        Some(colon) => (&tagged[..last + colon], Some(&tagged[last + colon + 1..])),
        None => (tagged, None),
    }
}

/// Registry and path, as Docker reads a name: a first part with a dot, a port or a capital, or `localhost`, is a registry.
pub fn split_registry(name: &str) -> Option<(&str, &str)> {
    name.split_once('/')
        .filter(|(first, _)| first.contains(['.', ':']) || *first == "localhost")
}

/// # Errors
/// The text is against the grammar.
pub fn check(text: &str) -> Result<(), Invalid> {
    check_writing(text)?;
    let (tagged, digest) = split_digest(text);
    if let Some(digest) = digest {
        check_digest(text, digest)?;
    }
    let (name, tag) = split_tag(tagged);
    if let Some(tag) = tag {
        check_tag(text, name, tag)?;
    }
    check_name(text, name)
}

/// # Errors
/// The text is not a registry, or a path of one.
pub fn check_registry(registry: &str) -> Result<(), Invalid> {
    let fault = |help: String| {
        let message = format!("`{}` is not a valid registry", shown(registry));
        Err(Invalid::new("image", message).help(help))
    };
    if let Some((_, rest)) = registry.split_once("://") {
        return fault(format!("leave out the scheme: {}", shown(rest)));
    }
    let (host, path) = registry.split_once('/').unwrap_or((registry, "x"));
    if is_host(host) && path.split('/').all(is_path_component) {
        return Ok(());
    }
    fault("write a host, such as registry.example.com or localhost:5000/team".to_owned())
}

/// What is written for other readers than registries.
fn check_writing(text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(invalid(
            text,
            "name an image, such as my-engine:v2".to_owned(),
        ));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let help = format!("leave out `{}://`: {}", shown(scheme), shown(rest));
        return Err(invalid(text, help));
    }
    if text.contains(['$', '{', '}']) {
        let help = "variables are not expanded here: write the name itself, or let your shell or your build fill it in";
        return Err(invalid(text, help.to_owned()));
    }
    if text.contains(char::is_whitespace) {
        return Err(invalid(text, "leave out the blanks".to_owned()));
    }
    Ok(())
}

fn check_digest(text: &str, digest: &str) -> Result<(), Invalid> {
    let hexadecimal = digest.strip_prefix("sha256:");
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    match hexadecimal {
        Some(digits) if digits.len() == 64 && digits.bytes().all(is_digit) => Ok(()),
        Some(digits) if digits.bytes().all(is_digit) => Err(invalid(
            text,
            format!(
                "a digest is sha256: and 64 hexadecimal digits, not {}",
                digits.len()
            ),
        )),
        _ => Err(invalid(
            text,
            "a digest is sha256: and 64 digits of 0-9 and a-f, as `tntc build --push` prints it"
                .to_owned(),
        )),
    }
}

fn check_tag(text: &str, name: &str, tag: &str) -> Result<(), Invalid> {
    if tag.is_empty() {
        let name = shown(name);
        return Err(invalid(
            text,
            format!("write a tag behind the colon: {name}:latest"),
        ));
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = tag.bytes().next().is_some_and(is_word);
    if begins
        && tag.len() <= LONGEST_TAG
        && tag
            .bytes()
            .all(|byte| is_word(byte) || b".-".contains(&byte))
    {
        return Ok(());
    }
    let help = format!(
        "a tag is of at most {LONGEST_TAG} letters, digits, `_`, `.` and `-`, beginning with a letter, a digit or `_`"
    );
    Err(invalid(text, help))
}

fn check_name(text: &str, name: &str) -> Result<(), Invalid> {
    let (host, path) = split_registry(name).unwrap_or(("localhost", name));
    // A first part with an underscore is a path by the grammar, and a registry to whoever pulls it.
    let is_fine =
        path.split('/').all(is_path_component) && (is_host(host) || is_path_component(host));
    if is_fine && name.len() > LONGEST_NAME {
        let help = format!(
            "a name has at most {LONGEST_NAME} characters, not {}",
            name.len()
        );
        return Err(invalid(text, help));
    }
    if is_fine && name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let help =
            "that is the ID of an image, which only one machine knows: name a repository and a tag";
        return Err(invalid(text, help.to_owned()));
    }
    if is_fine {
        return Ok(());
    }
    let lower = path.to_ascii_lowercase();
    if is_host(host) && lower != path && lower.split('/').all(is_path_component) {
        let lower = format!(
            "{}{lower}{}",
            &name[..name.len() - path.len()],
            &text[name.len()..]
        );
        return Err(invalid(
            text,
            format!("a repository is in lower case: {}", shown(&lower)),
        ));
    }
    let help = "write one such as my-engine:v2 or registry.example.com/team/my-engine:v2";
    Err(invalid(text, help.to_owned()))
}

/// A domain name or an address, with or without a port.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(inner)
    };
    let bracketed = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_name = match bracketed {
        Some(address) => {
            let inner = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
            !address.is_empty() && address.bytes().all(inner)
        }
        None => name.split('.').all(is_label),
    };
    is_name && port.is_none_or(is_port)
}

/// Lower-case words, joined by a dot, one or two underscores, or hyphens.
fn is_path_component(component: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_joint = |joint: &str| {
        matches!(joint, "." | "_" | "__")
            || !joint.is_empty() && joint.bytes().all(|byte| byte == b'-')
    };
    let ends_well = component.starts_with(is_word) && component.ends_with(is_word);
    let mut joints = component.split(is_word).filter(|joint| !joint.is_empty());
    ends_well && joints.all(is_joint)
}

fn invalid(text: &str, help: String) -> Invalid {
    let message = format!("`{}` is not a valid image reference", shown(text));
    Invalid::new("image", message).help(help)
}
