//! A part of a kubeconfig that knows its place, so that each mistake names it, and never what stands there.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Mistake;

static NOTHING: Value = Value::Null;

/// A map of a kubeconfig, or nothing.
pub(super) struct Section<'a> {
    pub file: &'a Path,
    pub place: String,
    pub value: &'a Value,
}

impl<'a> Section<'a> {
    /// As kubectl: a kind and a version that are missing are the usual ones.
    pub fn expect_kubeconfig(&self) -> Result<(), Mistake> {
        if !self.value.is_object() && !self.value.is_null() {
            return Err(self.wrong("", "a map"));
        }
        let kind = self.text("kind")?.unwrap_or_else(|| "Config".to_owned());
        let version = self.text("apiVersion")?.unwrap_or_else(|| "v1".to_owned());
        if kind == "Config" && version == "v1" {
            return Ok(());
        }
        Err(Mistake::OtherKind {
            file: self.file.to_owned(),
        })
    }

    fn at(&self, key: &str) -> String {
        match (self.place.as_str(), key) {
            ("", key) => key.to_owned(),
            (place, "") => place.to_owned(),
            (place, key) => format!("{place}.{key}"),
        }
    }

    fn wrong(&self, key: &str, expected: &'static str) -> Mistake {
        Mistake::WrongType {
            file: self.file.to_owned(),
            place: self.at(key),
            expected,
        }
    }

    fn get(&self, key: &str) -> &'a Value {
        self.value.get(key).unwrap_or(&NOTHING)
    }

    /// A text that is not empty.
    pub fn text(&self, key: &str) -> Result<Option<String>, Mistake> {
        match self.get(key) {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            _ => Err(self.wrong(key, "text; put it in quotes")),
        }
    }

    /// A truth value, also in the words of YAML 1.1.
    pub fn truth(&self, key: &str) -> Result<bool, Mistake> {
        let word = match self.get(key) {
            Value::Null => return Ok(false),
            Value::Bool(value) => return Ok(*value),
            Value::String(word) => word.to_lowercase(),
            _ => String::new(),
        };
        match word.as_str() {
            "yes" | "on" | "y" => Ok(true),
            "no" | "off" | "n" => Ok(false),
            _ => Err(self.wrong(key, "true or false")),
        }
    }

    /// A map; nothing counts as an empty one.
    pub fn section(&self, key: &str) -> Result<Section<'a>, Mistake> {
        let value = self.get(key);
        if !value.is_object() && !value.is_null() {
            return Err(self.wrong(key, "a map"));
        }
        Ok(Section {
            file: self.file,
            place: self.at(key),
            value,
        })
    }

    /// A map that is there.
    pub fn present(&self, key: &str) -> Result<Option<Section<'a>>, Mistake> {
        Ok(Some(self.section(key)?).filter(|section| !section.value.is_null()))
    }

    /// A list of maps.
    pub fn list(&self, key: &str) -> Result<Vec<Section<'a>>, Mistake> {
        let items = self.items(key)?.iter().enumerate();
        let item = |(index, value): (usize, &'a Value)| {
            let item = Section {
                file: self.file,
                place: format!("{}[{index}]", self.at(key)),
                value,
            };
            let is_map = value.is_object();
            if is_map {
                Ok(item)
            } else {
                Err(item.wrong("", "a map"))
            }
        };
        items.map(item).collect()
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Result<Vec<String>, Mistake> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let all: Option<_> = self.items(key)?.iter().map(text).collect();
        all.ok_or_else(|| self.wrong(key, "a list of texts"))
    }

    fn items(&self, key: &str) -> Result<&'a [Value], Mistake> {
        match self.get(key) {
            Value::Null => Ok(&[]),
            Value::Array(items) => Ok(items),
            _ => Err(self.wrong(key, "a list")),
        }
    }

    /// Bytes in base64, broken into lines or not, as Go's decoder reads them.
    pub fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, Mistake> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let joined: String = text
            .chars()
            .filter(|it| !matches!(it, '\r' | '\n'))
            .collect();
        let decoded = STANDARD.decode(joined);
        decoded.map(Some).map_err(|_| Mistake::NotBase64 {
            file: self.file.to_owned(),
            place: self.at(key),
        })
    }

    /// A path; a relative one starts at the file's directory.
    pub fn path(&self, key: &str) -> Result<Option<PathBuf>, Mistake> {
        Ok(self.text(key)?.map(|path| self.resolve(&path)))
    }

    /// A program: a bare name is looked for on `PATH`, anything else is a path.
    pub fn program(&self, key: &str) -> Result<Option<PathBuf>, Mistake> {
        Ok(self.text(key)?.map(|program| {
            if program.contains(std::path::MAIN_SEPARATOR) {
                self.resolve(&program)
            } else {
                program.into()
            }
        }))
    }

    fn resolve(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }
}
