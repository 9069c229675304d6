//! Advice as definitions.
