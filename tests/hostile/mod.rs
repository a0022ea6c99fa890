//! A workflow directory from a stranger, or files that are broken by accident: what it must not be able to do to the
//! machine of whoever looks at it, tests it or runs it. One attack a test.

mod bundles;
mod files;
mod images;
mod local;
mod page;
mod servers;
mod terminal;
mod trap;
