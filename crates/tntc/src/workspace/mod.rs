//! Files on this machine: workflow directories and what stands beside them, config files, caches and temporary directories.

pub mod cache;
pub mod config_files;
pub mod files;
pub mod image_record;
pub mod project;
pub mod scratch;
pub mod secrets;
pub mod trust;
