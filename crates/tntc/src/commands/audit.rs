//! placeholder
use crate::cli::Audit;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::Outcome;
pub async fn run(_arguments: Audit, _context: &Context) -> Result<Outcome> {
    Err(Error::failed("later"))
}
