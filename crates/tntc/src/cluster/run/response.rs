//! What the engine answers to a run, as it came.

use crate::outcome::{Error, Execution, Result};

/// Parses an answer.
///
/// # Errors
/// It is not what an engine answers.
pub fn parse(name: &str, body: &str) -> Result<Execution> {
    serde_json::from_str(body).map_err(|_| not_an_engine(name, body))
}

fn not_an_engine(name: &str, body: &str) -> Error {
    let start: String = body.chars().take(200).collect();
    Error::failed(format!(
        "{name} gave an answer that is not a run result: {start}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_somebody_else_is_told_with_its_beginning() {
        let none = parse("page", "<html>").expect_err("no run").message;
        assert!(none.contains("not a run result: <html>"), "{none}");
    }
}
