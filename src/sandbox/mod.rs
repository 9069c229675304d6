//! # sandbox
//! Purpose: a private MySQL server: found or installed without root, started on loopback, removed whatever happens.
//! Gives: a URL to a running server and a guard that ends it.
//! Pure files: none
//! May import: model
//! Reading order: error, locate, install, instance, watchdog
