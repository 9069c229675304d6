//! What the view of the indexes can start: reading them, and changing one.

use std::path::Path;
use std::sync::Arc;

use super::Hands;
use super::change::{Place, make};
use super::reading;
use crate::cli::index::FOLDER;
use crate::config::settings::{Server, Settings};

/// Hands over the server of a dashboard; `read_only` refuses every change.
pub(in crate::cli::dashboard) fn hands(
    settings: &Settings,
    server: &Server,
    read_only: bool,
) -> Hands {
    let both = Arc::new((settings.clone(), server.clone()));
    let for_changes = Arc::clone(&both);
    Hands {
        read: Arc::new(move || {
            let both = Arc::clone(&both);
            Box::pin(async move { reading::board(&both.0, &both.1, Path::new(FOLDER)).await })
        }),
        make: Arc::new(move |change, progress, cancel| {
            let both = Arc::clone(&for_changes);
            Box::pin(async move {
                let place = Place {
                    settings: &both.0,
                    server: &both.1,
                    folder: Path::new(FOLDER),
                    read_only,
                };
                make(&place, &change, &progress, &cancel).await
            })
        }),
    }
}
