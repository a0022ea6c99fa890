//! Who imports whom, and where that goes in a circle.

use std::collections::{BTreeMap, BTreeSet};

/// Imports between files, or between rooms, by name.
#[derive(Debug, Clone, Default)]
pub struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    /// Notes one that is there, whether it imports something or not.
    pub fn node(&mut self, name: &str) {
        self.0.entry(name.to_owned()).or_default();
    }

    /// Notes an import.
    pub fn edge(&mut self, from: &str, to: &str) {
        self.node(to);
        self.node(from);
        if from != to {
            self.0
                .entry(from.to_owned())
                .or_default()
                .insert(to.to_owned());
        }
    }

    /// How many imports there are.
    pub fn edges(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Everything that is imported by something, with what imports it.
    pub fn arrows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|(from, all)| all.iter().map(move |to| (from.as_str(), to.as_str())))
    }

    /// Every directory that holds files, and those above; the outermost is empty.
    pub fn dirs(&self) -> BTreeSet<String> {
        let files = self.0.keys();
        let above = |file: &String| {
            let parts: Vec<_> = file.split('/').collect();
            (0..parts.len())
                .map(|count| parts[..count].join("/"))
                .collect::<Vec<_>>()
        };
        files.flat_map(above).collect()
    }

    /// The same imports between what stands side by side in a directory: its folders and its files.
    pub fn rooms(&self, dir: &str) -> Self {
        let prefix = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let room = |file: &str| {
            let rest = file.strip_prefix(&prefix)?;
            let name = rest.split('/').next().unwrap_or(rest);
            Some(name.strip_suffix(".rs").unwrap_or(name).to_owned())
        };
        let mut rooms = Self::default();
        for name in self.0.keys().filter_map(|file| room(file)) {
            rooms.node(&name);
        }
        for (from, to) in self.arrows() {
            if let (Some(from), Some(to)) = (room(from), room(to)) {
                rooms.edge(&from, &to);
            }
        }
        rooms
    }

    /// One circle of each knot, as `a -> b -> a`, from the first of its names on.
    pub fn circles(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut known = BTreeSet::new();
        for start in self.0.keys() {
            if known.contains(start.as_str()) {
                continue;
            }
            if let Some(circle) = self.back_to(start) {
                known.extend(circle.iter().copied());
                found.push(circle.join(" -> "));
            }
        }
        found
    }

    /// The shortest way from there back to it.
    fn back_to<'g>(&'g self, start: &'g str) -> Option<Vec<&'g str>> {
        let mut ways: Vec<Vec<&str>> = vec![vec![start]];
        let mut seen = BTreeSet::new();
        while !ways.is_empty() {
            let mut next = Vec::new();
            for way in ways {
                for to in &self.0[*way.last()?] {
                    let longer = || way.iter().copied().chain([to.as_str()]).collect();
                    if to == start {
                        return Some(longer());
                    }
                    if seen.insert(to.as_str()) {
                        next.push(longer());
                    }
                }
            }
            ways = next;
        }
        None
    }

    /// Without the arrows that follow from others. Only where there are no circles.
    pub fn reduced(&self) -> Self {
        let mut reduced = self.clone();
        for (from, all) in &self.0 {
            let by_others: BTreeSet<_> = all.iter().flat_map(|to| self.reached(to)).collect();
            let kept = all.iter().filter(|to| !by_others.contains(to.as_str()));
            reduced.0.insert(from.clone(), kept.cloned().collect());
        }
        reduced
    }

    fn reached<'g>(&'g self, from: &'g str) -> BTreeSet<&'g str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(name) = open.pop() {
            let more = self.0[name].iter().map(String::as_str);
            open.extend(more.filter(|to| reached.insert(*to)));
        }
        reached
    }

    /// Without these, and without what leads to them.
    pub fn without(&self, is_left_out: impl Fn(&str) -> bool) -> Self {
        let kept = |name: &&String| !is_left_out(name);
        let rest = self.0.iter().filter(|(name, _)| kept(name));
        Self(
            rest.map(|(name, all)| (name.clone(), all.iter().filter(kept).cloned().collect()))
                .collect(),
        )
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
