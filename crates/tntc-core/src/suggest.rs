//! "Did you mean": the nearest known word to a misspelt one.

/// Words longer than this are not compared: nobody misspells them by accident, and the cost grows with their product.
const LONGEST_WORD: usize = 64;

/// Comparisons that one file may cost. Ten thousand nodes with misspelt edges must not take quadratic time.
const COMPARISONS: usize = 50_000;

/// Finds nearest words within a budget that is shared by all questions about one file.
#[derive(Debug)]
pub(crate) struct Suggester {
    left: usize,
}

impl Suggester {
    pub(crate) fn new() -> Self {
        Self { left: COMPARISONS }
    }

    /// The candidate nearest to `word`, when one is near enough to be what was meant.
    ///
    /// A budget that ends before the candidates do gives no answer: half of them, in whatever order they come, would make
    /// the answer depend on chance.
    pub(crate) fn nearest<'c>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<&'c str> {
        if word.len() > LONGEST_WORD {
            return None;
        }
        let wanted = word.to_lowercase();
        let near = wanted.chars().count().div_ceil(3).max(1);
        let mut best: Option<(usize, &str)> = None;
        for candidate in candidates {
            self.left = self.left.checked_sub(1)?;
            if candidate.len() <= LONGEST_WORD {
                let distance = strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
                let found = (distance <= near).then_some((distance, candidate));
                best = found.into_iter().chain(best).min();
            }
        }
        best.map(|(_, candidate)| candidate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_its_neighbour_and_a_strange_one_finds_none() {
        let mut suggester = Suggester::new();
        assert_eq!(
            suggester.nearest("tirggers", ["name", "triggers"]),
            Some("triggers")
        );
        assert_eq!(
            suggester.nearest("Name", ["name", "triggers"]),
            Some("name")
        );
        assert_eq!(suggester.nearest("quux", ["name", "triggers"]), None);
    }

    #[test]
    fn a_spent_budget_gives_no_suggestion_instead_of_taking_longer() {
        let mut suggester = Suggester { left: 3 };
        assert_eq!(
            suggester.nearest("nmae", ["triggers", "name"]),
            Some("name")
        );
        assert_eq!(suggester.nearest("nmae", ["name", "triggers"]), None);
        assert_eq!(suggester.nearest("nmae", ["name"]), None);
    }
}
