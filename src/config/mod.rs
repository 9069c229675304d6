//! # config
//! Purpose: `monitor.toml`, environment and flags made into checked settings, all mistakes reported at once.
//! Gives: `Settings` with the origin of each value; secrets wrapped so that they cannot be printed.
//! Pure files: all but load.rs, servers.rs, secret.rs
//! May import: model
//! Reading order: settings, defaults, value, given, kind, schema, mistake, advice, origin, syntax, raw, environ, url, check, mycnf, secret, servers, load, effective

pub mod advice;
pub mod check;
pub mod defaults;
pub mod effective;
pub mod environ;
pub mod given;
pub mod kind;
pub mod load;
pub mod mistake;
pub mod mycnf;
pub mod origin;
pub mod raw;
pub mod schema;
pub mod secret;
mod servers;
pub mod settings;
pub mod syntax;
pub mod url;
pub mod value;
