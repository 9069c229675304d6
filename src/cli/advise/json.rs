//! Advice as JSON: field names are stable, and carry their units.
